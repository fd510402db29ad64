/** The power goes while `./install` works: at the N-th effect, as the installer itself announces it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../../scripts/vm/machine.ts";
import { decodeRecords } from "../../installer/journal/journal.ts";

const progress = "/run/install.progress";

export interface Cut {
  /** How many announcements of this type are waited for: `effect`, or `stage` for what is before the first effect. */
  readonly type: "effect" | "stage";
  readonly count: number;
  /** Milliseconds from the announcement to the cut, so that some effects are not begun and some are half done. */
  readonly delay: number;
}

/** Runs `./install …` with `--json` and cuts the power. Throws when the command ended before it came to that. */
export async function cutDuring(machine: Machine, argv: readonly string[], cut: Cut): Promise<void> {
  await machine.run(`: > ${progress}`);
  const { promise: reached, resolve } = Promise.withResolvers<true>();
  let seen = 0;
  let rest = "";
  const watch = await machine.follow(progress, (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    seen += lines.filter((line) => line.includes(`"type":"${cut.type}"`)).length;
    if (seen >= cut.count) resolve(true);
  });
  const ended = machine
    .exec(["/bin/bash", "-c", `${[...argv, "--json"].join(" ")} > ${progress}`], { timeoutSeconds: 900 })
    .catch(() => null); // The agent goes with the machine.
  const result = await Promise.race([reached, ended]);
  if (result === true) await sleep(cut.delay);
  await machine.powerCut();
  watch.stop();
  if (result !== true) {
    throw new Error(`${argv.join(" ")} ended after ${seen} of ${cut.count} ${cut.type}s: ${JSON.stringify(result)}`);
  }
}

/** How many announcements of a type a whole run of the command makes. */
export async function countEffects(machine: Machine, argv: readonly string[]): Promise<number> {
  const output = await machine.run(
    `${[...argv, "--json"].join(" ")} 2> /run/install.errors || { cat /run/install.errors >&2; exit 1; }`,
    { timeoutSeconds: 900 },
  );
  return output.split("\n").filter((line) => line.includes('"type":"effect"')).length;
}

/** What the journal on the disk says: changes done and taken back, of the newest transaction. */
export async function journalPosition(machine: Machine): Promise<string> {
  const text = await machine.run("cat /var/lib/kubeferry/journal 2> /dev/null || true");
  const records = decodeRecords(text);
  const last = records.at(-1)?.id;
  const count = (type: string): number => records.filter((record) => record.id === last && record.type === type).length;
  if (last === undefined) return "no journal";
  return `transaction ${last}: ${count("change")} changes, ${count("done")} done, ${count("undone")} undone`;
}
