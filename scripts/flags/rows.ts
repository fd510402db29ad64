/** Rows of manifests/flags.yaml from what was read. What was read does not tell is left open: a flag is denied only on evidence. */
import { compareVersions } from "#formats/version";
import type { FlagTable } from "../../builder/config/flag-table.ts";
import { seenIn } from "./compare.ts";
import type { Evidence } from "./evidence.ts";

type Row = FlagTable[string][string];

/** The text of the table with every row cited, and a row for each flag that it lacked. Daemons that were not read stay as they are. */
export function written(text: string, table: FlagTable, evidence: ReadonlyMap<string, Evidence>): string {
  return text
    .split(/^(?=[a-z][\w-]*:\n)/m)
    .map((section) => {
      const daemon = section.slice(0, section.indexOf(":"));
      const found = evidence.get(daemon);
      if (found === undefined || found.read.size === 0) return section;
      const rows = table[daemon] ?? {};
      const read = [...found.sightings.keys()].filter((flag) => agrees(flag, found) && !passedOver.includes(flag));
      const flags = [...new Set([...Object.keys(rows), ...read])].toSorted();
      return `${daemon}:\n${flags.map((flag) => line(flag, rows[flag] ?? rowOf(flag, found), found)).join("")}`;
    })
    .join("");
}

/** What every program has, what k3s and OpenShift add to the Kubernetes that they vendor, and the kubelet's that all pages list. */
const passedOver = [
  "azure-container-registry-config",
  "help",
  "version",
  "advertise-port",
  "max-housekeeping-interval",
  "minimal-shutdown-duration",
  "openshift-config",
  "send-retry-after-while-not-ready-once",
  "unsupported-kube-api-over-localhost",
];

/** Whether no minor whose sources were read lacks a flag that minors before and after it have: that is a page's or a reader's mistake. */
function agrees(flag: string, evidence: Evidence): boolean {
  const seen = [...seenIn(flag, evidence)].toSorted(compareVersions);
  const between = (minor: string): boolean =>
    compareVersions(minor, seen[0] ?? "") > 0 && compareVersions(minor, seen.at(-1) ?? "") < 0;
  return seen.length > 0 && [...evidence.whole].every((minor) => seen.includes(minor) || !between(minor));
}

/** When a flag came and went, as far as that was read. */
export function rowOf(flag: string, evidence: Evidence): Row {
  const { read, whole, sightings } = evidence;
  const seen = [...seenIn(flag, evidence)].toSorted(compareVersions);
  const [first, last] = [seen[0] ?? "", seen.at(-1) ?? ""];
  const after = [...whole].filter((minor) => compareVersions(minor, last) > 0).toSorted(compareVersions)[0];
  // A page tells that a flag came only where it shows it at once: not what is deprecated, nor what its generator is built without.
  const shown = (sightings.get(flag) ?? []).some(({ minor, kind }) => minor === first && kind === "pages");
  const before = [...(shown ? read : whole)]
    .filter((minor) => compareVersions(minor, first) < 0)
    .toSorted(compareVersions)
    .at(-1);
  // Until 1.9 the kubelet took every flag of its libraries; 1.10 lists those that it still takes.
  const implicit = (sightings.get(flag) ?? []).some(
    ({ minor, cited }) => minor === "1.10" && cited.includes("/kubelet/app/options/globalflags"),
  );
  return {
    ...(before !== undefined && !implicit && { added: `1.${Number(before.slice(2)) + 1}` }),
    ...(after !== undefined && { removed: after }),
  };
}

function line(flag: string, row: Row, evidence: Evidence): string {
  const fields = Object.entries(row).map(([key, value]) => `${key}: ${key === "now" ? value : `"${value}"`}`);
  const sorted = (evidence.sightings.get(flag) ?? [])
    .filter(({ kind, minor }) => kind === "sources" || !evidence.whole.has(minor))
    .toSorted((one, other) => compareVersions(one.minor, other.minor));
  const cites = [sorted[0], sorted.at(-1)].flatMap((one) =>
    one === undefined ? [] : [`${one.minor} ${place(one.cited)}`],
  );
  const cited = cites.length === 0 ? "not in what was read" : [...new Set(cites)].join(", ");
  return `  ${flag}: {${fields.length > 0 ? ` ${fields.join(", ")} ` : ""}}  # ${cited}\n`;
}

/** As it is called in upstream's own tree, whichever copy of it was read. */
function place(cited: string): string {
  const path = cited.slice(cited.indexOf(":") + 1);
  if (path.startsWith("content/")) return `page:${path.slice(path.lastIndexOf(":") + 1)}`;
  return path
    .replace(/^(cluster-autoscaler\/)?vendor\/|^deps\/github\.com\/openshift\/kubernetes\//, "")
    .replace(/^k8s\.io\/kubernetes\//, "")
    .replace(/^staging\/src\//, "");
}
