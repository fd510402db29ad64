/** The commands of a cluster's years: `snapshot`, `restore-etcd`, `certificates`, `remove-node`, `admin`. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { example } from "#cli/help";
import { ExpectedError } from "#cli/errors";
import { collect, wholeNumber, withJson } from "#cli/options";
import type { Surroundings } from "#cli/run";
import type { Context } from "../context.ts";
import { identityOf } from "../trust/given-keys.ts";

interface Flags {
  readonly days?: number;
  readonly textfile?: string;
  readonly group?: string[];
  readonly server?: string;
  readonly output?: string;
  readonly root?: string;
  readonly keep?: number;
  readonly recipient?: string[];
  readonly plaintext?: boolean;
  readonly snapshot?: string;
  readonly initialClusterState?: "existing";
  readonly forceNewCluster?: boolean;
  readonly key?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly restore?: boolean;
  readonly json?: boolean;
}

type ContextOf = (flags: Pick<Flags, "json">, words: readonly string[]) => Context;

/** `contextOf` gives a command's context, for the words that the journal is to show. */
export function addDayTwoCommands(program: Command, surroundings: Surroundings, contextOf: ContextOf): void {
  addCertificates(program, surroundings, contextOf);
  addRemoveNode(program, contextOf);
  addAdmin(program, surroundings, contextOf);
  withJson(program.command("snapshot"))
    .description("a copy of etcd's data, sealed with age for the operator, in /var/lib/kubeferry/snapshots")
    .option("--keep <number>", "how many stay, the oldest go (default: all)", wholeNumber(4, "snapshots"))
    .option("--recipient <age1…>", "seal it for this key too (repeatable)", collect)
    .option("--plaintext", "do not seal it: every Secret of the cluster is in it")
    .option("--dry-run", "print every step, change nothing")
    .addHelpText("after", example("./install snapshot --keep 28"))
    .action(async (flags: Flags) => {
      const { snapshot } = await import("./snapshot.ts");
      const { keep = null, recipient: recipients = [], plaintext = false, dryRun = false } = flags;
      await snapshot({ keep, recipients, plaintext, dryRun }, contextOf(flags, ["snapshot"]));
    });

  withJson(program.command("restore-etcd"))
    .description("on a member of etcd: its data from a snapshot, or from the other members; the former ones are kept")
    .option("--snapshot <file>", "all members are lost: on each of them from the same snapshot")
    .addOption(
      new Option(
        "--initial-cluster-state <state>",
        "existing: this member's data are lost or damaged, the others have a quorum",
      ).choices(["existing"]),
    )
    .option("--force-new-cluster", "the quorum is lost, this member's data are whole: it becomes the only member")
    .option("--key <file>", "the operator's key, for a sealed snapshot (or KUBEFERRY_KEY)")
    .option("--dry-run", "print every step, change nothing")
    .option("--yes", "do not ask")
    .option("--no-restore", "after a failure leave the host as it is, instead of restoring it")
    .addHelpText("after", example("./install restore-etcd --snapshot etcd-20261121T060000Z.db.age --key operator.key"))
    .action(async (flags: Flags) => {
      const { restoreEtcd } = await import("./restore-etcd.ts");
      const { source, words } = sourceOf(flags, surroundings);
      const { dryRun = false, yes = false } = flags;
      const identity = (): Promise<string | null> => identityOf("operator", flags, surroundings);
      const request = { root: "/", dryRun, yes, noRestore: flags.restore === false, source, identity };
      await restoreEtcd(request, contextOf(flags, ["restore-etcd", ...words]));
    });
}

function addCertificates(program: Command, { workingDirectory }: Surroundings, contextOf: ContextOf): void {
  withJson(program.command("certificates"))
    .description("how long each certificate on this node holds; exit 9 where one has fewer days than wanted")
    .option("--days <number>", "how many days are enough", wholeNumber(4, "days"), 30)
    .option("--textfile <file>", "also write it for Prometheus' node_exporter: NAME.prom in its textfile folder")
    .option("--root <dir>", "a mounted tree instead of this host")
    .addHelpText("after", example("./install certificates --days 60"))
    .action(async (flags: Flags) => {
      const { certificates } = await import("./certificates.ts");
      const { days = 30, textfile = null, root = "/" } = flags;
      const at = (path: string): string => resolve(workingDirectory, path);
      const request = { root: at(root), days, textfile: textfile === null ? null : at(textfile) };
      await certificates(request, contextOf(flags, ["certificates"]));
    });
}

function addRemoveNode(program: Command, contextOf: ContextOf): void {
  withJson(program.command("remove-node"))
    .argument("<name>", "the node, as kubectl get nodes and etcdctl member list have it")
    .description("on a master: drain a node, remove its etcd member, its Node and what it could get credentials by")
    .option("--dry-run", "tell what would be removed, change nothing")
    .option("--yes", "do not ask")
    .addHelpText("after", example("./install remove-node w7"))
    .action(async (node: string, flags: Flags) => {
      const { removeNode } = await import("./remove-node.ts");
      const { dryRun = false, yes = false } = flags;
      await removeNode({ node, dryRun, yes }, contextOf(flags, ["remove-node", node]));
    });
}

function addAdmin(program: Command, { workingDirectory }: Surroundings, contextOf: ContextOf): void {
  withJson(program.command("admin"))
    .description("on a master: a kubeconfig for a person, for days, signed by the CA that is on it")
    .requiredOption("--for <name>", "the person's user name in the cluster")
    .option("--days <number>", "how long it holds, 1 to 90", wholeNumber(4, "days"), 1)
    .option("--group <name>", "a group in the cluster (repeatable; default: kubeadm:cluster-admins)", collect)
    .option("--server <url>", "the API's address for that person (default: the one that this master uses)")
    .option("-o, --output <file>", "where to write it, 0600 (default: NAME.kubeconfig)")
    .option("--root <dir>", "a mounted tree instead of this host")
    .option("--dry-run", "tell what would be written, write nothing")
    .addHelpText("after", example("./install admin --for alice --days 1 --group developers"))
    .action(async (flags: Flags & { readonly for: string }) => {
      const { admin, administrators } = await import("./admin.ts");
      const { for: user, days = 1, group: groups = [administrators], server = null, dryRun = false } = flags;
      const at = (path: string): string => resolve(workingDirectory, path);
      const [root, output] = [at(flags.root ?? "/"), at(flags.output ?? `${user}.kubeconfig`)];
      await admin({ root, user, days, groups, server, output, dryRun }, contextOf(flags, ["admin", "--for", user]));
    });
}

function sourceOf(flags: Flags, { workingDirectory }: Surroundings) {
  const { snapshot, initialClusterState: state, forceNewCluster: force } = flags;
  const given = [snapshot, state, force].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new ExpectedError("USAGE", "where from?", {
      expected: "one of --snapshot FILE, --initial-cluster-state existing, --force-new-cluster",
      found: `${given.length} of them`,
      hint: "./install restore-etcd --help",
    });
  }
  if (snapshot !== undefined) {
    const path = resolve(workingDirectory, snapshot);
    return { source: { snapshot: path }, words: ["--snapshot", path] };
  }
  if (state !== undefined) return { source: { as: state }, words: ["--initial-cluster-state", state] };
  return { source: { as: "force-new-cluster" as const }, words: ["--force-new-cluster"] };
}
