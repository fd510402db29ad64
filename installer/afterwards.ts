/** `./install status` and `audit`: what is installed here, is it healthy, is it still what was installed. */
import { ExpectedError } from "#kit/errors";
import { type Finding, hasErrors, reportFindings } from "./checks/check.ts";
import { findDrift } from "./checks/drift.ts";
import { checkHealth } from "./checks/health.ts";
import type { Context } from "./context.ts";
import { createLocalHost } from "./host/local.ts";
import { stateOf } from "./journal/state.ts";
import { type Transaction, transactions } from "./journal/transaction.ts";

/** What is installed, from which bundle; on a running host, whether it is healthy (UNHEALTHY otherwise). */
export async function status(root: string, context: Context): Promise<void> {
  const { reporter } = context;
  const present = installed(root, context);
  if (present.length === 0) return;
  const state = stateOf(root);
  const host = createLocalHost({ root, contents: state.contents });
  if (!host.live) return;
  const checks = present.flatMap(({ header }) => header.checks.map((entry) => ({ entry, alone: header.alone })));
  const findings: Finding[] = [];
  for (const { entry, alone } of checks) findings.push(await checkHealth(host, entry, alone));
  reportFindings(findings, reporter, true);
  if (hasErrors(findings)) throw new ExpectedError("UNHEALTHY", failing(findings), { hint: hintOf(findings) });
}

/** Every installed file against what was installed; DRIFTED where anything differs. */
export async function audit(root: string, context: Context): Promise<void> {
  const { reporter } = context;
  const present = installed(root, context);
  if (present.length === 0) return;
  const host = createLocalHost({ root, contents: stateOf(root).contents });
  const notes = [...new Set(present.flatMap(({ header }) => header.notes))];
  const drift = await findDrift(host, present);
  reportFindings(
    [...notes.map((message): Finding => ({ check: "origin", severity: "warning", message })), ...drift],
    reporter,
  );
  if (drift.length > 0) throw new ExpectedError("DRIFTED", failing(drift), { hint: hintOf(drift) });
  const files = present.flatMap(({ phases }) =>
    phases.flatMap(({ operations }) => operations.filter(({ kind }) => kind === "file")),
  );
  reporter.stage(
    "audit",
    `${new Set(files.map(({ spec }) => (spec as { path: string }).path)).size} files are what was installed`,
  );
}

/** Tells and returns the transactions that are on this host. */
function installed(root: string, { reporter }: Context): Transaction[] {
  const present = transactions(stateOf(root).journal.read()).filter(({ state }) => state !== "gone");
  if (present.length === 0) reporter.info("Nothing is installed here.");
  for (const { id, at, state, header } of present) {
    const { bundle, node, roles } = header;
    reporter.record("transaction", { id, at, state, bundle, node, roles, installer: header.installer });
    const how = state === "committed" ? "" : state === "open" ? ", interrupted" : ", partly taken back";
    reporter.stage("installed", `${node.name} (${node.ip}) as ${roles.join(", ")}${how}`);
    reporter.info(`           ${bundle.cluster}, release ${bundle.release}, locked ${bundle.locked}, on ${at}`);
    reporter.info(`           payload ${bundle.payload}`);
  }
  return present;
}

function failing(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === "error");
  const shown = errors.slice(0, 5).map(({ check, message }) => `${check}: ${message}`);
  return `${errors.length} found: ${shown.join("; ")}${errors.length > shown.length ? "; …" : ""}`;
}

function hintOf(findings: readonly Finding[]): string | undefined {
  return findings.find(({ severity, hint }) => severity === "error" && hint !== undefined)?.hint;
}
