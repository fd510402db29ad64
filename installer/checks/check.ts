/** What a look at a host found: in preflight, health checks and audits alike. */
import { padded } from "#cli/language/language";
import type { Reporter } from "#cli/reporter";

export interface Finding {
  /** Stable name of the check: what `--skip-preflight` takes. */
  readonly check: string;
  readonly severity: "ok" | "warning" | "error";
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  /** A command to paste, where there is one. */
  readonly hint?: string;
}

/** What a finding says beside its name and message. */
export type FindingDetails = Pick<Finding, "expected" | "found" | "hint">;

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
  const { say } = reporter.language;
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  for (const finding of findings) {
    reporter.record("finding", { ...finding });
    if (finding.severity === "ok" && !all) continue;
    const detail = [
      ...(finding.expected === undefined ? [] : [say("expected ") + say(finding.expected)]),
      ...(finding.found === undefined ? [] : [say("found ") + say(finding.found)]),
    ].join(say(", "));
    const said = say(finding.message) + (detail === "" ? "" : say(" (") + detail + say(")"));
    reporter.info(`  ${padded(say(finding.severity), 7, reporter.language)}  ${finding.check.padEnd(width)}  ${said}`);
    if (finding.hint !== undefined)
      reporter.info(`           ${" ".repeat(width)}  ${say("next: ")}${say(finding.hint)}`);
  }
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === "error");
}
