/** `./install certificates`: how long each certificate on this node holds, for people, machines and Prometheus. */
import { ExpectedError } from "#cli/errors";
import { certificateLives, expiryFindings } from "../certificates/expiry.ts";
import { certificateMetrics } from "../certificates/prometheus.ts";
import { hasErrors, reportFindings } from "../checks/check.ts";
import type { Context } from "../context.ts";
import { createLocalHost } from "../host/local.ts";
import { currentTransactions, onHost } from "../journal/installed.ts";
import { stateOf } from "../journal/state.ts";
import { transactions } from "../journal/transaction.ts";
import { failing, hintOf, notInstalled } from "./status.ts";

export interface CertificatesRequest {
  readonly root: string;
  /** Fewer days than these are an error. */
  readonly days: number;
  /** Written for node_exporter, whole or not at all. Null: nowhere. */
  readonly textfile: string | null;
}

/** UNHEALTHY (exit 9) where one has fewer days, NOT_INSTALLED (9). The file is written all the same. */
export async function certificates(request: CertificatesRequest, context: Context): Promise<void> {
  const { root, days, textfile } = request;
  const { reporter, now } = context;
  const state = stateOf(root);
  const all = transactions(state.journal.read());
  if (currentTransactions(all).length === 0) throw notInstalled(root);
  const host = createLocalHost({ root, contents: state.contents });
  const paths = onHost(all).flatMap(({ header }) => (header.certificates ?? []).map(({ path }) => path));
  const lives = await certificateLives(host, paths, now());
  for (const life of lives) reporter.record("certificate", { ...life, notAfter: life.notAfter.toISOString() });
  if (textfile !== null) {
    const here = createLocalHost({ root: "/", contents: state.contents });
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const content = { text: certificateMetrics(lives) };
    await here.perform({ do: "write", path: textfile, content, mode: 0o644, owner });
  }
  const findings = expiryFindings(lives, days);
  reportFindings(findings, reporter, true);
  if (hasErrors(findings)) throw new ExpectedError("UNHEALTHY", failing(findings), { hint: hintOf(findings) });
}
