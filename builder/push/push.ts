/** `kubeferry push`: from a bastion inside the gap to every host. Read this file to know what happens, in which order. */
import pLimit from "p-limit";
import { type BundleIndex, formatPublicKey, openBundle, requireWhole, selects, type Trust } from "#bundle";
import { ExpectedError, isExpected } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import { Exit, reporterFor, type Surroundings } from "#cli/run";
import { explainedBySystem } from "#cli/system-error";
import type { Lacking } from "./carry.ts";
import { gatherCredentials, nodeKey } from "./credentials.ts";
import { readKnownHosts } from "./host-key.ts";
import { carryTo, installOn, type Task } from "./host-task.ts";
import { type Host, loadInventory } from "./inventory.ts";
import { groupsOf } from "./order.ts";
import { exitCodeOver, onHost, type Outcome } from "./outcome.ts";
import { refusedForKeys } from "./same-keys.ts";
import type { Action } from "./run-installer.ts";
import { createView } from "./view.ts";

export interface PushRequest {
  readonly bundle: string;
  readonly hosts: string;
  /** Null: the parts are carried, and nothing is run. */
  readonly action: Action | null;
  /** Labels of hosts; empty: all. */
  readonly only: readonly string[];
  readonly dryRun: boolean;
  /** Hosts at a time that are carried to, and workers that are changed. */
  readonly parallel: number;
  /** Workers go on after one whose `./install` failed. */
  readonly keepGoing: boolean;
  readonly json: boolean;
  readonly trust: Trust | null;
}

/** Ends with the gravest exit code of all hosts; what went wrong on each is told when it does. */
export async function push(request: PushRequest, surroundings: Surroundings): Promise<void> {
  const { action, trust, dryRun } = request;
  const first = reporterFor(surroundings, request);
  const bundle = await openBundle(request.bundle, [trust]);
  const { index } = bundle;
  const inventory = await loadInventory(request.hosts, index);
  const hosts = chosen(inventory.hosts, request.only);
  const known = { text: readKnownHosts(inventory.knownHosts), path: inventory.knownHosts };
  const changes = action === "install" || action === "upgrade";
  const keys = new Map(
    changes ? hosts.map((host) => [host, needsKey(index, host) ? nodeKey(inventory.keys, host.node) : null]) : [],
  );
  const credentials = await gatherCredentials({ ...inventory, hosts }, surroundings);
  first.stage("verify", `every byte of ${request.bundle}`);
  await requireWhole(bundle, { reporter: first, signal: surroundings.signal });

  const view = createView(
    surroundings,
    hosts.map(({ label }) => label),
    request.json,
  );
  const reporter = reporterFor(view.surroundings, request);
  const task: Task = {
    bundle,
    access: { credentials, known, signal: surroundings.signal },
    dryRun,
    reporter,
    view,
    publicKeys: (trust?.keys ?? []).map(formatPublicKey),
    require: trust?.require,
  };
  const outcomes = new Map<Host, Outcome>();
  const settle = (host: Host, outcome: Outcome): void => {
    outcomes.set(host, outcome);
    view.show(host.label, null);
    tell(host, outcome, task);
  };
  /** What `work` gives, or null after its failure was told: nobody else waits for it. */
  const attempt = async <Value>(host: Host, work: () => Promise<Value>): Promise<Value | null> => {
    try {
      return await work();
    } catch (thrown) {
      const error = explainedBySystem(thrown, host.label);
      if (!isExpected(error)) throw error;
      settle(host, { state: "failed", error: onHost(error, host) });
      return null;
    }
  };
  try {
    const carried =
      action === "audit"
        ? new Map(hosts.map((host) => [host, nothing]))
        : await carryToAll(hosts, request, task, attempt);
    if (action === null) {
      for (const [host, lacking] of carried) settle(host, { state: "done", carried: lacking, effects: null, note: "" });
    } else {
      await changeInOrder({ hosts, carried, request: { ...request, action }, keys, task, attempt, settle, outcomes });
    }
  } finally {
    view.close();
  }
  summarize(hosts, outcomes, task);
}

const nothing: Lacking = { parts: 0, bytes: 0 };
type Attempt = <Value>(host: Host, work: () => Promise<Value>) => Promise<Value | null>;

/** Every host at once, so many at a time: what one lacks keeps no other from getting its own. */
async function carryToAll(
  hosts: readonly Host[],
  { parallel, action }: PushRequest,
  task: Task,
  attempt: Attempt,
): Promise<Map<Host, Lacking>> {
  const limit = pLimit(parallel);
  const { reporter, dryRun, view } = task;
  const carried = new Map<Host, Lacking>();
  reporter.stage("carry", `to ${hosts.length} hosts, only what each lacks`);
  const one = async (host: Host): Promise<void> => {
    view.show(host.label, "connects");
    const lacking = await attempt(host, () => carryTo(host, task));
    view.show(host.label, null);
    if (lacking === null) return;
    carried.set(host, lacking);
    reporter.record("carried", { host: host.label, ...lacking, dryRun });
    if (action !== null || dryRun) reporter.info(`${host.label}: ${carriedText(lacking, dryRun)}`);
  };
  await Promise.all(hosts.map((host) => limit(() => one(host))));
  return carried;
}

interface Changing {
  readonly hosts: readonly Host[];
  readonly carried: ReadonlyMap<Host, Lacking>;
  readonly request: PushRequest & { readonly action: Action };
  readonly keys: ReadonlyMap<Host, string | null>;
  readonly task: Task;
  readonly attempt: Attempt;
  readonly settle: (host: Host, outcome: Outcome) => void;
  readonly outcomes: ReadonlyMap<Host, Outcome>;
}

/**
 * Group by group. A failure in etcd or the control plane, of whatever kind, stops all that is not begun. A worker that could not
 * be reached or filled is left out; one whose ./install failed stops the workers that are not begun, unless `keepGoing`.
 * Audits change nothing: no failure stops them. Where one host is not ready for the bundle's keys, none is changed.
 */
async function changeInOrder({
  hosts,
  carried,
  request,
  keys,
  task,
  attempt,
  settle,
  outcomes,
}: Changing): Promise<void> {
  const { action, parallel, keepGoing, dryRun } = request;
  const gates = action !== "audit" && !dryRun;
  let stopped: string | null = null;
  if (action === "upgrade" && gates) {
    const ready = hosts.filter((host) => carried.has(host));
    for (const [host, error] of await refusedForKeys(ready, keys, parallel, task)) {
      settle(host, { state: "failed", error: onHost(error, host) });
      stopped ??= `${host.label} is not ready for the keys of this bundle`;
    }
  }
  const one = async (host: Host): Promise<void> => {
    const lacking = carried.get(host);
    if (lacking === undefined || outcomes.has(host)) return;
    if (task.access.signal.aborted) return settle(host, { state: "left-out", why: "stopped by a signal" });
    if (stopped !== null) return settle(host, { state: "left-out", why: stopped });
    if (dryRun && lacking.parts > 0) {
      const note = "what ./install would do can be shown once the parts are there";
      return settle(host, { state: "done", carried: lacking, effects: null, note });
    }
    const effects = await attempt(host, () => installOn(host, action, keys.get(host) ?? null, task));
    if (effects !== null) settle(host, { state: "done", carried: lacking, effects, note: "" });
    else if (gates && !keepGoing) stopped ??= `${host.label} failed`;
  };
  // An audit looks at many at once; a host that is changed is one of etcd or the control plane at a time.
  const groups = action === "audit" ? [{ name: "all hosts", hosts, parallel }] : groupsOf(hosts, parallel);
  for (const group of groups) {
    task.reporter.stage(action, `${group.name}: ${group.hosts.map(({ label }) => label).join(", ")}`);
    const serial = group.name === "etcd" || group.name === "control plane";
    const absent = group.hosts.find((host) => !carried.has(host));
    if (gates && serial && absent !== undefined) stopped ??= `${absent.label} failed`;
    const limit = pLimit(group.parallel);
    await Promise.all(group.hosts.map((host) => limit(() => one(host))));
    if (gates && serial && group.hosts.some((host) => outcomes.get(host)?.state === "failed"))
      stopped ??= `${group.name} failed`;
  }
}

function chosen(hosts: readonly Host[], only: readonly string[]): readonly Host[] {
  const unknown = only.find((label) => !hosts.some((host) => host.label === label));
  if (unknown !== undefined) {
    const expected = hosts.map(({ label }) => label).join(", ");
    throw new ExpectedError("USAGE", `${unknown} is no host of hosts.yaml`, { expected });
  }
  return only.length === 0 ? hosts : hosts.filter(({ label }) => only.includes(label));
}

/** Whether what the node gets is sealed. */
function needsKey(index: BundleIndex, { node, roles }: Host): boolean {
  const sealed = index.secrets.some((one) => one.node === node && one.sealed);
  return (
    sealed &&
    index.files.some((file) => file.sensitive && index.platforms.some((on) => selects(file.for, node, roles, on)))
  );
}

function carriedText({ parts, bytes }: Lacking, dryRun: boolean): string {
  if (parts === 0) return "has every part already";
  const what = `${parts} ${parts === 1 ? "part" : "parts"}, ${formatBytes(bytes)}`;
  return dryRun ? `lacks ${what}` : `got ${what}`;
}

function tell(host: Host, outcome: Outcome, { reporter, dryRun }: Task): void {
  const { label, login } = host;
  const record = { host: label, address: login.address, state: outcome.state };
  switch (outcome.state) {
    case "failed":
      reporter.error(outcome.error);
      return reporter.record("host", { ...record, code: outcome.error.code, exitCode: outcome.error.exitCode });
    case "left-out":
      reporter.warn(`${label}: not begun, because ${outcome.why}`);
      return reporter.record("host", { ...record, why: outcome.why });
    case "done": {
      const { carried, effects, note } = outcome;
      reporter.record("host", { ...record, ...carried, effects });
      const ran =
        effects === null
          ? ""
          : effects === 0
            ? "; ./install changed nothing"
            : `; ./install ${dryRun ? "would make" : "made"} ${effects} changes`;
      reporter.info(`${label}: done: ${carriedText(carried, dryRun)}${ran}${note === "" ? "" : `; ${note}`}`);
    }
  }
}

/** The last lines, and the exit code. */
function summarize(hosts: readonly Host[], outcomes: Map<Host, Outcome>, { reporter, dryRun, access }: Task): void {
  for (const host of hosts)
    if (!outcomes.has(host)) outcomes.set(host, { state: "left-out", why: "stopped by a signal" });
  const those = (state: Outcome["state"]): string[] =>
    hosts.filter((host) => outcomes.get(host)?.state === state).map(({ label }) => label);
  const [done, failed, leftOut] = [those("done"), those("failed"), those("left-out")];
  const bytes = [...outcomes.values()].reduce((sum, one) => sum + (one.state === "done" ? one.carried.bytes : 0), 0);
  reporter.record("pushed", { done, failed, leftOut, bytes, dryRun });
  const list = (what: string, labels: readonly string[]): string[] =>
    labels.length === 0 ? [] : [`${labels.length} ${what}: ${labels.join(", ")}`];
  reporter.info([...list("done", done), ...list("failed", failed), ...list("not begun", leftOut)].join("; "));
  const code = access.signal.aborted ? 130 : exitCodeOver(outcomes.values());
  if (code === 0) return;
  reporter.info("run the same command again: it goes on with what is missing");
  throw new Exit(code);
}
