/** Between two phases: what was just started must be healthy before the next is started. */
import { setTimeout } from "node:timers/promises";
import { ExpectedError } from "#cli/errors";
import { calledIn, errorsIn, type Finding } from "#cli/finding";
import { checkUntilHealthy, quickTries } from "../checks/health.ts";
import { tellUnitFailure } from "../checks/unit-failure.ts";
import type { Context } from "../context.ts";
import type { HostReader } from "../host/host.ts";
import type { Header } from "../journal/journal.ts";

/** A minute: the quick ones in the first second, then one each second. */
const tries = 59 + quickTries;
const pauseAfter = (count: number): number => (count <= quickTries ? 1000 / quickTries : 1000);

/** For apply: runs the named checks of the header until they pass; APPLY_FAILED with the unit's last lines otherwise. */
export function gate(host: HostReader, header: Header, context: Context) {
  return async (phase: string, gates: readonly string[]): Promise<void> => {
    // The other hosts serve while this one is upgraded: their absence is no excuse.
    const excused = mayWait(header);
    const findings = await healthOf(host, header, { phase, gates, excused }, context);
    const [failed] = errorsIn(findings);
    if (failed === undefined) return;
    const unit = header.checks.find(({ name }) => name === failed.check)?.unit;
    if (unit !== undefined) await tellUnitFailure(host, unit, context.reporter);
    throw new ExpectedError("APPLY_FAILED", `${failed.check} is not healthy: ${failed.message}`, {
      where: phase,
      expected: failed.expected,
      found: failed.found,
      hint: failed.hint,
    });
  };
}

/** Whether other hosts may not be there yet: at a first installation, and where etcd is restored, but not as a cluster of one. */
function mayWait({ action, restoredFrom }: Header): boolean {
  return action === undefined || (action === "restore-etcd" && restoredFrom !== "force-new-cluster");
}

export interface Gates {
  readonly phase: string;
  /** Names of checks of the header. */
  readonly gates: readonly string[];
  /** Whether what waits for other hosts may go on waiting. */
  readonly excused: boolean;
}

/** Runs the checks until they pass or have had their tries, and tells each. [] where nothing runs: with `--root`. */
export async function healthOf(
  host: HostReader,
  header: Header,
  { phase, gates, excused }: Gates,
  { reporter, signal }: Context,
): Promise<Finding[]> {
  const checks = header.checks.filter(({ name }) => gates.includes(name));
  if (checks.length === 0 || !host.live) return [];
  const alone = header.alone || !mayWait(header);
  const wait = (count: number): Promise<void> => setTimeout(pauseAfter(count), undefined, { signal });
  const noExcuse = { isThere: async () => true };
  const findings = await checkUntilHealthy({ host, checks, alone, tries, wait, ...(excused ? {} : noExcuse) });
  for (const finding of findings) {
    reporter.record("finding", { phase, ...finding });
    if (finding.severity === "ok") reporter.info(`  healthy   ${calledIn(finding.check, reporter.language)}`);
    else
      reporter.warn(`${finding.check}: ${finding.message}${finding.found === undefined ? "" : `: ${finding.found}`}`);
  }
  return findings;
}
