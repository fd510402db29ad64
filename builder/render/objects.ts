/** What is brought about in the running cluster after the start: files for kubectl and etcd, and their order. */
import type { ObjectEntry, Role } from "#bundle";
import { apiServerOfHosts } from "../config/topology.ts";
import {
  etcdApiOfFlannel,
  flannelNamespace,
  has,
  imageOf,
  isAtLeast,
  neededImage,
  type NodeContext,
  runsFlanneld,
} from "./context.ts";
import { hasPodSecurity } from "./admission.ts";
import { flannelPrefix } from "./daemons/flanneld.ts";
import { metricsServer } from "./metrics-server.ts";
import type { Piece } from "./pieces.ts";
import { isHardened } from "./profile.ts";
import type { Templates } from "./template.ts";

type Data = Record<string, unknown>;

interface ObjectRow {
  /** File name below the folder of objects; the order of the table is the order of bringing about. */
  readonly file: string;
  /** Below manifests/; null: the release brings the file, or the operator. */
  readonly template: string | null;
  /** The operator's own. */
  readonly text?: string;
  readonly via: "kubectl" | "etcd" | "file";
  readonly role: Role;
  readonly key?: string;
  readonly sensitive?: boolean;
  readonly when: (context: NodeContext) => boolean;
  readonly data?: (context: NodeContext) => Data;
}

/** An object of one node, before equal ones are gathered. */
export type NodeObject = Omit<ObjectEntry, "for"> & { readonly roles: readonly Role[] };

const daemons = (c: NodeContext): boolean => c.topology.generation.daemons;
const sinceTokens = (c: NodeContext): boolean => isAtLeast(c, "1.11");
const addon = (name: string) => (c: NodeContext) => daemons(c) && c.topology.addons.includes(name);
const plugin = (name: string) => (c: NodeContext) => daemons(c) && c.topology.network.plugin === name;
const rbacVersion = (c: NodeContext): string => `rbac.authorization.k8s.io/${isAtLeast(c, "1.8") ? "v1" : "v1beta1"}`;
/** calico's definitions of its own resources come as a file with later releases. */
const withCrds = (c: NodeContext): boolean => c.binaries.has("calico-crds.yaml");

const rows: readonly ObjectRow[] = [
  {
    file: "flannel-network.json",
    template: "objects/flannel-network.json.ejs",
    via: "etcd",
    role: "etcd",
    key: `${flannelPrefix}/config`,
    when: runsFlanneld,
  },
  {
    file: "rbac.yaml",
    template: "objects/rbac.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: daemons,
    data: (c) => ({
      rbac: rbacVersion(c),
      approvesRenewals: sinceTokens(c),
    }),
  },
  {
    file: "bootstrap-tokens.yaml",
    template: "objects/bootstrap-tokens.yaml.ejs",
    via: "kubectl",
    role: "master",
    sensitive: true,
    when: (c) => sinceTokens(c) && c.pki.tokens.size > 0,
    data: (c) => ({
      tokens: [...c.pki.tokens].map(([node, { id, secret, expires }]) => ({
        node,
        id,
        secret,
        expiration: expires.toISOString().replace(/\.\d+Z$/, "Z"),
      })),
    }),
  },
  {
    file: "flannel.yaml",
    template: "addons/flannel.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: plugin("flannel"),
    data: (c) => ({
      namespace: flannelNamespace(c),
      image: neededImage(c, "flannel"),
      plugin: imageOf(c, "flannel-cni-plugin"),
      hardened: isHardened(c),
      api: apiServerOfHosts(c.topology),
    }),
  },
  {
    file: "calico-crds.yaml",
    template: null,
    via: "kubectl",
    role: "master",
    when: (c) => plugin("calico")(c) && withCrds(c),
  },
  {
    file: "calico.yaml",
    template: "addons/calico.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: plugin("calico"),
    data: (c) => ({
      old: !withCrds(c),
      resources: calicoResources,
      image: neededImage(c, "node"),
      cni: neededImage(c, "cni"),
      controllers: neededImage(c, "kube-controllers"),
      api: apiServerOfHosts(c.topology),
    }),
  },
  {
    // After the network's, whose namespace it speaks of; until then no pod is admitted.
    file: "pod-security-policy.yaml",
    template: "objects/pod-security-policy.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: (c) => isHardened(c) && !hasPodSecurity(c),
    data: (c) => ({
      namespaces: [...new Set(["kube-system", ...(plugin("flannel")(c) ? [flannelNamespace(c)] : [])])],
    }),
  },
  {
    file: "coredns.yaml",
    template: "addons/coredns.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: addon("coredns"),
    data: (c) => ({ image: neededImage(c, "coredns"), old: !isAtLeast(c, "1.5", "coredns") }),
  },
  {
    file: "kube-dns.yaml",
    template: "addons/kube-dns.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: addon("kube-dns"),
    data: (c) => ({
      kubedns: neededImage(c, "k8s-dns-kube-dns"),
      dnsmasq: neededImage(c, "k8s-dns-dnsmasq-nanny"),
      sidecar: neededImage(c, "k8s-dns-sidecar"),
    }),
  },
  {
    file: "metrics-server.yaml",
    template: "addons/metrics-server.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: addon("metrics-server"),
    data: metricsServer,
  },
  {
    file: "dashboard.yaml",
    template: "addons/dashboard-1.6.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: (c) => addon("dashboard")(c) && !sinceTokens(c),
    data: (c) => ({ image: neededImage(c, "kubernetes-dashboard") }),
  },
  {
    file: "dashboard.yaml",
    template: "addons/dashboard.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: (c) => addon("dashboard")(c) && sinceTokens(c),
    data: (c) => ({
      image: neededImage(c, "kubernetes-dashboard", "dashboard"),
      version2: isAtLeast(c, "2.0", "dashboard"),
    }),
  },
  {
    file: "heapster.yaml",
    template: "addons/heapster.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: addon("heapster"),
    data: (c) => ({ image: neededImage(c, "heapster"), rbac: rbacVersion(c) }),
  },
  {
    // Not brought about by itself: `./install smoke` does.
    file: "smoke.yaml",
    template: "objects/smoke.yaml.ejs",
    via: "file",
    role: "master",
    when: (c) => addon("coredns")(c) || addon("kube-dns")(c) || (daemons(c) && imageOf(c, "smoke") !== null),
    data: smoke,
  },
];

const calicoResources = [
  ["felixconfigurations", "FelixConfiguration", "Cluster"],
  ["ipamblocks", "IPAMBlock", "Cluster"],
  ["blockaffinities", "BlockAffinity", "Cluster"],
  ["ipamhandles", "IPAMHandle", "Cluster"],
  ["ipamconfigs", "IPAMConfig", "Cluster"],
  ["bgppeers", "BGPPeer", "Cluster"],
  ["bgpconfigurations", "BGPConfiguration", "Cluster"],
  ["ippools", "IPPool", "Cluster"],
  ["hostendpoints", "HostEndpoint", "Cluster"],
  ["clusterinformations", "ClusterInformation", "Cluster"],
  ["globalnetworkpolicies", "GlobalNetworkPolicy", "Cluster"],
  ["globalnetworksets", "GlobalNetworkSet", "Cluster"],
  ["networkpolicies", "NetworkPolicy", "Namespaced"],
  ["networksets", "NetworkSet", "Namespaced"],
] as const;

/** The files of a node's objects. */
export function objectPieces(context: NodeContext, templates: Templates): Piece[] {
  return rowsOf(context).flatMap((row) => {
    if (row.template === null && row.text === undefined) return [];
    const sensitive = row.sensitive ?? false;
    return [
      {
        path: pathOf(context, row),
        mode: sensitive ? "0600" : "0644",
        content: contentOf(context, row, templates),
        sensitive,
        roles: [row.role],
        origin:
          row.template === null
            ? { from: "operator", name: row.file }
            : { from: "template", template: `manifests/${row.template}` },
      },
    ];
  });
}

/** The objects that a node brings about, in order: what is of the whole cluster, the first member or master. */
export function objectsOf(context: NodeContext, templates: Templates): NodeObject[] {
  const { topology, node } = context;
  const first = { etcd: topology.etcdMembers[0], master: topology.masters[0], worker: undefined };
  const rows = rowsOf(context).filter(({ via, role }) => via !== "file" && first[role]?.name === node.name);
  const objects = rows.map((row): NodeObject => {
    const shared = { name: row.file.replace(/\.\w+$/, ""), path: pathOf(context, row), roles: [row.role] };
    if (row.via !== "etcd" || row.key === undefined) return { ...shared, via: "kubectl" };
    const value = contentOf(context, row, templates).trim();
    return { ...shared, via: `etcd${etcdApiOfFlannel(context)}`, key: row.key, value };
  });
  return [...objects, ...masterLabel(context)];
}

/** A kubelet may not say of its own node that it is a master: the master does, once the node has joined. */
function masterLabel(context: NodeContext): NodeObject[] {
  if (!daemons(context) || !has(context, "master") || !has(context, "worker")) return [];
  const key = `node-role.kubernetes.io/${context.topology.generation.masterRole}`;
  return [{ name: context.node.name, via: "label", key, value: "", roles: ["worker"] }];
}

function rowsOf(context: NodeContext): ObjectRow[] {
  return [...rows, ...context.manifests.map(ownRow)].filter((row) => has(context, row.role) && row.when(context));
}

/** Below a folder of its own, so that no name is one of ours. */
function ownRow({ name, text, sensitive }: NodeContext["manifests"][number]): ObjectRow {
  const file = `manifests/${name}.yaml`;
  return { file, template: null, text, via: "kubectl", role: "master", sensitive, when: daemons };
}

function pathOf(context: NodeContext, row: ObjectRow): string {
  return `${context.paths.own}/${row.file}`;
}

function contentOf(context: NodeContext, row: ObjectRow, templates: Templates): string {
  const { topology, node, paths } = context;
  if (row.text !== undefined) return row.text;
  if (row.template === null) throw new Error(`${row.file} has no template`);
  return templates.render(row.template, { topology, node, paths, ...row.data?.(context) });
}

/** An image called `smoke` answers at /health by itself; without one, the image of the cluster's DNS is made to. */
function smoke(context: NodeContext): Data {
  const api = isAtLeast(context, "1.9") ? "apps/v1" : "extensions/v1beta1";
  const shared = { api, restricted: isHardened(context), seccomp: isAtLeast(context, "1.19") };
  const own = imageOf(context, "smoke");
  if (own !== null) return { ...shared, image: own, args: [], path: "/health" };
  if (addon("coredns")(context)) {
    const args = ["-conf", "/etc/smoke/Corefile"];
    return { ...shared, image: neededImage(context, "coredns"), args, path: "/health" };
  }
  const image = neededImage(context, "k8s-dns-sidecar");
  return { ...shared, image, args: ["--prometheus-port=8080"], path: "/metrics" };
}
