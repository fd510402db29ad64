/** `export`: a bundle in the form of another tool. */
import type { Command } from "commander";
import type { Surroundings } from "#cli/run";
import { addExportAnsibleCommand } from "./export-ansible.ts";
import { addExportOciCommand } from "./export-oci.ts";

export function addExportCommands(program: Command, surroundings: Surroundings): void {
  const group = program.command("export").description("A bundle in another form: for Ansible, for OCI registries");
  addExportAnsibleCommand(group, surroundings);
  addExportOciCommand(group, surroundings);
}
