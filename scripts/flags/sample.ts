/** Rows chosen by a seed, so that whoever checks them again checks the same ones. */
import { createHash } from "node:crypto";
import type { FlagTable } from "../../builder/config/flag-table.ts";

/** `count` rows of the table, `daemon flag`, in the order of their digests with the seed. */
export function sample(table: FlagTable, seed: string, count: number): string[] {
  const rows = Object.entries(table).flatMap(([daemon, flags]) =>
    Object.keys(flags).map((flag) => `${daemon} ${flag}`),
  );
  const digest = (row: string): string => createHash("sha256").update(`${seed} ${row}`).digest("hex");
  return rows.toSorted((one, other) => digest(one).localeCompare(digest(other), "en")).slice(0, count);
}
