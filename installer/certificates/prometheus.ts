/** Certificates' ends as Prometheus' text format has them, for node_exporter's textfile collector. Pure. */
import type { CertificateLife } from "./expiry.ts";

const name = "kubeferry_certificate_not_after_timestamp_seconds";

/** One sample a certificate, in seconds since 1970. */
export function certificateMetrics(lives: readonly CertificateLife[]): string {
  const samples = lives.map(({ path, subject, notAfter }) => {
    const labels = `path="${escaped(path)}",subject="${escaped(subject)}"`;
    return `${name}{${labels}} ${Math.floor(notAfter.getTime() / 1000)}\n`;
  });
  // Two of one name in one file, as in a chain: the format takes each series once, and the soonest end counts.
  const series = new Map(samples.toReversed().map((line) => [line.slice(0, line.lastIndexOf(" ")), line]));
  const head = `# HELP ${name} When a certificate of this node ends, as seconds since 1970.\n# TYPE ${name} gauge\n`;
  return head + [...series.values()].toReversed().join("");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
