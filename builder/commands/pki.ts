/** `pki csr|import|rotate`: CAs of the cluster that another CA signs, and the keys of a cluster in step with their next generation. */
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { example } from "#cli/help";
import { withJson } from "#cli/options";
import type { RotationStep } from "#bundle";
import { reporterFor, type Surroundings } from "#cli/run";
import type { AuthorityName } from "../components/credentials.ts";

interface Flags {
  readonly json?: boolean;
  readonly out: string;
  readonly ca?: string;
  readonly next?: boolean;
  readonly step?: RotationStep;
}

const ofNext = "of the CAs that pki rotate leads to, in place of the first ones";

export function addPkiCommands(program: Command, surroundings: Surroundings): void {
  const group = program
    .command("pki")
    .description("A cluster's CAs and keys: signed by another CA, such as the company's, and rotated");
  const command = (usage: string, description: string): Command =>
    withJson(group.command(usage)).description(description);
  const path = (given: string): string => resolve(surroundings.workingDirectory, given);
  const open = async (config: string, flags: Flags) => {
    const { load, pkiPath } = await import("../build.ts");
    const { topology } = await import("../config/topology.ts");
    const reporter = reporterFor(surroundings, flags);
    const { cluster, manifest } = await load({ config: path(config), reporter, strict: false });
    return { reporter, folder: pkiPath(path(config), cluster), topology: topology(cluster, manifest), manifest };
  };

  command(
    "csr <cluster.yaml>",
    "Write a request for each CA that the cluster has not yet; the keys stay in <cluster>.pki",
  )
    .requiredOption(
      "--out <dir>",
      "where the requests go: <ca>.csr each, to be signed as an intermediate CA (CA:TRUE, keyCertSign)",
    )
    .option("--next", ofNext)
    .addHelpText("after", example("kubeferry pki csr cluster.yaml --out requests"))
    .action(async (config: string, flags: Flags) => {
      const { replaceFile } = await import("#bundle");
      const { makeFolder } = await import("../pack/output.ts");
      const { requestAuthorities } = await import("../pki/intermediate.ts");
      const { authorities } = await import("../pki/certificates.ts");
      const { reporter, folder, topology } = await open(config, flags);
      await makeFolder(path(flags.out), "--out");
      const requests = await requestAuthorities(folder, topology, flags.next);
      for (const { name, csr } of requests) {
        const file = join(path(flags.out), `${authorities[name]}.csr`);
        await replaceFile(file, csr, 0o644);
        reporter.record("signing-request", { ca: authorities[name], file });
        reporter.info(`${file}: to be signed as an intermediate CA`);
      }
      if (requests.length === 0) reporter.info(`every CA of this cluster has its certificate already: ${folder}`);
      else reporter.info(`next: kubeferry pki import ${config} CERTIFICATE.pem…, with those above it`);
    });

  command("import <cluster.yaml> <files...>", "Take signed certificates, or an intermediate CA with its key")
    .addHelpText("after", example("kubeferry pki import cluster.yaml kubernetes-ca.pem company-root.pem"))
    .addOption(
      new Option("--ca <name>", "which CA the files are, with their key; left out: those that were requested").choices([
        "kubernetes-ca",
        "etcd-ca",
        "front-proxy-ca",
      ]),
    )
    .option("--next", ofNext)
    .action(async (config: string, files: readonly string[], flags: Flags) => {
      const { importAuthorities } = await import("../pki/intermediate.ts");
      const { authorities } = await import("../pki/certificates.ts");
      const { reporter, folder, topology, manifest } = await open(config, flags);
      const { readText } = await import("../config/yaml-file.ts");
      const certificates = "give the PEM files that came back from who signs the CAs";
      const texts = await Promise.all(files.map((file) => readText(path(file), certificates)));
      const names = Object.keys(authorities) as AuthorityName[];
      const only = names.find((name) => authorities[name] === flags.ca) ?? null;
      const imported = await importAuthorities(folder, {
        topology,
        manifest,
        texts,
        only,
        next: flags.next ?? false,
        now: new Date(),
      });
      for (const { name, subject, issuer, notAfter } of imported) {
        reporter.record("imported", { ca: authorities[name], subject, issuer, notAfter: notAfter.toISOString() });
        reporter.info(`${authorities[name]}: ${subject}, by ${issuer}, until ${notAfter.toISOString().slice(0, 10)}`);
      }
      const next = flags.next === true ? `pki rotate ${config} CA --step trust` : `build ${config}`;
      reporter.info(`next: kubeferry ${next}`);
    });

  command(
    "rotate <cluster.yaml> [keys...]",
    "Take the next step to another CA or key, or without --step tell where each is",
  )
    .addOption(
      new Option(
        "--step <step>",
        "trust: both are trusted, the old one signs; reissue: the new one signs; drop: the new one alone",
      ).choices(["trust", "reissue", "drop"] satisfies RotationStep[]),
    )
    .addHelpText("after", example("kubeferry pki rotate cluster.yaml kubernetes-ca --step trust"))
    .action(async (config: string, keys: readonly string[], flags: Flags) => {
      const { reporter, folder, topology } = await open(config, flags);
      const { openVault } = await import("../pki/vault.ts");
      const { tellRotation, takeStep } = await import("./rotate.ts");
      const given = { vault: await openVault(folder), topology, config, reporter };
      if (flags.step !== undefined) await takeStep(given, keys, flags.step);
      await tellRotation(given, keys);
    });
}
