/** `./install`: from the bundle to a node. Read this file to know what happens, in which order. */
import {
  type Bundle,
  type BundleIndex,
  type CheckEntry,
  type Digest,
  openBundle,
  problemError,
  verifyBundle,
} from "#bundle";
import { ExpectedError, isExpected } from "#kit/errors";
import { version } from "#kit/version";
import { hasErrors, reportFindings } from "./checks/check.ts";
import { preflight } from "./checks/preflight.ts";
import type { Context } from "./context.ts";
import { gate } from "./gate.ts";
import { gatherFacts } from "./host/facts.ts";
import type { Host } from "./host/host.ts";
import { createLocalHost } from "./host/local.ts";
import { apply, begin, effectsOf, inspectPlan, resumePlan } from "./journal/apply.ts";
import type { Header } from "./journal/journal.ts";
import { lock } from "./journal/lock.ts";
import { keepInstaller, readContents, stageContents } from "./journal/stage.ts";
import { clearStage, createState, destroyState, forgetNote, type State, stateOf } from "./journal/state.ts";
import { type RecordedChange, type Transaction, transactions } from "./journal/transaction.ts";
import { nodeContents } from "./plan/contents.ts";
import { chosen } from "./plan/input.ts";
import { plan } from "./plan/plan.ts";
import { describeEffect, effectRecord } from "./plan/print.ts";
import { select, type Selection, tokenValues, type Wish } from "./plan/select.ts";
import { replaceTokens } from "./plan/contents.ts";
import { restore } from "./restore.ts";

export interface InstallRequest {
  readonly bundle: string;
  readonly wish: Wish;
  readonly root: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Names of preflight checks whose errors are to be passed over. */
  readonly skipPreflight: readonly string[];
  /** A failed start leaves what is there instead of restoring the host. */
  readonly keepGoing: boolean;
  /** The identity for a node's secrets; asked for only when the node has any. */
  readonly identity: (node: string) => Promise<string | null>;
}

export async function install(request: InstallRequest, context: Context): Promise<void> {
  const { reporter } = context;
  const { root } = request;

  const bundle = await openBundle(request.bundle);
  const { index } = bundle;
  reporter.stage("open", `${index.cluster.name}, release ${index.release.name}, ${bundle.where}`);
  await verify(bundle, context);

  const state = stateOf(root);
  const host = createLocalHost({ root, contents: state.contents });
  const facts = await gatherFacts(host);
  const selection = select(index, request.wish, facts);
  reporter.stage("gather", `${selection.name} (${selection.ip}) becomes ${selection.roles.join(", ")}`);
  const identity = needsKey(index, selection) ? await request.identity(selection.profile.name) : null;
  const contents = await nodeContents(bundle, selection, identity, (wanted) => readContents(bundle, wanted));

  const owner = root !== "/" && facts.uid !== 0 ? { uid: facts.uid, gid: facts.gid } : null;
  if (owner !== null)
    reporter.warn(`without root, everything in ${root} will be owned by you, not by the owners of the bundle`);
  const planned = plan({ index, selection, files: contents.files, live: host.live, owner });

  const records = state.journal.read();
  const past = transactions(records);
  const findings = await preflight({ host, facts, bundle, selection, plan: planned, past, now: context.now() });
  reporter.stage("preflight", `${findings.length} checks`);
  reportFindings(findings, reporter);
  const blocking = findings.filter(({ check }) => !request.skipPreflight.includes(check));
  if (hasErrors(blocking) && !request.dryRun) throw notFit(blocking.filter(({ severity }) => severity === "error"));

  const header = headerOf(bundle, selection, host, context);
  const open = resumable(past, header);
  const journal = request.dryRun ? { ...state.journal, append: () => {} } : state.journal;
  const changes = open === null ? await inspectPlan(host, planned) : await resumePlan(host, journal, open);
  if (request.dryRun) return printChanges(changes, context);
  if (changes.length === 0 && open === null && past.some((one) => isSame(one, header))) {
    reporter.info("Everything is as it should be; nothing to change.");
    return;
  }
  await confirm(changes, request, context);

  const made = createState(root);
  const unlock = lock(state.folder, context.command, context.now());
  try {
    if (state.journal.read().length !== records.length) throw busy();
    await stage(bundle, state, contents.memory, changes, { root, made, past, context });
    const transaction =
      open ?? begin(state.journal, { ...header, made }, planned, changes, context.now().toISOString());
    forgetNote(root);
    await perform({ host, state, transaction, changes, context, request });
  } finally {
    unlock();
  }
}

/** Every byte of the bundle, before anything else of it is trusted. */
async function verify(bundle: Bundle, { reporter }: Context): Promise<void> {
  const problems = await verifyBundle(bundle, { reporter });
  for (const problem of problems.slice(1)) reporter.error(problemError(problem, bundle.where));
  const [first] = problems;
  if (first !== undefined) throw problemError(first, bundle.where);
  reporter.stage("verify", "every byte is what was built");
}

function needsKey(index: BundleIndex, selection: Selection): boolean {
  const sensitive = chosen(index.files, selection).some((file) => file.sensitive);
  return sensitive && index.secrets.some(({ node, sealed }) => node === selection.profile.name && sealed);
}

function headerOf(bundle: Bundle, selection: Selection, host: Host, { command }: Context): Omit<Header, "made"> {
  const { index } = bundle;
  const values = tokenValues(selection);
  const tokens = [...values.keys()];
  const fill = (text: string): string => replaceTokens(text, { tokens, path: "a health check" }, values);
  const checks = chosen(index.checks, selection).map((check): CheckEntry => ({ ...check, argv: check.argv.map(fill) }));
  const files = chosen(index.files, selection);
  const firstUse = files.filter(({ origin }) => origin.from === "artifact" && origin.pinnedBy === "first-use").length;
  const plain = index.secrets.some(({ node, sealed }) => node === selection.profile.name && !sealed);
  return {
    command,
    bundle: {
      payload: bundle.payloadDigest,
      where: bundle.where,
      cluster: index.cluster.name,
      release: index.release.name,
      locked: index.locked,
    },
    node: { profile: selection.profile.name, name: selection.name, ip: selection.ip, iface: selection.iface },
    roles: selection.roles,
    platform: selection.platform,
    live: host.live,
    alone: index.nodes.filter(({ roles }) => roles.includes("etcd")).length <= 1,
    installer: version(),
    notes: [
      ...(plain ? ["this node's secrets travelled unencrypted (--plaintext-secrets)"] : []),
      ...(firstUse > 0 ? [`${firstUse} files have a digest that was trusted on first use`] : []),
    ],
    checks,
  };
}

function isSame({ header, state }: Transaction, wanted: Omit<Header, "made">): boolean {
  const key = ({ bundle, node, roles }: Omit<Header, "made">): string => JSON.stringify([bundle.payload, node, roles]);
  return state !== "gone" && key(header) === key(wanted);
}

/** The transaction that a crash or a Ctrl-C left, if it is the one that is asked for. PREFLIGHT where it is another. */
function resumable(past: readonly Transaction[], header: Omit<Header, "made">): Transaction | null {
  const left = past.find(({ state }) => state === "open" || state === "undoing");
  if (left === undefined) return null;
  if (left.state === "open" && isSame(left, header)) return left;
  const what = left.state === "open" ? "an installation" : "an undo";
  throw new ExpectedError("PREFLIGHT", `${what} of ${left.header.node.name} was interrupted and must be ended first`, {
    where: `transaction ${left.id} of ${left.at}: ${left.header.command}`,
    hint: left.state === "open" ? "run that command again, or ./install undo" : "./install undo",
  });
}

function printChanges(changes: readonly RecordedChange[], { reporter }: Context): void {
  const effects = changes.flatMap(({ phase, change }) => effectsOf(change).map((effect) => ({ phase, effect })));
  reporter.stage("plan", `${changes.length} changes in ${effects.length} steps; nothing was changed`);
  for (const { phase, effect } of effects) {
    reporter.record("effect", { phase, ...effectRecord(effect) });
    reporter.info(`  ${describeEffect(effect)}`);
  }
}

async function confirm(changes: readonly RecordedChange[], request: InstallRequest, context: Context): Promise<void> {
  const count = changes.flatMap(({ change }) => effectsOf(change)).length;
  context.reporter.stage("plan", `${changes.length} changes in ${count} steps`);
  if (request.yes || request.root !== "/") return;
  const answer = await context.ask(`Change this host now? [y/N] `, false);
  if (answer !== null && /^y(es)?$/i.test(answer.trim())) return;
  throw new ExpectedError("NOT_CONFIRMED", answer === null ? "there is no terminal to ask at" : "nothing was changed", {
    hint: "add --dry-run to see every step, --yes to do them without a question",
  });
}

interface StageOptions {
  readonly root: string;
  readonly made: readonly string[];
  readonly past: readonly Transaction[];
  readonly context: Context;
}

/** Contents and the installer itself. A disk that fills up here leaves nothing behind. */
async function stage(
  bundle: Bundle,
  state: State,
  memory: ReadonlyMap<Digest, Uint8Array>,
  changes: readonly RecordedChange[],
  { root, made, past, context }: StageOptions,
): Promise<void> {
  const wanted = new Set<Digest>();
  for (const effect of changes.flatMap(({ change }) => effectsOf(change))) {
    if (effect.do === "write" && "digest" in effect.content) wanted.add(effect.content.digest);
  }
  context.reporter.stage("stage", `${wanted.size} contents`);
  try {
    if (context.executable !== null) keepInstaller(context.executable, state.folder);
    await stageContents(bundle, state.contents.stage, wanted, memory);
  } catch (error) {
    if (past.length === 0) destroyState(root, made);
    else clearStage(root);
    const code = (error as { code?: unknown }).code;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
    const hint = `df -h ${state.folder}; df -i ${state.folder}`;
    throw new ExpectedError("NO_SPACE", "there is no room for the bundle's files", {
      where: state.folder,
      hint,
      cause: error,
    });
  }
}

interface PerformOptions {
  readonly host: Host;
  readonly state: State;
  readonly transaction: Transaction;
  readonly changes: readonly RecordedChange[];
  readonly context: Context;
  readonly request: InstallRequest;
}

async function perform({ host, state, transaction, changes, context, request }: PerformOptions): Promise<void> {
  const { reporter } = context;
  const { journal } = state;
  reporter.stage("apply", `transaction ${transaction.id}${transaction.done.size > 0 ? ", continued" : ""}`);
  try {
    await apply({
      host,
      journal,
      transaction,
      changes,
      onEffect(effect, phase) {
        reporter.record("effect", { phase, ...effectRecord(effect) });
        reporter.info(`  ${describeEffect(effect)}`);
      },
      gate: gate(host, transaction.header, context),
      interrupted: () => context.signal.aborted,
      now: context.now,
    });
  } catch (error) {
    if (isExpected(error, "INTERRUPTED") || request.keepGoing) throw error;
    throw await restore(request.root, host, state, error, context);
  }
  clearStage(request.root);
  reporter.stage("done", `${transaction.header.node.name} is ${transaction.header.roles.join(", ")}`);
  reporter.record("result", { transaction: transaction.id, changes: transaction.changes.length });
}

function notFit(errors: readonly { check: string }[]): ExpectedError {
  const names = errors.map(({ check }) => check);
  return new ExpectedError("PREFLIGHT", `this host is not fit: ${names.join(", ")}; nothing was changed`, {
    hint: `mend it, or pass it over: ./install … ${names.map((name) => `--skip-preflight ${name}`).join(" ")}`,
  });
}

function busy(): ExpectedError {
  return new ExpectedError("LOCKED", "another installation changed this host in the meantime", {
    hint: "run it again",
  });
}
