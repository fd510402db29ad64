/** `./install status`: what is installed here, from which bundle, is it healthy, how long do its certificates hold. */
import type { CheckEntry } from "#bundle";
import { error, type Finding, refuseErrors, reportFindings, warning } from "#cli/finding";
import type { Reporter } from "#cli/reporter";
import { type CertificateLife, certificateLives, expiryFindings } from "../certificates/expiry.ts";
import { checkHealth, waitsFor } from "../checks/health.ts";
import type { Context } from "../context.ts";
import type { HostReader } from "../host/host.ts";
import { onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { type Installation, openInstalled } from "../transaction/installation.ts";
import { isActive } from "../host/systemd.ts";

export interface StatusRequest {
  readonly root: string;
  /** Only the certificates. */
  readonly certificates: boolean;
  /** For systemd's journal: each line of what is wrong begins with its priority. */
  readonly priorities: boolean;
}

/**
 * UNHEALTHY (exit 9) where a check fails, a certificate has less than 30 days, or an installation or undo was cut off;
 * NOT_INSTALLED (9) where there is nothing to be healthy.
 */
export async function status(request: StatusRequest, context: Context): Promise<void> {
  const { reporter } = context;
  const installation = openInstalled(request.root);
  const { host, past, current } = installation;
  if (!request.certificates) tellInstalled(installation, reporter);
  const lives = await tellLives(host, past, context);
  const expiry = expiryFindings(lives);
  const health: Finding[] = [];
  if (host.live && !request.certificates) {
    for (const check of checksOf(current)) health.push(await healthOf(host, check));
  }
  const findings = [...(request.certificates ? [] : interruptions(past)), ...health, ...expiry];
  if (request.priorities) tellPriorities(findings, reporter);
  else if (request.certificates) reportFindings(findings, reporter, true);
  else {
    reportFindings(
      findings.filter((one) => one.severity !== "ok" || !expiry.includes(one)),
      reporter,
      true,
    );
    const [first] = lives;
    if (first !== undefined) reporter.info(`The first certificate to end: ${expiry[0]?.message ?? ""}`);
  }
  refuseErrors(findings, "UNHEALTHY");
}

/** How long every certificate holds that is installed here, told to machines. */
export async function tellLives(
  host: HostReader,
  past: readonly Transaction[],
  { reporter, now }: Context,
): Promise<CertificateLife[]> {
  const paths = onHost(past).flatMap(({ header }) => (header.certificates ?? []).map(({ path }) => path));
  const lives = await certificateLives(host, paths, now());
  for (const life of lives) reporter.record("certificate", { ...life, notAfter: life.notAfter.toISOString() });
  return lives;
}

/** What was begun and is not ended: the host is neither what it was nor what it is to be. */
export function interruptions(all: readonly Transaction[]): Finding[] {
  const present = onHost(all);
  const back = present.length > 1 ? "./install rollback" : "./install undo";
  return present
    .filter(({ state }) => state !== "committed")
    .map(({ id, header, state }) =>
      error(
        "journal",
        `${state === "open" ? "transaction" : "the undo of transaction"} ${id} (${header.command}) was interrupted`,
        { hint: state === "open" ? `${header.command}   again, or ${back}` : back },
      ),
    );
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
  const look = async (one: CheckEntry): Promise<Finding> => {
    const finding = await checkHealth(host, one, alone);
    const waits = finding.severity === "ok" ? null : await waitsFor(one);
    return waits === null ? finding : { ...finding, message: waits };
  };
  if (unit === undefined) return await look(started ? entry : { ...entry, severity: "warning" });
  if (started || (await isActive(host, unit))) return await look(entry);
  const message = `${unit} was not started: installed with --no-start`;
  return warning(check, message, { hint: `systemctl start ${unit}` });
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

/** Tells the transactions that speak for this host, and renewals. */
export function tellInstalled({ past, current }: Installation, reporter: Reporter): void {
  for (const { id, at, state, header } of current) {
    const { bundle, node, roles } = header;
    reporter.record("transaction", { id, at, state, bundle, node, roles, installer: header.installer });
    const how = state === "committed" ? "" : state === "open" ? ", interrupted" : ", partly taken back";
    reporter.stage("installed", `${node.name} (${node.ip}) as ${roles.join(", ")}${how}`);
    reporter.info(`           ${bundle.cluster}, release ${bundle.release}, locked ${bundle.locked}, on ${at}`);
    reporter.info(`           payload ${bundle.payload}`);
  }
  const renewed = onHost(past).filter(({ header }) => header.action === "renew");
  for (const { id, at, header } of renewed) {
    reporter.record("renewal", { id, at, notes: header.notes });
    reporter.stage("renewed", `certificates, on ${at}`);
  }
}
