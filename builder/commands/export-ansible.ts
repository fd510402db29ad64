/** `export ansible`: a bundle in the form of an engine that a site has already. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { example } from "#cli/help";
import { withJson, withPublicKeys } from "#cli/options";
import type { Surroundings } from "#cli/run";

interface Flags {
  readonly out: string;
  readonly hosts?: string;
  readonly publicKey?: string[];
  readonly require?: number;
  readonly json?: boolean;
}

export function addExportAnsibleCommand(group: Command, surroundings: Surroundings): void {
  const command = withJson(group.command("ansible <bundle>"))
    .description("Inventory, role and playbooks for ansible-playbook, with the bundle's verified parts beside them")
    .requiredOption("--out <folder>", "the folder to make")
    .option(
      "--hosts <hosts.yaml>",
      "hosts and logins as for push; without it every node of cluster.yaml at its address",
    );
  withPublicKeys(command, "the bundle must be signed with it, here and on each host")
    .addHelpText("after", example("kubeferry export ansible plant-7.tar --out plant-7-ansible --hosts hosts.yaml"))
    .action(async (bundle: string, flags: Flags) => {
      const { exportAnsible } = await import("../export/ansible.ts");
      const { givenTrust } = await import("#bundle");
      const { workingDirectory } = surroundings;
      const request = {
        bundle: resolve(workingDirectory, bundle),
        output: resolve(workingDirectory, flags.out),
        hosts: flags.hosts === undefined ? null : resolve(workingDirectory, flags.hosts),
        trust: givenTrust(flags.publicKey ?? [], flags.require, workingDirectory),
        json: flags.json ?? false,
      };
      await exportAnsible(request, surroundings);
    });
}
