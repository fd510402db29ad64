/** How it went on each host, and the exit code of it all. */
import { ExpectedError } from "#cli/errors";
import type { Host } from "./inventory.ts";
import type { Lacking } from "./carry.ts";

export type Outcome =
  | { readonly state: "done"; readonly carried: Lacking; readonly effects: number | null; readonly note: string }
  | { readonly state: "failed"; readonly error: ExpectedError }
  /** Not begun, because of another host or of Ctrl-C. */
  | { readonly state: "left-out"; readonly why: string };

/** What ends a command gravest first: a host between two states before one that was restored, before one that was not touched. */
const gravest = [1, 130, 8, 7, 9, 5, 6, 4, 3, 2];

/** 0 where every host is done. */
export function exitCodeOver(outcomes: Iterable<Outcome>): number {
  const codes = [...outcomes].flatMap((one) => (one.state === "failed" ? [one.error.exitCode] : []));
  return gravest.find((code) => codes.includes(code)) ?? 0;
}

/** The error with the host before its own place. */
export function onHost(error: ExpectedError, { label, login }: Host): ExpectedError {
  const { code, summary, where, hint, expected, found, problems, cause } = error;
  const host = `${label} (${login.address}:${login.port})`;
  const place = where === undefined || where === `${login.address}:${login.port}` ? host : `${host}: ${where}`;
  return new ExpectedError(code, summary, { where: place, hint, expected, found, problems, cause });
}
