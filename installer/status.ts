/** `./install status`: what is installed here, from which bundle, is it healthy, how long do its certificates hold. */
import type { CheckEntry } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { Reporter } from "#kit/reporter";
import { certificateLives, expiryFindings } from "./certificates/expiry.ts";
import { type Finding, hasErrors, reportFindings } from "./checks/check.ts";
import { checkHealth } from "./checks/health.ts";
import type { Context } from "./context.ts";
import type { HostReader } from "./host/host.ts";
import { createLocalHost } from "./host/local.ts";
import { currentTransactions, onHost } from "./journal/installed.ts";
import { stateOf } from "./journal/state.ts";
import { type Transaction, transactions } from "./journal/transaction.ts";
import { isActive } from "./operations/unit.ts";

export interface StatusRequest {
  readonly root: string;
  /** Only the certificates. */
  readonly certificates: boolean;
  /** For systemd's journal: each line of what is wrong begins with its priority. */
  readonly priorities: boolean;
}

/** UNHEALTHY (exit 9) where a check fails or a certificate has less than 30 days. */
export async function status(request: StatusRequest, context: Context): Promise<void> {
  const { reporter, now } = context;
  const state = stateOf(request.root);
  const all = transactions(state.journal.read());
  const host = createLocalHost({ root: request.root, contents: state.contents });
  const present = request.certificates ? currentTransactions(all) : tellInstalled(all, reporter);
  if (present.length === 0) return;
  const paths = onHost(all).flatMap(({ header }) => (header.certificates ?? []).map(({ path }) => path));
  const lives = await certificateLives(host, paths, now());
  for (const life of lives) reporter.record("certificate", { ...life, notAfter: life.notAfter.toISOString() });
  const expiry = expiryFindings(lives);
  const health: Finding[] = [];
  if (host.live && !request.certificates) {
    for (const check of checksOf(present)) health.push(await healthOf(host, check));
  }
  const findings = [...health, ...expiry];
  if (request.priorities) tellPriorities(findings, reporter);
  else if (request.certificates) reportFindings(findings, reporter, true);
  else {
    reportFindings([...health, ...expiry.filter(({ severity }) => severity !== "ok")], reporter, true);
    const [first] = lives;
    if (first !== undefined) reporter.info(`The first certificate to end: ${expiry[0]?.message ?? ""}`);
  }
  if (hasErrors(findings)) throw new ExpectedError("UNHEALTHY", failing(findings), { hint: hintOf(findings) });
}

interface InstalledCheck {
  readonly entry: CheckEntry;
  readonly alone: boolean;
  /** False: it was installed with `--no-start`. */
  readonly started: boolean;
}

/** A unit that was left unstarted on purpose is no sick one, nor what rests on it; once somebody started it, its check speaks. */
async function healthOf(host: HostReader, { entry, alone, started }: InstalledCheck): Promise<Finding> {
  const { name: check, unit } = entry;
  if (unit === undefined) return await checkHealth(host, started ? entry : { ...entry, severity: "warning" }, alone);
  if (started || (await isActive(host, unit))) return await checkHealth(host, entry, alone);
  const message = `${unit} was not started: installed with --no-start`;
  return { check, severity: "warning", message, hint: `systemctl start ${unit}` };
}

/** The newest check of each name. */
function checksOf(present: readonly Transaction[]): InstalledCheck[] {
  const checks = present.flatMap(({ header }) =>
    header.checks.map((entry) => ({ entry, alone: header.alone, started: header.started ?? true })),
  );
  return [...new Map(checks.map((check) => [check.entry.name, check])).values()];
}

/** `<4>` is a warning to systemd, `<6>` a note. */
function tellPriorities(findings: readonly Finding[], reporter: Reporter): void {
  for (const { severity, check, message, hint } of findings) {
    const next = severity === "ok" || hint === undefined ? "" : `; next: ${hint}`;
    reporter.info(`<${severity === "ok" ? 6 : 4}>${check}: ${message}${next}`);
  }
}

/** Tells and returns the transactions that speak for this host. */
export function tellInstalled(all: readonly Transaction[], reporter: Reporter): Transaction[] {
  const present = currentTransactions(all);
  if (present.length === 0) reporter.info("Nothing is installed here.");
  for (const { id, at, state, header } of present) {
    const { bundle, node, roles } = header;
    reporter.record("transaction", { id, at, state, bundle, node, roles, installer: header.installer });
    const how = state === "committed" ? "" : state === "open" ? ", interrupted" : ", partly taken back";
    reporter.stage("installed", `${node.name} (${node.ip}) as ${roles.join(", ")}${how}`);
    reporter.info(`           ${bundle.cluster}, release ${bundle.release}, locked ${bundle.locked}, on ${at}`);
    reporter.info(`           payload ${bundle.payload}`);
  }
  const renewed = onHost(all).filter(({ header }) => header.action === "renew");
  for (const { id, at, header } of renewed) {
    reporter.record("renewal", { id, at, notes: header.notes });
    reporter.stage("renewed", `certificates, on ${at}`);
  }
  return present;
}

export function failing(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === "error");
  const shown = errors.slice(0, 5).map(({ check, message }) => `${check}: ${message}`);
  return `${errors.length} found: ${shown.join("; ")}${errors.length > shown.length ? "; …" : ""}`;
}

export function hintOf(findings: readonly Finding[]): string | undefined {
  return findings.find(({ severity, hint }) => severity === "error" && hint !== undefined)?.hint;
}
