/** What rows of health checks are made of. */
import type { CheckEntry } from "#bundle";
import { hostPort } from "#formats/address";
import { readSource } from "../config/manifests.ts";
import { apiPort } from "../config/topology.ts";
import type { CheckRow } from "./component.ts";
import { has, type NodeContext, runsDocker, runsFlanneld } from "./context.ts";

export const journal = (unit: string): string => `journalctl -u ${unit} -n 50 --no-pager`;
/** What other nodes bring, and may not have brought yet. */
export const warning = (): CheckEntry["severity"] => "warning";
/** What rests on etcd cannot be well before its other members are installed; on hosts of their own it must be. */
export const withinQuorum = (c: NodeContext): CheckEntry["severity"] =>
  c.topology.etcd.clientUrls.length > 1 && (has(c, "etcd") || has(c, "master")) ? "quorum" : "error";
/** A quorum of etcd: what rests on it waits until it is there. Alike on every node, so that equal checks stay one. */
const etcdQuorum = ({ topology: { etcdMembers } }: NodeContext): CheckEntry["awaits"] => ({
  what: "etcd",
  at: etcdMembers.map(({ ip }) => hostPort(ip, 2379)),
  enough: Math.floor(etcdMembers.length / 2) + 1,
});
/** One API server: what a node has of the cluster comes with it. */
export const anyApi = ({ topology }: NodeContext): CheckEntry["awaits"] => ({
  what: "an API server",
  at: topology.masters.map(({ ip }) => hostPort(ip, apiPort)),
  enough: 1,
});
/** Of checks of what rests on etcd, or on an API server and so on etcd. */
export const onEtcd = { severity: withinQuorum, awaits: etcdQuorum } as const;
export const onApi = { severity: withinQuorum, awaits: anyApi } as const;
/** docker starts in the subnet that flannel has in etcd, and the kubelet after docker. */
export const throughFlannel = (c: NodeContext): CheckEntry["awaits"] | null =>
  runsDocker(c) && runsFlanneld(c) ? etcdQuorum(c) : null;
export const bin = (c: NodeContext, name: string): string => `${c.paths.binaries}/${name}`;
export const admin = (c: NodeContext): string => `--kubeconfig=${c.paths.config}/admin.kubeconfig`;

/** The administrator's question to this master's own API server. */
export const ask = (c: NodeContext, ...words: readonly string[]): string[] => [
  bin(c, "kubectl"),
  admin(c),
  `--server=https://${hostPort(c.node.ip, apiPort)}`,
  ...words,
];

/** Minimal hosts have neither curl, nc nor jq, but they have bash. The text is a constant; what varies are arguments. */
const bash = (text: string, ...words: readonly string[]): string[] => ["/bin/bash", "-c", text, "check", ...words];
export const listening = (address: string, port: number): string[] =>
  bash('exec 3<>"/dev/tcp/$1/$2"', address, String(port));
const get = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$2" >&3 && cat <&3';
export const httpGet = (port: number, path: string): string[] => bash(get, String(port), path);
export const answers200 = "^HTTP/1\\.[01] 200";

/**
 * A question that no one program answers: the scripts `files` of this folder in one, `flannel/subnet.sh`. It ends well, or
 * says on its last line what is wrong: after what its programs complain of.
 */
export function script(files: readonly string[], ...words: readonly string[]): string[] {
  const texts = files.map((file) => {
    const text = readSource(`builder/components/${file}`);
    if (text === undefined) throw new Error(`there is no builder/components/${file}`);
    return text.replaceAll(/^# .*\n/gm, "");
  });
  return bash(`exec >&2\n${texts.join("").trimEnd()}`, ...words);
}

/** A value as a regular expression that matches only it. */
export const literally = (text: string): string => text.replaceAll(/[.\\/+*?()[\]{}^$|-]/g, String.raw`\$&`);

const counts = {
  deployment: "{{.status.availableReplicas}} of {{.spec.replicas}}",
  daemonset: "{{.status.numberAvailable}} of {{.status.desiredNumberScheduled}}",
} as const;

/** The cluster as a master sees it when all nodes are there: until then it only warns. */
export const ofCluster = { roles: ["master"], at: 90, severity: warning } as const;

/** All pods of a workload run. */
export const available = (
  kind: keyof typeof counts,
  name: string,
  namespace: (context: NodeContext) => string = () => "kube-system",
): CheckRow => ({
  ...ofCluster,
  name: `${name} is available`,
  argv: (c) => ask(c, `--namespace=${namespace(c)}`, "get", kind, name, `-o=go-template=${counts[kind]}`),
  matches: "^([1-9]\\d*) of \\1$",
  hint: (c) => `kubectl -n ${namespace(c)} describe ${kind} ${name}`,
});
