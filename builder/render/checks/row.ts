/** A row of the tables of health checks, and what rows are made of. */
import type { CheckEntry, Role } from "#bundle";
import { readManifest } from "../../config/manifests.ts";
import { apiPort } from "../../config/topology.ts";
import { has, type NodeContext } from "../context.ts";

export interface Row {
  readonly name: string;
  /** Its start is held up until the check passes. Without: the cluster's state, which only `status` asks for. */
  readonly unit?: string;
  /** Of these, the roles whose installation brings what is checked. */
  readonly roles: readonly Role[];
  readonly when?: (context: NodeContext) => boolean;
  readonly argv: (context: NodeContext) => readonly string[];
  readonly environment?: (context: NodeContext) => Record<string, string>;
  readonly matches?: string | ((context: NodeContext) => string);
  readonly timeoutSeconds: number;
  /** What it cannot pass without, and other hosts may bring. */
  readonly awaits?: (context: NodeContext) => CheckEntry["awaits"] | null;
  readonly severity?: (context: NodeContext) => CheckEntry["severity"];
  readonly hint: string | ((context: NodeContext) => string);
}

export const daemons = (c: NodeContext): boolean => c.topology.generation.daemons;
export const journal = (unit: string): string => `journalctl -u ${unit} -n 50 --no-pager`;
/** What other nodes bring, and may not have brought yet. */
export const warning = (): CheckEntry["severity"] => "warning";
/** What rests on etcd cannot be well before its other members are installed; on hosts of their own it must be. */
export const withinQuorum = (c: NodeContext): CheckEntry["severity"] =>
  c.topology.etcd.clientUrls.length > 1 && (has(c, "etcd") || has(c, "master")) ? "quorum" : "error";
/** A quorum of etcd: what rests on it waits until it is there. Alike on every node, so that equal checks stay one. */
export const etcdQuorum = ({ topology: { etcdMembers } }: NodeContext): CheckEntry["awaits"] => ({
  what: "etcd",
  at: etcdMembers.map(({ ip }) => `${ip}:2379`),
  enough: Math.floor(etcdMembers.length / 2) + 1,
});
/** One API server: what a node has of the cluster comes with it. */
export const anyApi = ({ topology }: NodeContext): CheckEntry["awaits"] => ({
  what: "an API server",
  at: topology.masters.map(({ ip }) => `${ip}:${apiPort}`),
  enough: 1,
});
export const bin = (c: NodeContext, name: string): string => `${c.paths.binaries}/${name}`;
export const admin = (c: NodeContext): string => `--kubeconfig=${c.paths.config}/admin.kubeconfig`;

/** The administrator's question to this master's own API server. */
export const ask = (c: NodeContext, ...words: readonly string[]): string[] => [
  bin(c, "kubectl"),
  admin(c),
  `--server=https://${c.node.ip}:${apiPort}`,
  ...words,
];

/** Minimal hosts have neither curl, nc nor jq, but they have bash. The text is a constant; what varies are arguments. */
const bash = (text: string, ...words: readonly string[]): string[] => ["/bin/bash", "-c", text, "check", ...words];
export const listening = (address: string, port: number): string[] =>
  bash('exec 3<>"/dev/tcp/$1/$2"', address, String(port));
const get = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$2" >&3 && cat <&3';
export const httpGet = (port: number, path: string): string[] => bash(get, String(port), path);

/** Which files of manifests/checks a question consists of. */
const scripts = {
  "one-leader": ["one-leader"],
  "every-subnet": ["every-subnet"],
  "flannel-interface": ["has-address", "subnet", "flannel-interface"],
  "docker-subnet": ["subnet", "docker-subnet"],
  "vip-single-holder": ["has-address", "vip-single-holder"],
  "leader-lease": ["leader-lease"],
  "expect-empty": ["expect-empty"],
  "all-ready": ["all-ready"],
  cni: ["cni"],
  "file-exists": ["file-exists"],
  "service-forwarded": ["service-forwarded"],
  resolves: ["resolves"],
} as const;

/** A question that no one program answers. It ends well, or says on its last line what is wrong: after what its programs complain of. */
export function script(name: keyof typeof scripts, ...words: readonly string[]): string[] {
  const texts = scripts[name].map((part) => {
    const text = readManifest(`checks/${part}.sh`);
    if (text === undefined) throw new Error(`there is no manifests/checks/${part}.sh`);
    return text.replaceAll(/^# .*\n/gm, "");
  });
  return bash(`exec >&2\n${texts.join("").trimEnd()}`, ...words);
}

/** A value as a regular expression that matches only it. */
export const literally = (text: string): string => text.replaceAll(/[.\\/+*?()[\]{}^$|-]/g, String.raw`\$&`);
