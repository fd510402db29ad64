/** Undo takes apply back: for random hosts and plans, with power cuts in apply, in its continuation, and in undo. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { digestOf } from "#bundle";
import {
  apply,
  begin,
  effectsOf,
  inspectPlan,
  recordAnew,
  resumePlan,
  stepsOf,
} from "../../installer/journal/apply.ts";
import type { Header } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo, undoEffects, type UndoReport } from "../../installer/journal/undo.ts";
import type { Effect } from "../../installer/host/effect.ts";
import { isUnknown, type Plan } from "../../installer/resources/resource.ts";
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
const header = { made: [] as string[] } as unknown as Header;
const cut: fc.Arbitrary<Cut | null> = fc.option(
  fc.record({ effect: fc.nat({ max: 40 }), where: fc.constantFrom("before", "inside", "after") }),
);
const tear = fc.option(fc.record({ append: fc.nat({ max: 40 }), part: fc.float({ min: 0, max: 1, noNaN: true }) }));

interface Performed {
  readonly phase: string;
  readonly effect: Effect;
}

/** What `./install` does with a journal: continue the open transaction, or look, record and begin a new one. */
async function install(host: FakeHost, journal: MemoryJournal, plan: Plan): Promise<Performed[]> {
  const effects: Performed[] = [];
  const open = transactions(journal.read()).find(({ state }) => state === "open");
  const changes = open === undefined ? await inspectPlan(host, plan) : await resumePlan(host, open);
  const transaction = open ?? begin(journal, header, plan, changes, now().toISOString());
  recordAnew(journal, transaction, changes);
  await apply({
    host,
    journal,
    transaction,
    changes,
    onEffect: (effect, phase) => effects.push({ phase, effect }),
    gate: async () => {},
    interrupted: () => false,
    now,
  });
  return effects;
}

async function takeBack(host: FakeHost, journal: MemoryJournal): Promise<UndoReport[]> {
  const reports: UndoReport[] = [];
  const present = transactions(journal.read()).filter(({ state }) => state !== "gone");
  for (const [place, transaction] of present.toReversed().entries()) {
    const following = present.toReversed().slice(place + 1);
    reports.push(await undo({ host, journal, transaction, following, onEffect: () => {}, deleteData: false, now }));
  }
  return reports;
}

/** Runs until it ends (true) or the power goes (false); then the power is back. */
async function untilCut(host: FakeHost, task: () => Promise<unknown>): Promise<boolean> {
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

test("undo restores any host from any plan, whenever the power went, in apply and in undo", async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryHost,
      arbitraryPlan,
      cut,
      cut,
      cut,
      tear,
      fc.boolean(),
      async (hostWish, planWish, first, second, third, torn, reboot) => {
        const host = prepared(hostWish);
        const before = host.picture();
        const plan = makePlan(planWish, host.live);
        host.system.grows = planWish.grows;
        const journal = new MemoryJournal(host);
        journal.tear = torn;
        host.cut = first;
        const done = await untilCut(host, () => install(host, journal, plan));
        if (!done && second !== null) {
          host.cut = { ...second, effect: host.performed.length + second.effect };
          await untilCut(host, () => install(host, journal, plan));
        }
        if (reboot && host.live) host.system.reboot();
        if (third !== null) {
          host.cut = { ...third, effect: host.performed.length + third.effect };
          await untilCut(host, () => takeBack(host, journal));
        }
        journal.tear = null;
        const reports = await takeBack(host, journal);
        assert.deepEqual(
          reports.flatMap(({ problems }) => problems),
          [],
        );
        assert.deepEqual(host.picture(), before);
        assert.ok(transactions(journal.read()).every(({ state }) => state === "gone"));
      },
    ),
    { numRuns: runs(500) },
  );
});

test("apply again after a power cut ends where apply without one does, and then has nothing to do", async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryHost,
      arbitraryPlan,
      cut,
      tear,
      fc.boolean(),
      async (hostWish, planWish, first, torn, reboot) => {
        const smooth = prepared(hostWish);
        const plan = makePlan(planWish, smooth.live);
        await install(smooth, new MemoryJournal(smooth), plan);

        const host = prepared(hostWish);
        const journal = new MemoryJournal(host);
        journal.tear = torn;
        host.cut = first;
        const done = await untilCut(host, () => install(host, journal, plan));
        journal.tear = null;
        // Whoever cut the power may also have switched it on again.
        if (!done && reboot && host.live) host.system.reboot();
        if (!done) await install(host, journal, plan);
        assert.deepEqual(timeless(host), timeless(smooth));
        // What nobody could be asked about is still to be done, and nothing else is.
        const left = await inspectPlan(host, plan, transactions(journal.read()));
        assert.deepEqual(
          left.filter(({ change }) => !isUnknown(change.before)),
          [],
        );
        if (host.system.active.has("one.service") && !hostWish.refuses) assert.deepEqual(left, []);
      },
    ),
    { numRuns: runs(50) },
  );
});

test("dry-run lists exactly the effects that apply or undo then performs, and changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryHost, arbitraryPlan, async (hostWish, planWish) => {
      const host = prepared(hostWish);
      const before = host.picture();
      // Nor does a look at running daemons tell what ends by itself once they have ended.
      const plan = makePlan({ ...planWish, grows: [] }, host.live);
      const steps = await stepsOf(host, plan, await inspectPlan(host, plan));
      // What could not be looked at is told, and the only thing that is decided later.
      const later = new Set(steps.flatMap((step) => ("unknown" in step ? [step.phase] : [])));
      const listed = steps.flatMap((step) => ("effect" in step ? [step] : []));
      assert.deepEqual(host.picture(), before);
      const journal = new MemoryJournal(host);
      const performed = await install(host, journal, plan);
      const refused = hostWish.refuses && !planWish.objects.includes("grant");
      if (refused || !host.system.active.has("one.service"))
        assert.ok(performed.every(({ phase }) => phase !== "objects"));
      assert.deepEqual(
        performed.filter(({ phase }) => !later.has(phase)),
        listed.filter(({ phase }) => !later.has(phase)),
      );
      const [transaction] = transactions(journal.read());
      if (transaction === undefined) throw new Error("no transaction");
      const recorded = transaction.changes.flatMap(({ phase, change }) =>
        effectsOf(change).map((effect) => ({ phase, effect })),
      );
      assert.deepEqual(performed, recorded, "what was decided later is what is recorded");
      assert.deepEqual(
        host.performed,
        performed.map(({ effect }) => effect),
      );
      const wouldUndo = await undoEffects(host, [transaction], { deleteData: false });
      const from = host.performed.length;
      await takeBack(host, journal);
      assert.deepEqual(host.performed.slice(from), wouldUndo);
    }),
    { numRuns: runs(50) },
  );
});

/** The picture without times of writing, and without the age of running programs: two runs do not share them. */
function timeless(host: FakeHost): Record<string, string> {
  const lines = Object.entries(host.picture()).map(([key, value]) => [key, value.replace(/^(file \S+ \S+) \S+/, "$1")]);
  return { ...Object.fromEntries(lines), "active units": [...host.system.active.keys()].toSorted().join(" ") };
}
