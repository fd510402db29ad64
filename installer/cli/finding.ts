/** What a look at something found: at a host in preflight, health checks and audits, at a bundle before it is packed. */
import { type ErrorCode, ExpectedError } from "./errors.ts";
import { type Language, padded } from "./language/language.ts";
import type { Reporter } from "./reporter.ts";

export interface Finding {
  /** Stable name of the check: what `--skip-preflight` takes. */
  readonly check: string;
  readonly severity: "ok" | "warning" | "error";
  /** For people; it names whatever it speaks of. */
  readonly message: string;
  /** For machines: the file, unit or object that it speaks of, where that is not the host itself. */
  readonly where?: string;
  readonly expected?: string;
  readonly found?: string;
  /** A command to paste, where there is one. */
  readonly hint?: string;
}

/** What a finding says beside its name and message. */
export type FindingDetails = Pick<Finding, "where" | "expected" | "found" | "hint">;

export function ok(check: string, message: string): Finding {
  return { check, severity: "ok", message };
}

export function warning(check: string, message: string, details: FindingDetails = {}): Finding {
  return { check, severity: "warning", message, ...details };
}

export function error(check: string, message: string, details: FindingDetails = {}): Finding {
  return { check, severity: "error", message, ...details };
}

/** Tells findings: people see what is wrong (with `all`, also what is right), machines see everything. */
export function reportFindings(findings: readonly Finding[], reporter: Reporter, all = false): void {
  const { say, columnsOf } = reporter.language;
  const called = ({ check }: Finding): string => calledIn(check, reporter.language);
  const width = Math.max(0, ...findings.map((finding) => columnsOf(called(finding))));
  for (const finding of findings) {
    reporter.record("finding", { ...finding });
    if (finding.severity === "ok" && !all) continue;
    const detail = [
      ...(finding.expected === undefined ? [] : [say("expected ") + say(finding.expected)]),
      ...(finding.found === undefined ? [] : [say("found ") + say(finding.found)]),
    ].join(say(", "));
    const said = say(finding.message) + (detail === "" ? "" : say(" (") + detail + say(")"));
    reporter.info(
      `  ${padded(say(finding.severity), 7, reporter.language)}  ${padded(called(finding), width, reporter.language)}  ${said}`,
    );
    if (finding.hint !== undefined)
      reporter.info(`           ${" ".repeat(width)}  ${say("next: ")}${say(finding.hint)}`);
  }
}

/** A bundle's own health checks are called by a sentence, others by a name that is the same in every language. */
export function calledIn(check: string, { say }: Language): string {
  return check.includes(" ") ? say(check) : check;
}

/** Those of severity error. */
export function errorsIn<One extends { readonly severity: Finding["severity"] }>(findings: readonly One[]): One[] {
  return findings.filter(({ severity }) => severity === "error");
}

/** How many errors there are, and the first five of them. */
export function failing(findings: readonly Finding[]): string {
  const errors = errorsIn(findings);
  const shown = errors.slice(0, 5).map(({ check, message }) => `${check}: ${message}`);
  return `${errors.length} found: ${shown.join("; ")}${errors.length > shown.length ? "; …" : ""}`;
}

/** Throws `code` where there is an error among the findings, with the first hint that one of them has. */
export function refuseErrors(findings: readonly Finding[], code: ErrorCode): void {
  const errors = errorsIn(findings);
  if (errors.length === 0) return;
  throw new ExpectedError(code, failing(errors), { hint: errors.find(({ hint }) => hint !== undefined)?.hint });
}
