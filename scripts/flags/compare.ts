/** The table of flags against what upstream says of them. */
import { compareVersions, isSince } from "#formats/version";
import type { FlagTable } from "../../builder/config/flag-table.ts";
import type { Evidence } from "./evidence.ts";

export interface Difference {
  readonly daemon: string;
  readonly flag: string;
  /** `denied`: there, and refused by the table; `gone`: not there, and accepted; `missing`: in no row; `unseen`: only pages lack it. */
  readonly kind: "denied" | "gone" | "missing" | "unseen";
  readonly minors: readonly string[];
  /** Where it was seen first and last. */
  readonly cited: readonly string[];
}

type Row = FlagTable[string][string];

/** Every difference of one daemon, in the table's order and then what it lacks. */
export function differencesOf(daemon: string, rows: FlagTable[string], evidence: Evidence): Difference[] {
  const known = Object.entries(rows).flatMap(([flag, row]) => {
    const seen = seenIn(flag, evidence);
    const where = [...evidence.read].toSorted(compareVersions);
    const pick = (kind: Difference["kind"], is: (minor: string) => boolean): Difference[] => {
      const minors = where.filter(is);
      return minors.length === 0 ? [] : [{ daemon, flag, kind, minors, cited: citesOf(flag, evidence) }];
    };
    return [
      ...pick("denied", (minor) => seen.has(minor) && !says(row, minor)),
      ...pick("gone", (minor) => !seen.has(minor) && says(row, minor) && evidence.whole.has(minor)),
      ...pick("unseen", (minor) => !seen.has(minor) && says(row, minor) && !evidence.whole.has(minor)),
    ];
  });
  const missing = [...evidence.sightings]
    .filter(([flag]) => rows[flag] === undefined)
    .map(([flag, sightings]) => {
      const minors = [...new Set(sightings.map(({ minor }) => minor))].toSorted(compareVersions);
      return { daemon, flag, kind: "missing" as const, minors, cited: citesOf(flag, evidence) };
    });
  return [...known, ...missing];
}

/** Minors that have the flag. Where a minor's sources were read whole they decide, since pages are at times those of an earlier one. */
export function seenIn(flag: string, { sightings, whole }: Evidence): ReadonlySet<string> {
  const seen = (sightings.get(flag) ?? []).filter(({ kind, minor }) => kind === "sources" || !whole.has(minor));
  return new Set(seen.map(({ minor }) => minor));
}

/** Whether the table has it in a minor. */
export function says({ added, removed }: Row, minor: string): boolean {
  return (added === undefined || isSince(minor, added)) && (removed === undefined || !isSince(minor, removed));
}

/** The first and the last place where it was seen, by minor. */
export function citesOf(flag: string, { sightings }: Evidence): string[] {
  const sorted = (sightings.get(flag) ?? []).toSorted((one, other) => compareVersions(one.minor, other.minor));
  return [
    ...new Set([sorted[0], sorted.at(-1)].flatMap((one) => (one === undefined ? [] : [`${one.minor} ${one.cited}`]))),
  ];
}
