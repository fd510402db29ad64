/** Undo takes apply back on the real local host too: files of a scratch root, with the power cut before, in and after effects. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { digestOf } from "#bundle";
import { type Effect, temporaryName } from "../../installer/host/effect.ts";
import type { Host } from "../../installer/host/host.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { apply, begin, inspectPlan, recordAnew, resumePlan } from "../../installer/journal/apply.ts";
import { fileJournal, type Header, type Journal } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo } from "../../installer/journal/undo.ts";
import type { Plan } from "../../installer/resources/resource.ts";
import { arbitraryHost, arbitraryPlan, makeHost, makePlan, planContents } from "../builders/arbitrary-host.ts";
import { Crash, type Cut } from "../fakes/fake-host.ts";
import { pictureOf } from "../programs/tree.ts";
import { runs } from "../programs/runs.ts";

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const now = (): Date => new Date("2026-11-21T00:00:00Z");
const cut = fc.option(
  fc.record({ effect: fc.nat({ max: 40 }), where: fc.constantFrom("before", "inside", "after") } as const),
);
// Only root gives files away.
const hosts = arbitraryHost.map((wish) => ({
  ...wish,
  live: false,
  files: wish.files.map((file) => ({ ...file, owner })),
}));
const plans = arbitraryPlan.map((wish) => ({ ...wish, files: wish.files.map((file) => ({ ...file, owner })) }));

test("undo restores any tree from any plan, whenever the power went, in apply and in undo", async () => {
  await fc.assert(
    fc.asyncProperty(hosts, plans, cut, cut, async (hostWish, planWish, first, second) => {
      const folder = fs.mkdtempSync(join(tmpdir(), "kubeferry-law-"));
      try {
        const root = join(folder, "root");
        const contents = { stage: join(folder, "stage"), before: join(folder, "before") };
        for (const path of [root, contents.stage, contents.before]) fs.mkdirSync(path);
        lay(root, makeHost(hostWish).entries);
        for (const text of planContents) fs.writeFileSync(join(contents.stage, digestOf(text)), text);
        const before = pictureOf(root);
        const host = createLocalHost({ root, contents });
        const journal = fileJournal(join(folder, "journal"));
        const plan = makePlan(planWish, false);
        const done = await untilCut(host, first, (cutting) => install(cutting, journal, plan));
        if (!done && second !== null) await untilCut(host, null, (cutting) => install(cutting, journal, plan));
        await untilCut(host, second, (cutting) => takeBack(cutting, journal));
        await takeBack(host, journal);
        assert.deepEqual(pictureOf(root), before);
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: runs(8) },
  );
});

function lay(root: string, entries: ReturnType<typeof makeHost>["entries"]): void {
  for (const [path, entry] of [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const place = join(root, path);
    if (entry.type === "symlink") fs.symlinkSync(entry.target, place);
    else if (entry.type === "directory") fs.mkdirSync(place, { recursive: true });
    else fs.writeFileSync(place, entry.inode.content);
    if (entry.type === "file") fs.utimesSync(place, 1_500_000_000, 1_500_000_000);
    if (entry.type !== "symlink") fs.chmodSync(place, entry.type === "file" ? entry.inode.mode : entry.mode);
  }
}

async function install(host: Host, journal: Journal, plan: Plan): Promise<void> {
  const open = transactions(journal.read()).find(({ state }) => state === "open");
  const changes = open === undefined ? await inspectPlan(host, plan) : await resumePlan(host, open);
  const header = { made: [] as string[] } as unknown as Header;
  const transaction = open ?? begin(journal, header, plan, changes, now().toISOString());
  recordAnew(journal, transaction, changes);
  const shared = { onEffect: () => {}, gate: async () => {}, interrupted: () => false, now };
  await apply({ host, journal, transaction, changes, ...shared });
}

async function takeBack(host: Host, journal: Journal): Promise<void> {
  for (const transaction of transactions(journal.read()).filter(({ state }) => state !== "gone")) {
    const { problems } = await undo({ host, journal, transaction, onEffect: () => {}, deleteData: false, now });
    assert.deepEqual(problems, []);
  }
}

/** Runs until it ends (true) or the power goes (false): then no effect is performed any more, nor anything recorded. */
async function untilCut(host: Host, when: Cut | null, task: (host: Host) => Promise<void>): Promise<boolean> {
  let count = 0;
  let off = false;
  const perform = async (effect: Effect): Promise<void> => {
    if (off) throw new Crash();
    const where = when?.effect === count ? when.where : null;
    off = where !== null;
    count += 1;
    if (where === "after") await host.perform(effect);
    if (where === "inside" && (effect.do === "write" || effect.do === "symlink" || effect.do === "restore"))
      fs.writeFileSync(join(host.root, temporaryName(effect.path)), "half");
    if (where !== null) throw new Crash();
    await host.perform(effect);
  };
  try {
    await task({ ...host, perform });
    return true;
  } catch (error) {
    if (!(error instanceof Crash) && !(error instanceof assert.AssertionError)) throw error;
    return false;
  }
}
