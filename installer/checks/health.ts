/** Is what was installed healthy? Runs the bundle's own checks, which only look. */
import type { CheckEntry } from "#bundle";
import { type Finding, ok } from "#cli/finding";
import type { HostReader } from "../host/host.ts";
import { hasEnded } from "../host/systemd.ts";
import { describeAwaited, isThere, type IsThere } from "./awaited.ts";

/**
 * One check, once. `quorum` checks are warnings where `alone` is false: the other members may not be up yet.
 */
export async function checkHealth(host: HostReader, entry: CheckEntry, alone: boolean): Promise<Finding> {
  const { environment, timeoutSeconds } = entry;
  const { code, stdout, stderr } = await host.query(entry.argv, { environment, timeoutSeconds });
  const said = `${stdout}\n${stderr}`.trim();
  const matched = entry.matches === undefined || new RegExp(entry.matches, "m").test(said);
  if (code === 0 && matched) return ok(entry.name, "healthy");
  const severity = entry.severity === "quorum" ? (alone ? "error" : "warning") : entry.severity;
  // Some point at their complaint with a line of carets.
  const lastLine = said.split("\n").findLast((line) => /\w/.test(line)) ?? "";
  return {
    check: entry.name,
    severity,
    message: code === 0 ? "answers, but not as a healthy one does" : `ended with code ${code}`,
    ...(entry.matches === undefined ? {} : { expected: entry.matches }),
    ...(lastLine === "" ? {} : { found: lastLine.slice(0, 300) }),
    hint: entry.hint,
  };
}

export interface GateOptions {
  readonly host: HostReader;
  readonly checks: readonly CheckEntry[];
  readonly alone: boolean;
  /** How often each is tried, with `wait` between two tries: after how many, it is told. */
  readonly tries: number;
  readonly wait: (count: number) => Promise<void>;
  /** Default: by connecting. */
  readonly isThere?: IsThere;
}

/** Tries that follow each other quickly: most daemons are ready within a second, and every one waits for the one before. */
export const quickTries = 4;

/**
 * All checks, each tried again until it passes or has had its tries. Warnings are not waited for beyond the quick ones, and
 * not at all what cannot pass before another host is there: that is a warning that says what is awaited.
 */
export async function checkUntilHealthy(options: GateOptions): Promise<Finding[]> {
  const { host, checks, alone, tries, wait } = options;
  const findings: Finding[] = [];
  for (const entry of checks) {
    let finding = await checkHealth(host, entry, alone);
    for (
      let count = 1;
      count < (finding.severity === "warning" ? 1 + quickTries : tries) && finding.severity !== "ok";
      count += 1
    ) {
      const message = await waitsFor(entry, options.isThere);
      if (message !== null) {
        finding = { ...finding, severity: "warning", message };
        break;
      }
      await wait(count);
      finding = await checkHealth(host, entry, alone);
    }
    // Only who runs can be waiting for its other members.
    if (finding.severity === "warning" && (await isDown(host, entry)))
      finding = { ...finding, severity: "error", message: `${entry.unit} ended by itself` };
    findings.push(finding);
  }
  return findings;
}

/** Of what needs a quorum: those who ask etcd end and begin until it is there, etcd itself waits for it. */
async function isDown(host: HostReader, { severity, awaits, unit }: CheckEntry): Promise<boolean> {
  return severity === "quorum" && awaits === undefined && unit !== undefined && (await hasEnded(host, unit));
}

/** Null where it waits for nobody. */
export async function waitsFor({ awaits }: CheckEntry, ask: IsThere = isThere): Promise<string | null> {
  return awaits === undefined || (await ask(awaits)) ? null : `waits for ${describeAwaited(awaits)} yet`;
}
