/** `export oci`: a bundle in the form that skopeo and oras carry through registries. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { example } from "#cli/help";
import { withJson, withPublicKeys } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";

interface Flags {
  readonly out: string;
  readonly publicKey?: string[];
  readonly require?: number;
  readonly json?: boolean;
}

export function addExportOciCommand(group: Command, surroundings: Surroundings): void {
  const command = withJson(group.command("oci <bundle>"))
    .description("An OCI layout that skopeo and oras carry through a registry; `kubeferry join` makes the bundle of it")
    .requiredOption("--out <folder>", "the folder to make");
  withPublicKeys(command, "the bundle must be signed with it")
    .addHelpText("after", example("kubeferry export oci plant-7.tar --out plant-7-oci"))
    .action(async (where: string, flags: Flags) => {
      const { givenTrust, openBundle, refusePresent, requireWhole } = await import("#bundle");
      const { writeLayout } = await import("../pack/layout.ts");
      const { workingDirectory, signal } = surroundings;
      const reporter = reporterFor(surroundings, flags);
      const output = resolve(workingDirectory, flags.out);
      refusePresent(output);
      const trust = givenTrust(flags.publicKey ?? [], flags.require, workingDirectory);
      const bundle = await openBundle(resolve(workingDirectory, where), [trust]);
      reporter.stage("verify", `every byte of ${where}`);
      await requireWhole(bundle, { reporter, signal });
      reporter.stage("export", flags.out);
      if (!bundle.index.secrets.every(({ sealed }) => sealed)) {
        reporter.warn("its secrets are not sealed: whoever may pull it has the cluster's keys");
      }
      const digest = await writeLayout(bundle, output, (done, total) => reporter.progress("export", done, total));
      const { payloadDigest, source } = bundle;
      reporter.record("artifact", { output, payloadDigest, digest: `sha256:${digest}`, members: source.members.size });
      reporter.info(`${flags.out}: sha256:${digest}; next: skopeo copy oci:${flags.out} docker://REGISTRY/NAME:TAG`);
    });
}
