/** `./install audit`: every installed thing against what was installed; a report to hand to an auditor. */
import { ExpectedError } from "#kit/errors";
import { type Finding, reportFindings } from "./checks/check.ts";
import { findDrift } from "./checks/drift.ts";
import type { Context } from "./context.ts";
import { createLocalHost } from "./host/local.ts";
import { onHost } from "./journal/installed.ts";
import { stateOf } from "./journal/state.ts";
import { transactions } from "./journal/transaction.ts";
import { failing, hintOf, tellInstalled } from "./status.ts";

/** DRIFTED (exit 9) where anything differs. */
export async function audit(root: string, context: Context): Promise<void> {
  const { reporter, now } = context;
  const state = stateOf(root);
  const all = transactions(state.journal.read());
  const present = tellInstalled(all, reporter);
  if (present.length === 0) return;
  const host = createLocalHost({ root, contents: state.contents });
  const { findings, counts } = await findDrift(host, all);
  const notes = [...new Set(present.flatMap(({ header }) => header.notes))];
  const interrupted = onHost(all).filter((one) => one.state !== "committed");
  const remarks = [
    ...notes.map((message): Finding => ({ check: "origin", severity: "warning", message })),
    ...interrupted.map(({ id, header }): Finding => ({
      check: "journal",
      severity: "warning",
      message: `transaction ${id} (${header.command}) was interrupted: what follows may be its half`,
      hint: "run that command again, or ./install rollback",
    })),
  ];
  reportFindings([...remarks, ...findings], reporter);
  const errors = findings.filter(({ severity }) => severity === "error");
  reporter.record("audit", {
    at: now().toISOString(),
    payloads: present.map(({ header }) => header.bundle.payload),
    ...counts,
    differences: errors.length,
    remarks: remarks.length,
  });
  const { files, directories, units, settings } = counts;
  const looked = `${files} files, ${directories} directories, ${units} units, ${settings} settings`;
  if (errors.length > 0) {
    reporter.stage("audit", `${looked}: ${errors.length} differences`);
    throw new ExpectedError("DRIFTED", failing(errors), { hint: hintOf(errors) });
  }
  reporter.stage("audit", `${looked}: all is what was installed`);
}
