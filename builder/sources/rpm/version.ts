/** Versions of rpm packages, compared as rpm compares them. */
import { byText } from "../../text-order.ts";

/** `epoch:version-release`; `release` null where a requirement names only a version. */
export interface Evr {
  readonly epoch: number;
  readonly version: string;
  readonly release: string | null;
}

/** A name that a package provides or requires, with a range of versions where it gives one. */
export interface Capability {
  readonly name: string;
  readonly flags: "EQ" | "LT" | "LE" | "GT" | "GE" | null;
  readonly evr: Evr | null;
}

/** `2:1.0-3.el9`, `1.0`. */
export function parseEvr(text: string): Evr {
  const [, epoch = "0", version = "", release] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/.exec(text) ?? [];
  return { epoch: Number(epoch), version, release: release ?? null };
}

export function formatEvr({ epoch, version, release }: Evr): string {
  return `${epoch === 0 ? "" : `${epoch}:`}${version}${release === null ? "" : `-${release}`}`;
}

/** Negative, zero or positive; a side without a release equals any release. */
export function compareEvr(a: Evr, b: Evr): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  const version = compareVersions(a.version, b.version);
  if (version !== 0 || a.release === null || b.release === null) return version;
  return compareVersions(a.release, b.release);
}

/**
 * rpmvercmp: runs of digits are numbers, runs of letters are text, anything else only separates; a number is newer than
 * letters, `~` is older than the end, `^` newer than the end and older than anything more.
 */
export function compareVersions(a: string, b: string): number {
  let left = a;
  let right = b;
  for (;;) {
    left = left.replace(/^[^A-Za-z0-9~^]+/, "");
    right = right.replace(/^[^A-Za-z0-9~^]+/, "");
    for (const [mark, atEnd] of [
      ["~", -1],
      ["^", 1],
    ] as const) {
      if (!left.startsWith(mark) && !right.startsWith(mark)) continue;
      if (left.startsWith(mark) && right.startsWith(mark)) break;
      if (mark === "^" && left === "") return -atEnd;
      if (mark === "^" && right === "") return atEnd;
      return left.startsWith(mark) ? -1 : 1;
    }
    if (left.startsWith("~") || left.startsWith("^")) {
      left = left.slice(1);
      right = right.slice(1);
      continue;
    }
    if (left === "" || right === "") return left.length - right.length;
    const digits = /^\d/.test(left);
    const pattern = digits ? /^\d+/ : /^[A-Za-z]+/;
    const mine = pattern.exec(left)?.[0] ?? "";
    const theirs = pattern.exec(right)?.[0] ?? "";
    if (theirs === "") return digits ? 1 : -1;
    const order = digits ? compareNumbers(mine, theirs) : byText(mine, theirs);
    if (order !== 0) return order;
    left = left.slice(mine.length);
    right = right.slice(theirs.length);
  }
}

/** Whether what is provided meets what is required: the same name, and ranges that overlap. */
export function satisfies(provided: Capability, required: Capability): boolean {
  if (provided.name !== required.name) return false;
  if (provided.evr === null || required.evr === null || provided.flags === null || required.flags === null) return true;
  const order = compareEvr(provided.evr, required.evr);
  if (order === 0) return overlapAtEqual(provided.flags, required.flags);
  // Provided below required: it reaches up to it if it goes upwards, or the requirement goes downwards.
  if (order < 0) return upwards(provided.flags) || downwards(required.flags);
  return downwards(provided.flags) || upwards(required.flags);
}

type Flags = NonNullable<Capability["flags"]>;
const upwards = (flags: Flags): boolean => flags === "GT" || flags === "GE";
const downwards = (flags: Flags): boolean => flags === "LT" || flags === "LE";
const inclusive = (flags: Flags): boolean => flags === "EQ" || flags === "LE" || flags === "GE";

function overlapAtEqual(a: Flags, b: Flags): boolean {
  return (inclusive(a) && inclusive(b)) || (upwards(a) && upwards(b)) || (downwards(a) && downwards(b));
}

function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  return left.length - right.length || byText(left, right);
}
