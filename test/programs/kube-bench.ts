/**
 * The controls of kube-bench (test/vectors/cis) asked of a node's files below a folder: its audits run in a real shell on
 * them, `ps` answers with the command lines of the node's units, and its tests are judged as kube-bench judges them.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import type { Rendered } from "../../builder/render/node-file.ts";
import { below, commandLine, contentOf, filesOf, placeNode } from "../builders/placed-node.ts";

const project = join(import.meta.dirname, "../..");

/** `warn` is a `fail` of a control that the benchmark leaves to people; `manual` has no test, `cluster` asks a running one. */
export type Verdict = "pass" | "fail" | "warn" | "manual" | "cluster";

export interface Judged {
  readonly id: string;
  readonly text: string;
  readonly verdict: Verdict;
}

const item = z.object({
  flag: z.string().default(""),
  path: z.string().default(""),
  set: z.enum(["true", "false"]).default("true"),
  compare: z.object({ op: z.string(), value: z.string() }).optional(),
});
const control = z.object({
  id: z.string(),
  text: z.string(),
  type: z.string().default(""),
  scored: z.enum(["true", "false"]).default("false"),
  audit: z.string().default(""),
  audit_config: z.string().default(""),
  use_multiple_values: z.enum(["true", "false"]).default("false"),
  tests: z.object({ bin_op: z.enum(["and", "or"]).default("and"), test_items: z.array(item) }).optional(),
});
const controls = z.object({ groups: z.array(z.object({ checks: z.array(control) })) });
type Control = z.infer<typeof control>;
type Item = z.infer<typeof item>;

/** A node's files, and programs that answer for it. */
export interface Bench {
  /** Every control of a version (`cis-1.12`), in its order. */
  judge(version: string): Judged[];
}

/** Names that kube-bench's audits have inside, as kubeadm writes them, and Kubeferry's: docs/cis.md tells them. */
export const otherNames: readonly (readonly [theirs: string, ours: string])[] = [
  ["/etc/kubernetes/admin.conf", "/etc/kubernetes/admin.kubeconfig"],
  ["*.crt", "*.pem"],
  ["*.key", "*-key.pem"],
];

/** Places a node below `root`, as root, so that owners are real. */
export function openBench(rendered: Rendered, node: string, root: string): Bench {
  placeNode(rendered, node, root);
  // What the kubelet writes itself, with this mode (client-go's clientcmd.WriteToFile).
  writeFileSync(join(root, "etc/kubernetes/kubelet.kubeconfig"), "", { mode: 0o600 });
  const programs = join(root, "programs");
  mkdirSync(programs);
  const lines = filesOf(rendered, node)
    .filter(({ path }) => path.startsWith("/etc/systemd/system/") && path.endsWith(".service"))
    .map((unit) => `root 1 1 0 00:00 ? 00:00:00 ${below(root, commandLine(contentOf(unit))).join(" ")}`);
  writeFileSync(join(root, "processes"), `${lines.join("\n")}\n`);
  // `ps -ef`, or `ps -fC NAME`.
  const ps = `#!/bin/sh\nif [ "$1" = -fC ]; then exec grep "/$2 " ${root}/processes; fi\nexec cat ${root}/processes\n`;
  writeFileSync(join(programs, "ps"), ps, { mode: 0o755 });
  const heard = new Map<string, Heard>();
  const ask = (audit: string): Heard => {
    const known = heard.get(audit) ?? run(audit, root, programs);
    heard.set(audit, known);
    return known;
  };
  return {
    judge: (version) =>
      readdirSync(join(project, "test/vectors/cis", version))
        .toSorted()
        .flatMap((file) => {
          const text = readFileSync(join(project, "test/vectors/cis", version, file), "utf8");
          // One text goes on in a line that is not indented, as Go's reader of YAML lets it.
          const joined = text.replaceAll(/^( +text: "[^"\n]*)\n +/gm, "$1 ");
          const placed = substituted(joined, file.replace(".yaml", ""), root);
          return controls.parse(parse(placed, { schema: "failsafe" })).groups.flatMap(({ checks }) => checks);
        })
        .map((entry) => ({ id: entry.id, text: entry.text, verdict: verdictOf(entry, ask) })),
  };
}

interface Heard {
  readonly output: string;
  readonly failed: boolean;
}

function run(audit: string, root: string, programs: string): Heard {
  const text = otherNames
    .reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), audit)
    .replaceAll("/bin/ps ", "ps ")
    .replaceAll(/(?<![\w/])(?=\/(etc|var)\/)/g, root);
  const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", text], {
    encoding: "utf8",
    env: { PATH: `${programs}:${process.env["PATH"] ?? ""}` },
  });
  return { output: stdout + stderr, failed: status !== 0 };
}

const places = z.record(z.string(), z.record(z.string(), z.json()));

/** `$etcdconf` and its like, as kube-bench fills them in: the first of the list in docs/kube-bench.yaml that is there. */
function substituted(text: string, section: string, root: string): string {
  const config = places.parse(parse(readFileSync(join(project, "docs/kube-bench.yaml"), "utf8")));
  const kinds = [
    ["bin", "bins"],
    ["conf", "confs"],
    ["svc", "svc"],
    ["kubeconfig", "kubeconfig"],
    ["cafile", "cafile"],
    ["datadir", "datadirs"],
  ] as const;
  let result = text;
  for (const [component, values] of Object.entries(config[section] ?? {})) {
    if (typeof values !== "object" || values === null || Array.isArray(values)) continue;
    for (const [kind, list] of kinds) {
      const named = z.array(z.string()).parse(values[list] ?? []);
      const found = named.find((path) => !path.startsWith("/") || existsSync(join(root, path))) ?? named[0];
      if (found !== undefined) result = result.replaceAll(new RegExp(`\\$${component}${kind}\\b`, "g"), found);
    }
  }
  // Kubeferry's two folders for certificates, by generation.
  return existsSync(join(root, "etc/kubernetes/cert"))
    ? result.replaceAll("/etc/kubernetes/pki/", "/etc/kubernetes/cert/")
    : result;
}

function verdictOf(entry: Control, ask: (audit: string) => Heard): Verdict {
  if (entry.type === "manual" || entry.tests === undefined) return "manual";
  if (entry.audit.includes("kubectl ")) return "cluster";
  const bad = entry.scored === "true" ? "fail" : "warn";
  const said = ask(entry.audit);
  if (said.failed) return bad;
  const config = entry.audit_config === "" ? "" : ask(entry.audit_config).output;
  const results = entry.tests.test_items.map((item) => {
    const lines = entry.use_multiple_values === "true" ? said.output.trimEnd().split("\n") : [said.output.trimEnd()];
    // The first line that does not hold decides, else the last.
    const each = lines.map((line) => holds(item, valueIn(line, item.flag)));
    const found = lines.some((line) => valueIn(line, item.flag) !== null);
    // What etcd might have in its environment is not asked: no unit here has one.
    return found || config === "" ? each.every(Boolean) : holds(item, valueAt(config, item.path));
  });
  const passed = entry.tests.bin_op === "or" ? results.some(Boolean) : results.every(Boolean);
  return passed ? "pass" : bad;
}

/** `--flag=value`, `flag: value`, `--flag` (true) or the word itself; null where it is not. */
function valueIn(line: string, flag: string): string | null {
  if (flag === "" || !line.includes(flag)) return null;
  const [, word = "", , value = ""] = new RegExp(`(${flag})(=|: *)*([^\\s]*) *`).exec(line) ?? [];
  if (value !== "") return value;
  return flag.startsWith("--") ? "true" : word;
}

/** The JSON paths that kube-bench's controls have: `{.a.b}`, and a list joined by commas. */
function valueAt(text: string, path: string): string | null {
  const keys = /\.([\w.]+)/.exec(path)?.[1]?.split(".") ?? [];
  let found: unknown = parse(text, { schema: "failsafe" });
  for (const key of keys) {
    found = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[key] : undefined;
  }
  if (Array.isArray(found)) return found.map((value) => `${value},`).join("");
  return typeof found === "string" ? found : null;
}

function holds({ set, compare }: Item, value: string | null): boolean {
  if (set === "false") return value === null;
  if (value === null) return false;
  return compare === undefined || compared(compare.op, value, compare.value);
}

function compared(operator: string, found: string, wanted: string): boolean {
  const words = (text: string): string[] => text.replace(/,+$/, "").split(",");
  switch (operator) {
    case "eq":
      return found === wanted;
    case "noteq":
      return found !== wanted;
    case "has":
      return found.includes(wanted);
    case "nothave":
      return !found.includes(wanted);
    case "gt":
      return Number(found) > Number(wanted);
    case "gte":
      return Number(found) >= Number(wanted);
    case "valid_elements":
      return words(found).every((word) => words(wanted).includes(word));
    case "bitmask":
      return (Number.parseInt(found, 8) & ~Number.parseInt(wanted, 8)) === 0;
    default:
      throw new Error(`kube-bench has an operator ${operator} that is not known here`);
  }
}
