/** What templates are given besides the topology: small derived values, one function a template. */
import { addressIn } from "../config/topology.ts";
import { tokenOf } from "../pki/authority.ts";
import {
  binary,
  has,
  isAtLeast,
  type NodeContext,
  runsContainerd,
  runsDocker,
  runsFlanneld,
  usesLocalProxy,
} from "./context.ts";
import { merged } from "./configurations/merge.ts";
import { dockerRegistries } from "./registries.ts";

type Data = Record<string, unknown>;

/** `After=` and `Requires=` of units whose neighbours depend on the cluster. */
export function unitOrder(context: NodeContext, name: string): Data {
  const runtime = runsDocker(context) ? "docker.service" : "containerd.service";
  const proxy = usesLocalProxy(context) ? ["kube-nginx.service"] : [];
  const etcd = context.node.roles.includes("etcd") ? ["etcd.service"] : [];
  if (name === "kube-apiserver") return { after: ["network-online.target", ...etcd] };
  if (name === "kubelet") return { after: ["network-online.target", runtime, ...proxy], requires: [runtime] };
  if (name === "kube-proxy") return { after: ["network-online.target", ...proxy] };
  return {};
}

/** Limits that cluster.yaml names: `[name, value]`, by the names that PAM and systemd share. */
export function limits({ topology }: NodeContext): Data {
  return { limits: Object.entries(topology.cluster.host.limits) };
}

export function dockerUnit(context: NodeContext): Data {
  const requires = [
    ...(runsContainerd(context) ? ["containerd.service"] : []),
    ...(runsFlanneld(context) ? ["flanneld.service"] : []),
  ];
  const words = [
    ...(runsContainerd(context) ? ["--containerd=/run/containerd/containerd.sock"] : []),
    // A shell-like name that systemd fills from flannel's file at each start.
    ...(runsFlanneld(context) ? ["$DOCKER_NETWORK_OPTIONS"] : []),
  ];
  return {
    requires,
    after: ["network-online.target", "firewalld.service", ...requires],
    flannel: runsFlanneld(context),
    words,
    // docker denies all other forwarding; what comes from other nodes' pods goes to its bridge.
    forwarded: runsFlanneld(context) ? ["-i docker0", "-o docker0"] : [],
  };
}

export function dockerSettings(context: NodeContext): Data {
  const { topology, paths } = context;
  const docker = (version: string): boolean => isAtLeast(context, version, "docker");
  const settings = {
    [docker("17.05") ? "data-root" : "graph"]: paths.docker,
    // Otherwise these write a key of their own into /etc/docker; it belongs to docker's data.
    ...(docker("18.09") && !docker("23.0") ? { "deprecated-key-path": `${paths.docker}/key.json` } : {}),
    "exec-opts": [`native.cgroupdriver=${topology.generation.cgroupDriver}`],
    "storage-driver": "overlay2",
    "live-restore": true,
    "max-concurrent-downloads": 10,
    "log-driver": "json-file",
    "log-opts": { "max-size": "100m", "max-file": "5" },
    ...dockerRegistries(context),
  };
  return { settings: merged(settings, topology.cluster.docker) };
}

interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** Taints with which a node registers: those of cluster.yaml, and that of a master where others can run the pods. */
export function taintsOf({ topology, node }: NodeContext): Taint[] {
  const others = topology.workers.some((worker) => !worker.roles.includes("master"));
  const key = `node-role.kubernetes.io/${topology.generation.masterRole}`;
  const own = node.roles.includes("master") && others ? [{ key, value: "", effect: "NoSchedule" }] : [];
  const asked = node.taints.map((taint) => {
    const [pair = "", effect = ""] = taint.split(":");
    const [key = "", value = ""] = pair.split("=");
    return { key, value, effect };
  });
  return [...own, ...asked];
}

export function encryption(context: NodeContext): Data {
  const old = !isAtLeast(context, "1.16");
  return {
    apiVersion: old ? "v1" : "apiserver.config.k8s.io/v1",
    kind: old ? "EncryptionConfig" : "EncryptionConfiguration",
    // The first one writes. Both read: while masters go from 1.23 to 1.24 one by one, and ever after, each meets what the
    // other has written.
    providers: isAtLeast(context, "1.24") ? ["secretbox", "aescbc"] : ["aescbc", "secretbox"],
    keys: context.pki.encryptionKeys,
  };
}

export function auditPolicy(context: NodeContext): Data {
  return { apiVersion: `audit.k8s.io/${isAtLeast(context, "1.16") ? "v1" : "v1beta1"}` };
}

/** Read by the installer on masters: `ClusterFacts` there. */
export function clusterFacts(context: NodeContext): Data {
  const { topology } = context;
  const profile = topology.workers.find((node) => node.subnet !== null);
  const facts = {
    nodes: topology.workers.filter((node) => node.subnet === null).map(({ name, ip }) => ({ name, ip })),
    workers: profile === undefined ? null : { subnet: profile.subnet },
    pods: topology.network.pods,
    nodePorts: topology.network.nodePorts,
  };
  return { facts };
}

/** Read by the installer on masters: whose each bootstrap token is, by its id; null: of all workers that come and go. */
export function tokenOwners({ topology, pki }: NodeContext): Data {
  const owners = topology.workers.map(({ name, subnet }) => [tokenOf(pki, name).id, subnet === null ? name : null]);
  return { owners: Object.fromEntries(owners) as Record<string, string | null> };
}

/** One line a node, with the user and group that bootstrap tokens have later: a stolen one can be taken out alone. */
export function tokenFile({ topology, pki }: NodeContext): Data {
  const lines = topology.workers.map(({ name }, index) => {
    const { id, secret } = tokenOf(pki, name);
    return `${id}.${secret},system:bootstrap:${id},${10001 + index},"system:bootstrappers"`;
  });
  return { lines };
}

export function nginx(context: NodeContext): Data {
  return { nginx: binary(context, "nginx") };
}

export function haproxy(context: NodeContext): Data {
  return { haproxy: binary(context, "haproxy") };
}

export function keepalived(context: NodeContext): Data {
  const { masters, cluster } = context.topology;
  const rank = masters.findIndex((node) => node.name === context.node.name);
  return {
    keepalived: binary(context, "keepalived"),
    vip: cluster.api.vip,
    first: rank === 0,
    priority: rank === 0 ? 120 : 110 - rank,
    killall: binary(context, "killall", "/usr/bin"),
    peers: masters.filter((node) => node.name !== context.node.name).map((node) => node.ip),
  };
}

/** With host routes each listed worker has the /24 of its place in the list; a profile cannot have one. */
export function hasStaticSubnet(context: NodeContext): boolean {
  return context.topology.network.plugin === "static-routes" && context.node.subnet === null;
}

export function staticSubnet(context: NodeContext): Data {
  return { subnet: subnetOf(context, context.node.name), mtu: context.topology.network.mtu };
}

/**
 * What the node must have a way to. Services: a host with no default route answers "network is unreachable" before
 * kube-proxy's rules are asked, which then send it elsewhere; any interface will do, and lo has the same name everywhere.
 * With host routes also the pods of the other workers, and a forwarding that a host with a firewall may deny.
 */
export function routes(context: NodeContext): Data {
  const { topology, node } = context;
  const { services, pods, mtu, plugin } = topology.network;
  const isStatic = plugin === "static-routes";
  const others = topology.workers.filter(({ subnet, name }) => isStatic && subnet === null && name !== node.name);
  const toServices = has(context, "worker") ? [`${services} dev lo src ${node.ip} mtu ${mtu}`] : [];
  return {
    routes: [...toServices, ...others.map(({ name, ip }) => `${subnetOf(context, name)} via ${ip}`)],
    rules:
      isStatic && has(context, "worker")
        ? [
            { into: "FORWARD", rule: `-s ${pods} -j ACCEPT` },
            { into: "FORWARD", rule: `-d ${pods} -j ACCEPT` },
            // What leaves the pods' network has the node's address; other nodes' pods see whom they talk to.
            { into: "POSTROUTING -t nat", rule: `-s ${subnetOf(context, node.name)} ! -d ${pods} -j MASQUERADE` },
          ]
        : [],
  };
}

function subnetOf(context: NodeContext, name: string): string {
  const { workers, network } = context.topology;
  const index = workers.filter((node) => node.subnet === null).findIndex((node) => node.name === name);
  return `${addressIn(network.pods, index * 256)}/24`;
}
