/**
 * May a kubelet have the certificate that it asks for? Only a node that is known, asking for itself, with exactly its
 * own name and address; everything else is left, with the reason. Pure.
 */
import { contains } from "#formats/address";
import type { CertificateRequest } from "./request.ts";

/** Whom a cluster knows. */
export interface KnownNodes {
  readonly nodes: readonly { readonly name: string; readonly ip: string; readonly ip6?: string }[];
  /** Workers that come and go: any name, an address of this network. Null: there are none. */
  readonly workers: { readonly subnet: string } | null;
  /** By a bootstrap token's id, its node; null: of all workers that come and go. */
  readonly tokens: Readonly<Record<string, string | null>>;
}

/** A request as the cluster holds it: who asks, and for what. */
export interface Asked {
  readonly name: string;
  readonly username: string;
  readonly groups: readonly string[];
  /** Absent before Kubernetes 1.18. */
  readonly signer: string | null;
  readonly usages: readonly string[];
  /** Null: it cannot be read; `unread` says why. */
  readonly request: CertificateRequest | null;
  readonly unread?: string;
}

/** What the cluster's own nodes are called now, and the addresses that they report. */
export interface Registered {
  readonly name: string;
  readonly addresses: readonly string[];
}

export type Verdict =
  | { readonly approve: true; readonly node: string; readonly use: "serving" | "client" }
  | { readonly approve: false; readonly why: string };

const servingSigner = "kubernetes.io/kubelet-serving";
const clientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
const prefix = "system:node:";
/** A name of a node: RFC 1123. */
const nodeName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Who asks with a bootstrap token: this and the token's id. */
const bootstrapUser = "system:bootstrap:";
const bootstrapGroup = "system:bootstrappers";

/** Judges one request. */
export function judge(asked: Asked, known: KnownNodes, registered: readonly Registered[]): Verdict {
  const { request } = asked;
  if (request === null) return no(asked.unread ?? "its request cannot be read");
  const use = useOf(asked);
  if (use === null) return no(`its signer and usages are no kubelet's: ${describeUse(asked)}`);
  if (request.others.length > 0) return no(`it asks for ${request.others.join(", ")}`);
  const [commonName = "", ...moreNames] = request.commonNames;
  const node = commonName.slice(prefix.length);
  if (moreNames.length > 0 || !commonName.startsWith(prefix) || !nodeName.test(node))
    return no(`its common name is ${quoted(request.commonNames)}, not one ${prefix}NAME`);
  if (request.organizations.join() !== "system:nodes" || request.organizations.length !== 1)
    return no(`its organization is ${quoted(request.organizations)}, not system:nodes alone`);
  return use === "serving"
    ? judgeServing(asked, request, node, known, registered)
    : judgeClient(asked, request, node, known, registered);
}

function judgeServing(
  { username, groups }: Asked,
  { dns, ips }: CertificateRequest,
  node: string,
  { nodes, workers }: KnownNodes,
  registered: readonly Registered[],
): Verdict {
  if (username !== `${prefix}${node}`) return no(`${username} asks for the certificate of ${node}`);
  if (!groups.includes("system:nodes")) return no(`${username} is not of the group system:nodes`);
  if (dns.length !== 1 || dns[0] !== node) return no(`its names are ${quoted(dns)}, expected ${quoted([node])}`);
  const entry = nodes.find(({ name }) => name === node);
  if (entry !== undefined) {
    const own = [entry.ip, ...(entry.ip6 === undefined ? [] : [entry.ip6])];
    if (ips.toSorted().join() === own.toSorted().join()) return { approve: true, node, use: "serving" };
    return no(`its addresses are ${quoted(ips)}, expected ${quoted(own)}`);
  }
  if (workers === null) return no(`${node} is no node of this cluster`);
  const [ip = "", ...more] = ips;
  if (more.length > 0 || !contains(workers.subnet, ip))
    return no(`its addresses are ${quoted(ips)}, expected one in ${workers.subnet}`);
  const owner =
    nodes.find((other) => other.ip === ip)?.name ??
    registered.find(({ name, addresses }) => name !== node && addresses.includes(ip))?.name;
  if (owner !== undefined) return no(`${ip} is the address of ${owner}`);
  return { approve: true, node, use: "serving" };
}

/** A node renews its own. The first one is its own token's to ask for: else whoever stole one were every other node, too. */
function judgeClient(
  { username, groups }: Asked,
  { dns, ips }: CertificateRequest,
  node: string,
  { nodes, tokens }: KnownNodes,
  registered: readonly Registered[],
): Verdict {
  const approved: Verdict = { approve: true, node, use: "client" };
  if (dns.length + ips.length > 0)
    return no(`a client certificate has no names of servers: ${quoted([...dns, ...ips])}`);
  if (username === `${prefix}${node}` && groups.includes("system:nodes")) return approved;
  if (!username.startsWith(bootstrapUser) || !groups.includes(bootstrapGroup))
    return no(`${username} asks for the certificate of ${node}`);
  const token = username.slice(bootstrapUser.length);
  const owner = Object.hasOwn(tokens, token) ? tokens[token] : undefined;
  if (owner === node) return approved;
  if (typeof owner === "string") return no(`the bootstrap token of ${owner} asks for the certificate of ${node}`);
  if (owner === undefined)
    return no(`bootstrap token ${token} is of no node in this master's bundle: look who asks, then approve it by hand`);
  if (nodes.some(({ name }) => name === node))
    return no(`the token of workers that come and go asks for the certificate of ${node}, which has its own`);
  if (registered.some(({ name }) => name === node))
    return no(`${node} has joined already: if it was installed anew, approve it by hand`);
  return approved;
}

/** What a request is for, by its signer and exactly its usages; keys that are not RSA need no key encipherment. */
function useOf({ signer, usages }: Asked): "serving" | "client" | null {
  const rest = usages.filter((usage) => usage !== "key encipherment").toSorted();
  if (new Set(usages).size !== usages.length) return null;
  const is = (...expected: string[]): boolean => rest.join() === expected.join();
  if (is("digital signature", "server auth") && (signer ?? servingSigner) === servingSigner) return "serving";
  if (is("client auth", "digital signature") && (signer ?? clientSigner) === clientSigner) return "client";
  return null;
}

function describeUse({ signer, usages }: Asked): string {
  return `${signer ?? "no signer"}, ${usages.join(", ") || "no usages"}`;
}

function quoted(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => JSON.stringify(name)).join(", ");
}

function no(why: string): Verdict {
  return { approve: false, why };
}
