/**
 * Opens ports on the host that it runs on, and takes that back: `apply`, `undo`, or a number, of effects after which it
 * is cut off. `ipv6` before the ports: of a node with IPv6 alone. To be run where /etc and the network are a test's own.
 */
import { join } from "node:path";
import { apply, begin, effectsOf, inspectPlan, recordAnew, resumePlan } from "../../installer/journal/apply.ts";
import { fileJournal, type Header } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo } from "../../installer/journal/undo.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { goal } from "../../installer/resources/catalogue.ts";
import type { Plan } from "../../installer/resources/resource.ts";

const [folder = "", what = "", ...words] = process.argv.slice(2);
const id = words[0] === "ipv6" ? { ports: words.slice(1), ipv6: true as const } : { ports: words };
const host = createLocalHost({ root: "/", contents: { stage: join(folder, "stage"), before: join(folder, "before") } });
const journal = fileJournal(join(folder, "journal"));
const now = (): Date => new Date();
const past = transactions(journal.read());

if (what === "undo") {
  for (const transaction of past.filter(({ state }) => state !== "gone").toReversed()) {
    const { problems } = await undo({ host, journal, transaction, onEffect: () => {}, deleteData: false, now });
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
  }
} else {
  const plan: Plan = { phases: [{ name: "prepare", goals: [goal("nftables", id)], gates: [] }] };
  const open = past.find(({ state }) => state === "open");
  const changes = open === undefined ? await inspectPlan(host, plan) : await resumePlan(host, open);
  process.stdout.write(JSON.stringify(changes.flatMap(({ change }) => effectsOf(change))));
  const header = { made: [] as string[] } as unknown as Header;
  const transaction = open ?? begin(journal, header, plan, changes, now().toISOString());
  recordAnew(journal, transaction, changes);
  let left = what === "apply" ? Infinity : Number(what);
  const onEffect = (): void => {
    if (left === 0) process.exit(3);
    left -= 1;
  };
  await apply({ host, journal, transaction, changes, onEffect, gate: async () => {}, interrupted: () => false, now });
}
