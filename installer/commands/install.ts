/** `./install`: from the bundle to a node. Read this file to know what happens, in which order. */
import { type Bundle, type BundleIndex, type CheckEntry, partsOfNode, requireWhole, type Trust } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { errorsIn, reportFindings } from "#cli/finding";
import type { Reporter } from "#cli/reporter";
import { preflight } from "../checks/preflight/preflight.ts";
import type { Context } from "../context.ts";
import { headerOf, isSame } from "../transaction/header.ts";
import { hostOf, openInstallation } from "../transaction/installation.ts";
import { gatherFacts } from "../host/facts.ts";
import { installerNeed } from "../journal/stage.ts";
import { type NodeContents, nodeContents, type ReadContents } from "../plan/contents.ts";
import { describeDifference, type Difference, differenceOf } from "../plan/difference.ts";
import { joining } from "../plan/etcd.ts";
import { hostFiles } from "../plan/host-files.ts";
import { chosen } from "../plan/input.ts";
import { objectKeys } from "../plan/objects.ts";
import { plan } from "../plan/plan.ts";
import { select, type Selection, type NodeRequest } from "../plan/select.ts";
import { openTrusted } from "../trust/open-trusted.ts";
import { findTimeSync } from "../plan/time-sync.ts";
import { etcdClientIn, olderInstallations, overOlder } from "../plan/upgrade.ts";
import type { EtcdWords } from "../resources/resource.ts";
import { type ApplyOptions, lookAt, transact } from "../transaction/transact.ts";

export interface InstallRequest extends ApplyOptions {
  readonly bundle: string;
  readonly node: NodeRequest;
  /** Names of preflight checks whose errors are to be passed over. */
  readonly skipPreflight: readonly string[];
  /** `preflight`: tells every finding and stops there. */
  readonly preflightOnly?: boolean;
  /** `--no-start`: places and enables everything, and starts nothing. */
  readonly noStart?: boolean;
  /** etcd joins members that run: `--initial-cluster-state existing`. */
  readonly joins?: boolean;
  /** `--partial`: what only other nodes need may be missing. */
  readonly partial?: boolean;
  /** The identity for a node's secrets; asked for only when the node has any. */
  readonly identity: (node: string) => Promise<string | null>;
  /** Whose signatures the bundle must have. */
  readonly trusts: () => Promise<readonly Trust[]>;
}

export async function install(request: InstallRequest, context: Context): Promise<void> {
  const { reporter } = context;
  const { root } = request;

  const bundle = await openTrusted(request.bundle, await request.trusts(), reporter);
  const { index } = bundle;
  reporter.stage("open", `${index.cluster.name}, release ${index.release.name}, ${bundle.where}`);

  const host = hostOf(root);
  const facts = await gatherFacts(host);
  const selection = select(index, request.node, facts);
  await verify(bundle, context, request.partial === true ? needs(index, selection) : undefined);
  reporter.stage("gather", `${selection.name} (${selection.ip}) becomes ${selection.roles.join(", ")}`);
  const contents = await contentsFor(bundle, selection, request);
  const time = await findTimeSync(index, selection, host);
  const own = [...(await hostFiles(index, selection, host)), ...(time?.dropIn ? [time.dropIn] : [])];

  const starts = !(request.noStart ?? false);
  const owner = root !== "/" && facts.uid !== 0 ? { uid: facts.uid, gid: facts.gid } : null;
  if (owner !== null)
    reporter.warn(`without root, everything in ${root} will be owned by you, not by the owners of the bundle`);
  const installation = openInstallation(root);
  const { state, past } = installation;
  const over = { past, payload: bundle.payloadDigest, roles: selection.roles, live: host.live, now: context.now() };
  const older = olderInstallations(over).at(-1);
  const readPlain: ReadContents = (requested) => bundle.contents(requested);
  const objects = older === undefined ? undefined : await objectKeys(index, contents, readPlain);
  const wanted = overOlder({
    ...over,
    starts,
    ...(objects === undefined ? {} : { objects }),
    planned: plan({
      index,
      selection,
      files: [...contents.files, ...own.map(({ file }) => file)],
      time: time?.unit ?? null,
      live: host.live,
      starts,
      owner,
      labels: facts.selinux !== null,
    }),
  });

  const planned = request.joins === true ? joining(wanted, etcdOf(chosen(index.checks, selection))) : wanted;

  const findings = await preflight({
    host,
    facts,
    bundle,
    selection,
    plan: planned,
    past,
    kept: installerNeed(context.executable, state.folder) + state.reserve.missing,
    now: context.now(),
  });
  reporter.stage("preflight", `${findings.length} checks`);
  reportFindings(findings, reporter, request.preflightOnly);
  const blocking = errorsIn(findings.filter(({ check }) => !request.skipPreflight.includes(check)));
  if (blocking.length > 0 && !request.dryRun) throw notFit(blocking);
  if (request.preflightOnly) return;

  const header = {
    ...headerOf(bundle, selection, host, older !== undefined, context),
    ...(starts ? {} : { started: false as const }),
  };
  const proposed = await lookAt(installation, header, planned);
  const { open, changes } = proposed;
  if (older !== undefined) tellDifference(differenceOf(planned, changes, older.header.bundle, header.bundle), reporter);
  if (!request.dryRun && changes.length === 0 && open === null && past.some((one) => isSame(one, header))) {
    reporter.info("Everything is as it should be; nothing to change.");
    return;
  }
  const memory = new Map([...contents.memory, ...own.map(({ file, content }) => [file.digest, content] as const)]);
  await transact({ ...proposed, bundle, memory, origin: bundle }, request, context);
}

/** USAGE where the node is no member of etcd. */
function etcdOf(checks: readonly CheckEntry[]): EtcdWords {
  const client = etcdClientIn(checks);
  if (client !== null) return client;
  throw new ExpectedError("USAGE", "--initial-cluster-state is for nodes with the role etcd");
}

/** The members that this node needs. */
function needs(index: BundleIndex, { profile, roles, platform }: Selection): Set<string> {
  return partsOfNode(index, { node: profile.name, roles, platform });
}

/** Every byte of the bundle, before anything of it is used; with `needed`, of what there is, which must be at least that. */
export async function verify(bundle: Bundle, context: Context, needed?: ReadonlySet<string>): Promise<void> {
  const { reporter, signal } = context;
  await requireWhole(bundle, { reporter, signal, needed });
  reporter.stage("verify", "every byte is what was built");
}

/** What preflight needs to know of the files is in the index; only installing them takes the key. */
async function contentsFor(bundle: Bundle, selection: Selection, request: InstallRequest): Promise<NodeContents> {
  if (request.preflightOnly) {
    const files = chosen(bundle.index.files, selection);
    return { files: files.map((entry) => ({ entry, digest: entry.digest, size: entry.size })), memory: new Map() };
  }
  const identity = needsKey(bundle.index, selection) ? await request.identity(selection.profile.name) : null;
  return nodeContents(bundle, selection, identity, (requested) => bundle.contents(requested));
}

/** Whether a key is needed for what this node gets. */
export function needsKey(index: BundleIndex, selection: Selection): boolean {
  const sensitive = chosen(index.files, selection).some((file) => file.sensitive);
  return sensitive && index.secrets.some(({ node, sealed }) => node === selection.profile.name && sealed);
}

/** For errors that preflight found. */
export function notFit(errors: readonly { check: string }[]): ExpectedError {
  const names = errors.map(({ check }) => check);
  return new ExpectedError("PREFLIGHT", `this host is not fit: ${names.join(", ")}; nothing was changed`, {
    hint: `fix it, or skip it with: ./install … ${names.map((name) => `--skip-preflight ${name}`).join(" ")}`,
  });
}

function tellDifference(difference: Difference, reporter: Reporter): void {
  const { files, units } = difference;
  reporter.record("upgrade", { ...difference });
  const [added, changed, removed] = [files.added.length, files.changed.length, files.removed.length];
  const restarts = units.restarted.length;
  reporter.stage("compare", `${added} files added, ${changed} changed, ${removed} removed; ${restarts} units restart`);
  for (const line of describeDifference(difference)) reporter.info(line);
}
