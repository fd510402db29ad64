/** `./install audit`: every installed thing against what was installed; a report to hand to an auditor. */
import type { PublicKey } from "#bundle";
import { ExpectedError } from "#kit/errors";
import { type Finding, reportFindings } from "./checks/check.ts";
import { findDrift } from "./checks/drift.ts";
import { originDrift } from "./checks/origin-drift.ts";
import type { Context } from "./context.ts";
import { createLocalHost } from "./host/local.ts";
import { onHost } from "./journal/installed.ts";
import { readKept } from "./journal/kept-bundle.ts";
import { stateOf } from "./journal/state.ts";
import { transactions } from "./journal/transaction.ts";
import { failing, hintOf, tellInstalled } from "./status.ts";

/** DRIFTED (exit 9) where anything differs. `publicKey`: then every bundle must be signed with it. */
export async function audit(root: string, publicKey: PublicKey | null, context: Context): Promise<void> {
  const { reporter, now } = context;
  const state = stateOf(root);
  const all = transactions(state.journal.read());
  const present = tellInstalled(all, reporter);
  if (present.length === 0) return;
  const host = createLocalHost({ root, contents: state.contents });
  const drifted = await findDrift(host, all, now());
  const { counts } = drifted;
  const origins = present.flatMap((one) =>
    originDrift(one, readKept(state.folder, one.header.bundle.payload), publicKey),
  );
  const findings = [...origins, ...drifted.findings];
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
  if (publicKey !== null && origins.length === 0) {
    reporter.stage(
      "signature",
      "the installed index is what this key signed, and the journal says what the index does",
    );
  }
  reporter.record("audit", {
    signature: publicKey === null ? "not asked for" : origins.length === 0 ? "good" : "bad",
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
