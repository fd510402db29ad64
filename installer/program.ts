/** The command line of `./install`. Each command's own module is loaded only when it runs. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { ask } from "#cli/ask";
import { example } from "#cli/help";
import { ExpectedError } from "#cli/errors";
import { checkExplanations } from "#cli/explain/checks";
import { collect, wholeNumber } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";
import { version } from "#cli/version";
import { addCompletionCommand } from "./commands/completion.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addDayTwoCommands } from "./commands/day-two.ts";
import { changing, common, node, signed } from "./commands/options.ts";
import type { Context } from "./context.ts";
import { identityOf, trustsOf } from "./trust/given-keys.ts";

/** Where this installer came from. */
export interface Origin {
  /** The directory that the bundle was unpacked into; null when run from source. */
  readonly bundle: string | null;
  /** This very file; null when run from source. */
  readonly executable: string | null;
  /** The words of the command line. */
  readonly argv?: readonly string[];
}

interface Flags {
  readonly bundle?: string;
  readonly role?: string;
  readonly ip?: string;
  readonly name?: string;
  readonly iface?: string;
  readonly key?: string;
  readonly root?: string;
  readonly dryRun?: boolean;
  readonly partial?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly skipPreflight?: string[];
  readonly restore?: boolean;
  readonly acceptIrreversible?: boolean;
  readonly deleteData?: boolean;
  readonly drain?: boolean;
  readonly output?: string;
  readonly inPlace?: boolean;
  readonly certificates?: boolean;
  readonly keep?: boolean;
  readonly watch?: boolean;
  readonly timeout?: number;
  readonly priorities?: boolean;
  readonly publicKey?: string[];
  readonly require?: number;
  /** False with --no-start. */
  readonly start?: boolean;
  readonly initialClusterState?: "existing";
}

export function installerProgram(surroundings: Surroundings, origin: Origin): Command {
  const program = new Command("./install")
    .description("Turns this host into a node of the bundle's cluster, and back. Needs no network.")
    .version(version(), "-V, --version")
    .enablePositionalOptions()
    .addHelpText("after", example("./install --role worker --ip 10.64.3.7 --key worker.key --dry-run"));
  const context = (flags: Flags, words: readonly string[]): Context => contextFor(surroundings, origin, flags, words);

  const applyOptions = (flags: Flags) => ({
    bundle: bundleOf(flags, origin, surroundings),
    node: { role: flags.role, ip: flags.ip, name: flags.name, iface: flags.iface },
    root: rootOf(flags, surroundings),
    dryRun: flags.dryRun ?? false,
    partial: flags.partial ?? false,
    yes: flags.yes ?? false,
    skipPreflight: (flags.skipPreflight ?? []).map(knownCheck),
    noRestore: flags.restore === false,
    acceptIrreversible: flags.acceptIrreversible ?? false,
    identity: (name: string) => identityOf(name, flags, surroundings),
    trusts: () => trustsOf(flags, rootOf(flags, surroundings), surroundings),
  });

  const apply = program
    .command("apply", { isDefault: true })
    .description("install (the default)")
    .addHelpText(
      "after",
      example(
        "./install --role etcd,master --ip 10.64.3.1 --key m1.key --dry-run",
        "./install --role worker --ip 10.64.3.7 --key worker.key",
      ),
    );
  changing(node(common(apply)))
    .option("--no-start", "place files and enable units, but start nothing now")
    .addOption(
      new Option(
        "--initial-cluster-state <state>",
        "existing: etcd joins the members that run, in the place of one that is lost or as a new one",
      ).choices(["existing"]),
    )
    // What is no command comes here, too, as a word too many.
    .allowExcessArguments()
    .action(async (flags: Flags, { args: [unknown] }: Command) => {
      if ((origin.argv ?? []).length === 0) program.help({ error: true });
      if (unknown !== undefined) {
        throw new ExpectedError("USAGE", `unknown command '${unknown}'`, {
          where: "./install",
          expected: program.commands.map((one) => one.name()).join(", "),
          hint: "./install --help",
        });
      }
      const { install } = await import("./commands/install.ts");
      const { parseRoles } = await import("./plan/select.ts");
      // A wrong call is told before every byte of the bundle is read.
      parseRoles(flags.role);
      const noStart = flags.start === false;
      const joins = flags.initialClusterState === "existing";
      if (joins && noStart) {
        throw new ExpectedError("USAGE", "--initial-cluster-state joins, and so starts etcd", {
          where: "--no-start",
          hint: "leave --no-start out",
        });
      }
      const more = [...(noStart ? ["--no-start"] : []), ...(joins ? ["--initial-cluster-state", "existing"] : [])];
      const words = ["--role", flags.role ?? "", "--ip", flags.ip ?? "", ...more];
      await install({ ...applyOptions(flags), noStart, joins }, context(flags, words));
    });

  changing(node(common(program.command("upgrade"))))
    .description("install this bundle over the one that is installed; role and address as installed")
    .addHelpText("after", example("./install upgrade --key m1.key --dry-run"))
    .action(async (flags: Flags) => {
      const { upgrade } = await import("./commands/upgrade.ts");
      await upgrade(applyOptions(flags), context(flags, ["upgrade"]));
    });

  signed(changing(common(program.command("renew"))))
    .description("new certificates: from a newer bundle, or on a master signed by the CA that is on it")
    .addHelpText("after", example("./install renew --in-place"))
    .option("--key <file>", "the file that opens this node's secrets (or KUBEFERRY_KEY)")
    .option("--in-place", "sign them here, also when ./install lies in a bundle")
    .action(async (flags: Flags) => {
      const { renew } = await import("./commands/renew.ts");
      const here = flags.inPlace === true || (flags.bundle === undefined && origin.bundle === null);
      const bundle = here ? null : bundleOf(flags, origin, surroundings);
      await renew({ ...applyOptions({ ...flags, bundle: "" }), bundle }, context(flags, ["renew"]));
    });

  node(common(program.command("preflight")))
    .description("is this host fit? every check, nothing is changed")
    .addHelpText("after", example("./install preflight --role worker --ip 10.64.3.7"))
    .option("--skip-preflight <name>", "skip a preflight check (repeatable)", collect)
    .action(async (flags: Flags) => {
      const { install } = await import("./commands/install.ts");
      await install({ ...applyOptions(flags), preflightOnly: true }, context(flags, ["preflight"]));
    });

  common(program.command("approve"))
    .description("on a master: certificates for kubelets of known nodes, with exactly their names; the rest is listed")
    .addHelpText("after", example("./install approve --dry-run"))
    .option("--dry-run", "judge, approve nothing")
    .option("--watch", "stay, and approve requests as they come")
    .action(async (flags: Flags) => {
      if (flags.watch === true) {
        if (flags.dryRun === true) throw new ExpectedError("USAGE", "--watch approves: it has no --dry-run");
        const { approveAsTheyCome } = await import("./commands/approve-watch.ts");
        return await approveAsTheyCome({}, context(flags, ["approve", "--watch"]));
      }
      const { approve } = await import("./commands/approve.ts");
      await approve({ dryRun: flags.dryRun ?? false }, context(flags, ["approve"]));
    });

  common(program.command("smoke"))
    .description(
      "on a master: a pod on every node, asked on its own, the service's and every node's address; then removed",
    )
    .option("--dry-run", "tell what would be made, change nothing")
    .option("--keep", "leave the pods and their service in the cluster")
    .option("--timeout <seconds>", "how long the pods have to become ready", wholeNumber(5, "seconds"), 180)
    .addHelpText("after", example("./install smoke --timeout 300"))
    .action(async (flags: Flags) => {
      const { smoke } = await import("./commands/smoke.ts");
      const { dryRun = false, keep = false, timeout: timeoutSeconds = 180 } = flags;
      await smoke({ dryRun, keep, timeoutSeconds }, context(flags, ["smoke"]));
    });

  signed(common(program.command("support")))
    .description("collect journal, facts, findings and units' logs in one archive, without secrets")
    .addHelpText("after", example("./install support -o /tmp/m1-support.tar"))
    .option("-o, --output <file>", "where to write it", "kubeferry-support.tar")
    .action(async (flags: Flags) => {
      const { support } = await import("./commands/support.ts");
      const output = resolve(surroundings.workingDirectory, flags.output ?? "kubeferry-support.tar");
      const own = context(flags, ["support"]);
      const preflight = async (reporter: Context["reporter"]): Promise<void> => {
        const { upgrade } = await import("./commands/upgrade.ts");
        await upgrade({ ...applyOptions(flags), preflightOnly: true }, { ...own, reporter });
      };
      const none = flags.bundle === undefined && origin.bundle === null;
      await support({ root: rootOf(flags, surroundings), output, preflight: none ? null : preflight }, own);
    });

  signed(common(program.command("verify")))
    .description("check every byte of the bundle")
    .addHelpText("after", example("./install verify --public-key release.pub"))
    .action(async (flags: Flags) => {
      const { verifyOnly } = await import("./commands/verify.ts");
      const trusts = await trustsOf(flags, rootOf(flags, surroundings), surroundings);
      await verifyOnly(bundleOf(flags, origin, surroundings), trusts, context(flags, ["verify"]));
    });

  common(program.command("status"))
    .description("what is installed here, is it healthy, how long do its certificates hold")
    .addHelpText("after", example("./install status --json"))
    .option("--certificates", "only the certificates")
    .option("--priorities", "lines for systemd's journal, each with its priority")
    .action(async (flags: Flags) => {
      const { status } = await import("./commands/status.ts");
      const { certificates = false, priorities = false } = flags;
      await status({ root: rootOf(flags, surroundings), certificates, priorities }, context(flags, ["status"]));
    });

  signed(common(program.command("audit")))
    .description("is it still what was installed")
    .addHelpText("after", example("./install audit --public-key release.pub"))
    .action(async (flags: Flags) => {
      const { audit } = await import("./commands/audit.ts");
      const { givenTrust } = await import("#bundle");
      const trust = givenTrust(flags.publicKey ?? [], flags.require, surroundings.workingDirectory);
      await audit(rootOf(flags, surroundings), trust, context(flags, ["audit"]));
    });

  for (const name of ["undo", "rollback"] as const) {
    const what = { undo: "make the host what it was", rollback: "take the last installation back" };
    const command = common(program.command(name))
      .description(what[name])
      .addHelpText("after", example(`./install ${name} --dry-run`));
    if (name === "undo")
      command.option("--drain", "first ask the cluster to run this node's pods elsewhere, as kubectl drain does");
    command
      .option("--dry-run", "print every step, change nothing")
      .option("--yes", "do not ask")
      .option("--delete-data", "also remove what was written into installed directories since: etcd's data, containers")
      .action(async (flags: Flags) => {
        const { takeBackOnRequest } = await import("./transaction/restore.ts");
        await takeBackOnRequest(
          {
            root: rootOf(flags, surroundings),
            which: name === "undo" ? "all" : "last",
            dryRun: flags.dryRun ?? false,
            yes: flags.yes ?? false,
            deleteData: flags.deleteData ?? false,
            drain: flags.drain ?? false,
          },
          context(flags, [name]),
        );
      });
  }
  addDayTwoCommands(program, surroundings, ({ json }, words) => context(json === true ? { json } : {}, words));
  addExplainCommand(program, surroundings);
  addCompletionCommand(program, surroundings);
  return program;
}

function rootOf({ root }: Flags, { workingDirectory }: Surroundings): string {
  if (root === undefined) return "/";
  const path = resolve(workingDirectory, root);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  const hint = "give the folder where the node's file system is mounted";
  throw new ExpectedError("USAGE", "--root is no folder", { where: path, hint });
}

/** USAGE: a name that is mistyped would skip nothing. */
function knownCheck(name: string): string {
  if (Object.hasOwn(checkExplanations, name)) return name;
  throw new ExpectedError("USAGE", `there is no check ${name}`, {
    where: `--skip-preflight ${name}`,
    hint: "./install explain   lists them all; ./install preflight says which fail here",
  });
}

function bundleOf({ bundle }: Flags, origin: Origin, { workingDirectory }: Surroundings): string {
  if (bundle !== undefined) return resolve(workingDirectory, bundle);
  if (origin.bundle !== null) return origin.bundle;
  throw new ExpectedError("USAGE", "which bundle?", { hint: "./install --bundle FILE.tar …" });
}

function contextFor(surroundings: Surroundings, origin: Origin, flags: Flags, words: readonly string[]): Context {
  return {
    reporter: reporterFor(surroundings, flags),
    signal: surroundings.signal,
    now: () => new Date(),
    command: ["./install", ...words].join(" "),
    executable: origin.executable,
    argv: origin.argv ?? [],
    ask: (question, hidden) => ask(surroundings, question, hidden),
  };
}
