/** `keygen`, `sign`, `rekey`: whose word a bundle rests on beyond the gap, and who can open its secrets. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { example } from "#cli/help";
import { collect, withJson } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";

interface Flags {
  readonly json?: boolean;
  readonly out: string;
  /** False with --no-password. */
  readonly password: boolean;
  readonly secretKey: string;
  readonly comment?: string;
  readonly node?: string[];
}

export function addSignCommands(program: Command, surroundings: Surroundings): void {
  const command = (usage: string, description: string): Command =>
    withJson(program.command(usage)).description(description);
  const path = (given: string): string => resolve(surroundings.workingDirectory, given);

  command("keygen", "Make a key pair that signs bundles, in minisign's own files")
    .requiredOption("--out <prefix>", "PREFIX.key stays here and signs, PREFIX.pub goes to every node")
    .option("--no-password", "do not encrypt the secret key: for a machine that signs by itself")
    .addHelpText("after", example("kubeferry keygen --out ~/keys/release"))
    .action(async (flags: Flags) => {
      const { generateKey } = await import("../sign/keygen.ts");
      const { newPassword } = await import("../sign/open-key.ts");
      const password = flags.password ? await newPassword(`${path(flags.out)}.key`, surroundings) : null;
      const made = await generateKey(path(flags.out), password);
      const reporter = reporterFor(surroundings, flags);
      reporter.record("key", { ...made });
      reporter.info(
        `${made.secret}: key ${made.name}${password === null ? ", not encrypted" : ""}; it never leaves here`,
      );
      reporter.info(`${made.open}: transfer it to the nodes separately from the bundles, into /etc/kubeferry/trusted/`);
      reporter.info(`public key ${made.publicKey}`);
    });

  command(
    "sign <bundle>",
    "Sign a bundle with a secret key of minisign, beside the signatures that it has; minisign itself can check it",
  )
    .requiredOption(
      "--secret-key <file>",
      "made by `kubeferry keygen` or `minisign -G`; its password is asked for, or taken from KUBEFERRY_PASSWORD",
    )
    .option("--comment <text>", "one line that is signed too, and shown where the signature is checked")
    .addHelpText("after", example("kubeferry sign plant-7.tar --secret-key release.key"))
    .action(async (bundle: string, flags: Flags) => {
      const { keyName } = await import("#bundle");
      const { openSigningKey } = await import("../sign/open-key.ts");
      const { signBundle } = await import("../sign/sign.ts");
      const key = await openSigningKey(path(flags.secretKey), surroundings);
      await signBundle(path(bundle), key, flags.comment);
      const reporter = reporterFor(surroundings, flags);
      reporter.record("signed", { bundle: path(bundle), key: keyName(key.id) });
      reporter.info(
        `${bundle} is signed with key ${keyName(key.id)}; check it: kubeferry verify ${bundle} --public-key KEY`,
      );
    });

  command(
    "rekey <cluster.yaml>",
    "New keys for nodes whose key was lost or seen; the next build seals their secrets for these",
  )
    .addHelpText("after", example("kubeferry rekey cluster.yaml --node w7"))
    .option("--node <name>", "only this node's (repeatable)", collect)
    .action(async (config: string, flags: Flags) => {
      const { keysPath, load } = await import("../build.ts");
      const { rekey } = await import("../pack/keys.ts");
      const reporter = reporterFor(surroundings, flags);
      const { cluster } = await load({ config: path(config), reporter, strict: false });
      const aside = await rekey(keysPath(path(config), cluster), flags.node ?? []);
      reporter.record("rekeyed", { aside });
      for (const file of aside) reporter.info(`${file}: set aside; bundles of before still open with it`);
      reporter.warn(
        "whoever has an older bundle and an older key can still open it: what is in it must be made anew, too",
      );
      reporter.info(`next: kubeferry build ${config}, and ./install upgrade on those nodes with their new keys`);
    });
}
