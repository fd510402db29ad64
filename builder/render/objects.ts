/** What is brought about in the running cluster after the start: files for kubectl and etcd, and their order. */
import type { ObjectEntry, Role } from "#bundle";
import { isWithin } from "../config/generations.ts";
import { authorityOf } from "../pki/authority.ts";
import { has, imageOf, neededImage, type NodeContext, runsFlanneld } from "./context.ts";
import { flannelPrefix } from "./daemons/flanneld.ts";
import type { Piece } from "./pieces.ts";
import type { Templates } from "./template.ts";

type Data = Record<string, unknown>;

interface ObjectRow {
  /** File name below the folder of objects; the order of the table is the order of bringing about. */
  readonly file: string;
  /** Below manifests/; null: the release brings the file. */
  readonly template: string | null;
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
const sinceTokens = (c: NodeContext): boolean => daemons(c) && isWithin(c.era, "1.11", null);
const addon = (name: string) => (c: NodeContext) => daemons(c) && c.topology.addons.includes(name);
const plugin = (name: string) => (c: NodeContext) => daemons(c) && c.topology.network.plugin === name;
/** 1.6 has RBAC as beta only. */
const rbacVersion = (c: NodeContext): string => `rbac.authorization.k8s.io/${c.era === "1.6" ? "v1beta1" : "v1"}`;
const old = (c: NodeContext): boolean => c.era !== "1.36";

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
      staticTokens: c.era === "1.6",
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
      old: old(c),
      namespace: old(c) ? "kube-system" : "kube-flannel",
      image: neededImage(c, "flannel", "coreos_flannel"),
      plugin: old(c) ? "" : neededImage(c, "flannel-cni-plugin"),
    }),
  },
  {
    file: "calico-crds.yaml",
    template: null,
    via: "kubectl",
    role: "master",
    when: (c) => plugin("calico")(c) && !old(c),
  },
  {
    file: "calico.yaml",
    template: "addons/calico.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: plugin("calico"),
    data: (c) => ({
      old: old(c),
      resources: calicoResources,
      image: neededImage(c, "node"),
      cni: neededImage(c, "cni"),
      controllers: neededImage(c, "kube-controllers"),
    }),
  },
  {
    file: "coredns.yaml",
    template: "addons/coredns.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: addon("coredns"),
    data: (c) => ({ image: neededImage(c, "coredns"), old: c.era === "1.11" }),
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
    when: (c) => addon("dashboard")(c) && c.era === "1.6",
    data: (c) => ({ image: neededImage(c, "kubernetes-dashboard") }),
  },
  {
    file: "dashboard.yaml",
    template: "addons/dashboard.yaml.ejs",
    via: "kubectl",
    role: "master",
    when: (c) => addon("dashboard")(c) && c.era !== "1.6",
    data: (c) => ({
      image: neededImage(c, "kubernetes-dashboard", "dashboard"),
      version2: c.era !== "1.11",
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
    if (row.template === null) return [];
    const sensitive = row.sensitive ?? false;
    return [
      {
        path: pathOf(context, row),
        mode: sensitive ? "0600" : "0644",
        content: contentOf(context, row, templates),
        sensitive,
        roles: [row.role],
        origin: { from: "template", template: `manifests/${row.template}` },
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
    return { ...shared, via: `etcd${topology.generation.etcdApiOfFlannel}`, key: row.key, value };
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
  return rows.filter((row) => has(context, row.role) && row.when(context));
}

function pathOf(context: NodeContext, row: ObjectRow): string {
  return `${context.paths.own}/${row.file}`;
}

function contentOf(context: NodeContext, row: ObjectRow, templates: Templates): string {
  const { topology, node, paths } = context;
  if (row.template === null) throw new Error(`${row.file} has no template`);
  return templates.render(row.template, { topology, node, paths, ...row.data?.(context) });
}

/** What answers the smoke test is an image that the cluster has anyway: no other is carried for it. */
/** An image called `smoke` answers at /health by itself; without one, the image of the cluster's DNS is made to. */
function smoke(context: NodeContext): Data {
  const api = context.era === "1.6" ? "extensions/v1beta1" : "apps/v1";
  const own = imageOf(context, "smoke");
  if (own !== null) return { api, image: own, args: [], path: "/health" };
  if (addon("coredns")(context))
    return { api, image: neededImage(context, "coredns"), args: ["-conf", "/etc/smoke/Corefile"], path: "/health" };
  return { api, image: neededImage(context, "k8s-dns-sidecar"), args: ["--prometheus-port=8080"], path: "/metrics" };
}

/** Each version of metrics-server has other flags for the same: check the kubelets' certificates, ask them by address. */
function metricsServer(context: NodeContext): Data {
  const shared = {
    image: neededImage(context, "metrics-server"),
    registration: context.era === "1.11" || context.era === "1.16" ? "v1beta1" : "v1",
    authority: authorityOf(context.pki, "kubernetes").certificate.trimEnd().split("\n"),
  };
  if (context.era === "1.11") {
    const source = "--source=kubernetes.summary_api:''?kubeletHttps=true&kubeletPort=10250&insecure=true";
    return { ...shared, command: ["/metrics-server", source], args: [], port: 443 };
  }
  const addresses = "--kubelet-preferred-address-types=InternalIP,Hostname";
  const authority = "--kubelet-certificate-authority=/etc/kubelet-ca/ca.pem";
  if (context.era === "1.16") {
    const args = ["--cert-dir=/tmp", "--secure-port=4443", addresses, authority];
    return { ...shared, command: [], args, port: 4443 };
  }
  const args = ["--cert-dir=/tmp", "--secure-port=10250", addresses, authority, "--metric-resolution=15s"];
  return { ...shared, command: [], args, port: 10250 };
}
