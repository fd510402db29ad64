/** `./install audit`: every installed thing against what was installed; a report to hand to an auditor. */
import type { Trust } from "#bundle";
import { errorsIn, type Finding, refuseErrors, reportFindings, warning } from "#cli/finding";
import { findDrift } from "../checks/drift.ts";
import { originDrift } from "../checks/origin-drift.ts";
import type { Context } from "../context.ts";
import { readKept } from "../journal/kept-bundle.ts";
import { openInstalled } from "../transaction/installation.ts";
import { interruptions, tellInstalled } from "./status.ts";

/** DRIFTED (exit 9) where anything differs, NOT_INSTALLED (9) where there is nothing to look at. `trust`: then every bundle must be signed so. */
export async function audit(root: string, trust: Trust | null, context: Context): Promise<void> {
  const { reporter, now } = context;
  const installation = openInstalled(root);
  const { host, state, past, current: present } = installation;
  tellInstalled(installation, reporter);
  const drifted = await findDrift(host, past, now());
  const { counts } = drifted;
  const origins = present.flatMap((one) => originDrift(one, readKept(state.folder, one.header.bundle.payload), trust));
  const findings = [...origins, ...drifted.findings];
  const notes = [...new Set(present.flatMap(({ header }) => header.notes))];
  const remarks = [
    ...notes.map((message): Finding => warning("origin", message)),
    // What differs below may be its half.
    ...interruptions(past).map((one): Finding => ({ ...one, severity: "warning" })),
  ];
  reportFindings([...remarks, ...findings], reporter);
  const errors = errorsIn(findings);
  if (trust !== null && origins.length === 0) {
    reporter.stage(
      "signature",
      "the installed index is what this key signed, and the journal says what the index does",
    );
  }
  reporter.record("audit", {
    signature: trust === null ? "not asked for" : origins.length === 0 ? "good" : "bad",
    at: now().toISOString(),
    payloads: present.map(({ header }) => header.bundle.payload),
    ...counts,
    differences: errors.length,
    remarks: remarks.length,
  });
  const { files, directories, units, settings } = counts;
  const looked = `${files} files, ${directories} directories, ${units} units, ${settings} settings`;
  const judged = errors.length > 0 ? `${errors.length} differences` : "all is what was installed";
  reporter.stage("audit", `${looked}: ${judged}`);
  refuseErrors(errors, "DRIFTED");
}
