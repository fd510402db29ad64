/** After a change was taken back, what was there before is waited for, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context } from "../../../installer/context.ts";
import { begin, inspectPlan } from "../../../installer/journal/apply.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import { stateOf } from "../../../installer/journal/state.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import { reportHealth } from "../../../installer/transaction/serving.ts";
import { FakeHost } from "../../fakes/fake-host.ts";
import { MemoryJournal } from "../../fakes/memory-journal.ts";

/** What is said of an installation after which, or of which, something was taken back. */
async function saidOf(records: readonly ("commit" | "undo")[]): Promise<string[]> {
  const host = new FakeHost();
  const journal = new MemoryJournal(host);
  const spec = { path: "/etc/one", mode: 0o755, owner: { uid: 0, gid: 0 }, implied: false };
  const plan = { phases: [{ name: "all", goals: [goal("directory", spec)], gates: [] }] };
  const header = { made: [], checks: [], roles: ["etcd"], notes: [] } as unknown as Header;
  const at = "2026-11-21T00:00:00Z";
  const { id } = begin(journal, header, plan, await inspectPlan(host, plan), at);
  journal.append(...records.map((type) => ({ type, id, at })));
  const said: string[] = [];
  const tell = (text: string): void => void said.push(text);
  const reporter = { stage: tell, info: tell, warn: tell, record: () => {} };
  const context = { reporter, signal: AbortSignal.timeout(60_000) } as unknown as Context;
  await reportHealth(host, { ...stateOf("/"), journal }, context);
  return said;
}

test("an installation that is left is asked whether it serves", async () => {
  assert.match((await saidOf(["commit"])).join(), /what was installed before/);
});

test("one that could not be taken back whole is not what was installed before", async () => {
  assert.deepEqual(await saidOf(["undo"]), []);
});
