/** A bundle over another one, whenever the power goes: it completes, or rollback brings the older one back, and undo the host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Digest, digestOf } from "#bundle";
import type { Effect } from "../../installer/host/effect.ts";
import { apply, begin, inspectPlan, recordAnew, resumePlan, stepsOf } from "../../installer/journal/apply.ts";
import { installedGoals, onHost } from "../../installer/journal/installed.ts";
import type { Header } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo } from "../../installer/journal/undo.ts";
import { goalsIn, idsOf } from "../../installer/resources/catalogue.ts";
import type { Plan } from "../../installer/resources/resource.ts";
import { overOlder } from "../../installer/plan/upgrade.ts";
import {
  arbitraryHost,
  arbitraryPlan,
  type HostWish,
  makeHost,
  makePlan,
  planContents,
} from "../builders/arbitrary-host.ts";
import { Crash, type Cut, type FakeHost } from "../fakes/fake-host.ts";
import { MemoryJournal } from "../fakes/memory-journal.ts";
import { runs } from "../programs/runs.ts";

const now = (): Date => new Date("2026-11-21T00:00:00Z");
const cut: fc.Arbitrary<Cut | null> = fc.option(
  fc.record({ effect: fc.nat({ max: 40 }), where: fc.constantFrom("before", "inside", "after") }),
);
const payloads = { older: digestOf("older"), newer: digestOf("newer") };

/** Without objects of the cluster: the newer of two unrelated plans may take away the very unit that answers for them. */
const newerPlan = arbitraryPlan.map((wish) => ({ ...wish, objects: [] }));
/** Units that it brings also run it: what somebody else started with other files could not be started again so. */
const olderPlan = newerPlan.map((wish) => ({ ...wish, start: true }));

function headerOf(payload: Digest): Header {
  return { made: [], bundle: { payload }, roles: ["worker"], checks: [], notes: [] } as unknown as Header;
}

/** What `./install` does: go on with the open transaction, or plan over what is installed and begin a new one. */
async function install(host: FakeHost, journal: MemoryJournal, payload: Digest, bundlePlan: Plan): Promise<Effect[]> {
  const effects: Effect[] = [];
  const past = transactions(journal.read());
  const plan = overOlder({ planned: bundlePlan, past, payload, roles: ["worker"], live: host.live, now: now() });
  const open = past.find(({ state }) => state === "open");
  const changes = open === undefined ? await inspectPlan(host, plan, past) : await resumePlan(host, open);
  const transaction = open ?? begin(journal, headerOf(payload), plan, changes, now().toISOString());
  recordAnew(journal, transaction, changes);
  await apply({
    host,
    journal,
    transaction,
    changes,
    onEffect: (effect) => effects.push(effect),
    gate: async () => {},
    interrupted: () => false,
    now,
  });
  return effects;
}

/** `rollback`, or with `all` `undo`. */
async function takeBack(host: FakeHost, journal: MemoryJournal, all: boolean): Promise<void> {
  const present = onHost(transactions(journal.read())).toReversed();
  const chosen = all ? present : present.filter(({ header }) => header.bundle.payload === payloads.newer);
  for (const [place, transaction] of chosen.entries()) {
    const following = chosen.slice(place + 1);
    const report = await undo({ host, journal, transaction, following, onEffect: () => {}, deleteData: false, now });
    if (host.off) throw new Crash();
    assert.deepEqual(report.problems, []);
  }
}

/** Runs until it ends (true) or the power goes (false); then the power is back. */
async function untilCut(host: FakeHost, when: Cut | null, task: () => Promise<unknown>): Promise<boolean> {
  host.cut = when === null ? null : { ...when, effect: host.performed.length + when.effect };
  try {
    await task();
    return !host.off;
  } catch (error) {
    if (error instanceof Crash) return false;
    throw error;
  } finally {
    host.cut = null;
    host.off = false;
  }
}

function prepared(wish: HostWish): FakeHost {
  const host = makeHost(wish);
  for (const text of planContents) host.staged.set(digestOf(text), text);
  return host;
}

test("rollback restores the older bundle from any moment of an upgrade, and undo then the host", async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryHost,
      olderPlan,
      newerPlan,
      cut,
      cut,
      cut,
      async (hostWish, olderWish, newerWish, first, second, third) => {
        const host = prepared(hostWish);
        const start = host.picture();
        const journal = new MemoryJournal(host);
        await install(host, journal, payloads.older, makePlan(olderWish, host.live));
        const older = host.picture();
        const newer = makePlan(newerWish, host.live);
        const done = await untilCut(host, first, () => install(host, journal, payloads.newer, newer));
        if (!done && second !== null) {
          await untilCut(host, second, () => install(host, journal, payloads.newer, newer));
        }
        if (third !== null) await untilCut(host, third, () => takeBack(host, journal, false));
        await takeBack(host, journal, false);
        assert.deepEqual(host.picture(), older);
        await takeBack(host, journal, true);
        assert.deepEqual(host.picture(), start);
      },
    ),
    { numRuns: runs(150) },
  );
});

test("undo restores the host from any moment of an upgrade, both bundles at once, and starts nothing of theirs in between", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHost, olderPlan, newerPlan, cut, cut, async (hostWish, a, b, first, second) => {
      const host = prepared(hostWish);
      const start = host.picture();
      const running = new Set(host.system.active.keys());
      const journal = new MemoryJournal(host);
      await install(host, journal, payloads.older, makePlan(a, host.live));
      await untilCut(host, first, () => install(host, journal, payloads.newer, makePlan(b, host.live)));
      const upTo = host.performed.length;
      await untilCut(host, second, () => takeBack(host, journal, true));
      await takeBack(host, journal, true);
      assert.deepEqual(host.picture(), start);
      for (const effect of host.performed.slice(upTo)) {
        const [program, verb, unit] = effect.do === "run" ? effect.argv : [];
        if (program === "systemctl" && /^(re)?start$/.test(verb ?? "")) assert.ok(running.has(unit ?? ""), unit);
      }
    }),
    { numRuns: runs(100) },
  );
});

test("an upgrade that was cut off and run again ends where one without a cut does, with nothing of the older bundle", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHost, newerPlan, newerPlan, cut, async (hostWish, olderWish, newerWish, first) => {
      const run = async (when: Cut | null): Promise<{ host: FakeHost; journal: MemoryJournal }> => {
        const host = prepared(hostWish);
        const journal = new MemoryJournal(host);
        await install(host, journal, payloads.older, makePlan(olderWish, host.live));
        const newer = makePlan(newerWish, host.live);
        if (!(await untilCut(host, when, () => install(host, journal, payloads.newer, newer)))) {
          await install(host, journal, payloads.newer, newer);
        }
        return { host, journal };
      };
      const { host, journal } = await run(first);
      assert.deepEqual(timeless(host), timeless((await run(null)).host));

      const newer = makePlan(newerWish, host.live);
      const wanted = new Set(filePaths(newer));
      const before = prepared(hostWish);
      for (const path of filePaths(makePlan(olderWish, host.live)).filter((path) => !wanted.has(path))) {
        assert.equal(host.text(path), before.text(path), `${path} is of the older bundle`);
      }
      const installed = [...installedGoals(transactions(journal.read())).values()];
      const files = idsOf("file", installed).map(({ path }) => path);
      assert.deepEqual(files.toSorted(), filePaths(newer).toSorted());
    }),
    { numRuns: runs(70) },
  );
});

test("what was set in a cluster that serves all the while goes with the bundle that wanted it, and comes back with it", async () => {
  // A key that comes with a module had no value before: it goes with the module, and only so.
  const serving = arbitraryPlan.map((wish) => ({
    ...{ ...wish, units: ["one.service"], start: true, files: [], hostname: false, policy: "set" as const },
    sysctls: wish.sysctls
      .filter((key) => !key.startsWith("net.bridge"))
      .concat(wish.modules.includes("br_netfilter") ? ["net.bridge.bridge-nf-call-iptables"] : []),
  }));
  await fc.assert(
    fc.asyncProperty(
      arbitraryHost,
      serving,
      serving,
      cut,
      cut,
      async (hostWish, olderWish, newerWish, first, second) => {
        const host = prepared({ ...hostWish, live: true, refuses: false });
        const start = host.picture();
        const journal = new MemoryJournal(host);
        await install(host, journal, payloads.older, makePlan(olderWish, true));
        const older = host.picture();
        const newer = makePlan(newerWish, true);
        if (!(await untilCut(host, first, () => install(host, journal, payloads.newer, newer)))) {
          await install(host, journal, payloads.newer, newer);
        }
        const alone = prepared({ ...hostWish, live: true, refuses: false });
        await install(alone, new MemoryJournal(alone), payloads.newer, newer);
        assert.deepEqual(given(host), given(alone), "as if there had never been an older bundle");
        await untilCut(host, second, () => takeBack(host, journal, false));
        await takeBack(host, journal, false);
        assert.deepEqual(host.picture(), older);
        await takeBack(host, journal, true);
        assert.deepEqual(host.picture(), start);
      },
    ),
    { numRuns: runs(70) },
  );
});

/** What is given back: settings of the kernel, hosts, the time daemon, and all in the cluster. */
function given(host: FakeHost): Record<string, string | null> {
  const { modules, sysctls, ...picture } = host.picture();
  const names = ["objects of the cluster", "labels of n1", "keys of etcd", "folders of etcd"];
  const unit = [host.system.active.has("time.service"), host.text("/etc/time.conf"), host.text("/etc/hosts")];
  return {
    modules: modules ?? "",
    sysctls: sysctls ?? "",
    unit: unit.join(),
    ...Object.fromEntries(names.map((name) => [name, picture[name] ?? ""])),
  };
}

test("what a dry run lists of an upgrade is what is then performed", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHost, olderPlan, newerPlan, async (hostWish, olderWish, newerWish) => {
      const host = prepared(hostWish);
      const journal = new MemoryJournal(host);
      await install(host, journal, payloads.older, makePlan(olderWish, host.live));
      const planned = makePlan(newerWish, host.live);
      const past = transactions(journal.read());
      const { newer: payload } = payloads;
      const plan = overOlder({ planned, past, payload, roles: ["worker"], live: host.live, now: now() });
      const steps = await stepsOf(host, plan, await inspectPlan(host, plan));
      const listed = steps.flatMap((step) => ("effect" in step ? [step.effect] : []));
      assert.deepEqual(await install(host, journal, payload, planned), listed);
    }),
    { numRuns: runs(30) },
  );
});

function filePaths(plan: Plan): string[] {
  return idsOf("file", goalsIn(plan)).map(({ path }) => path);
}

/** The picture without times of writing, which two runs do not share. */
function timeless(host: FakeHost): Record<string, string> {
  return Object.fromEntries(
    Object.entries(host.picture()).map(([key, value]) => [key, value.replace(/^(file \S+ \S+) \S+/, "$1")]),
  );
}
