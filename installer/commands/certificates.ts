/** `./install certificates`: how long each certificate on this node holds, for people, machines and Prometheus. */
import { refuseErrors, reportFindings } from "#cli/finding";
import { expiryFindings } from "../certificates/expiry.ts";
import { certificateMetrics } from "../certificates/prometheus.ts";
import type { Context } from "../context.ts";
import { createLocalHost } from "../host/local.ts";
import { openInstalled } from "../transaction/installation.ts";
import { tellLives } from "./status.ts";

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
  const { reporter } = context;
  const { host, past, state } = openInstalled(root);
  const lives = await tellLives(host, past, context);
  if (textfile !== null) {
    const here = createLocalHost({ root: "/", contents: state.contents });
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const content = { text: certificateMetrics(lives) };
    await here.perform({ do: "write", path: textfile, content, mode: 0o644, owner });
  }
  const findings = expiryFindings(lives, days);
  reportFindings(findings, reporter, true);
  refuseErrors(findings, "UNHEALTHY");
}
