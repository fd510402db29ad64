/** flannel: as pods, with its subnets in the API; or, as `flannel-etcd`, as a service of the host with its subnets in etcd. */
import { familyOf } from "#formats/address";
import { apiServerOfHosts } from "../../config/topology.ts";
import { available, journal, literally, onEtcd, script, warning, withinQuorum } from "../check.ts";
import type { Component } from "../component.ts";
import {
  etcdApiOfFlannel,
  flannelNamespace,
  imageOf,
  neededImage,
  type NodeContext,
  path,
  pem,
  plugin,
  runsDocker,
  runsFlanneld,
} from "../context.ts";
import { etcdctl, ownEndpoint } from "../etcd/component.ts";
import { isHardened } from "../profile.ts";
import { always, type FlagRow } from "../rows.ts";

const runsPods = plugin("flannel");
const subnetFile = "/run/flannel/subnet.env";
/** Where flannel keeps the cluster's network and each node's subnet. */
const prefix = "/kubernetes/network";

const flags: readonly FlagRow[] = [
  always("etcd-cafile", pem("etcdPki", "ca")),
  always("etcd-certfile", pem("etcdPki", "flanneld")),
  always("etcd-keyfile", pem("etcdPki", "flanneld-key")),
  always("etcd-endpoints", (c) => c.topology.etcd.clientUrls.join(",")),
  always("etcd-prefix", prefix),
  // flannel takes an interface's address as well as its name, and the address is what cluster.yaml has.
  always("iface", (c) => c.node.ip),
  always("ip-masq", "true"),
];

/** Workers with an address of their own: those that come and go are known to nobody before. */
const knownWorkers = (c: NodeContext): string[] =>
  c.topology.workers.filter(({ subnet }) => subnet === null).map(({ ip }) => ip);

/** Fields of flannel's own configuration: of itself it wants IPv4. */
function networksOf(pods: readonly string[]): string {
  const fields = pods.map((range) =>
    familyOf(range) === "ipv4" ? `"Network": "${range}"` : `"EnableIPv6": true, "IPv6Network": "${range}"`,
  );
  const alone = pods.every((range) => familyOf(range) === "ipv6");
  return [...(alone ? ['"EnableIPv4": false'] : []), ...fields].join(", ");
}

export const flannel: Component = {
  name: "flannel",
  roles: ["worker"],
  when: (cluster) => runsPods(cluster) || runsFlanneld(cluster),
  units: [{ name: "flanneld.service", start: 50, behind: "etcd", when: runsFlanneld, flags }],
  files: [
    {
      name: "10-flannel.conflist",
      path: path("cniConfig", "10-flannel.conflist"),
      when: (c) => runsFlanneld(c) && !runsDocker(c),
    },
  ],
  certificates: [{ name: "flanneld", authority: "etcd", folder: "etcdPki", usages: ["client"], when: runsFlanneld }],
  host: () => ({ modules: ["vxlan"], ports: [{ port: "8472", protocol: "udp" }] }),
  objects: [
    { name: "flannel-network.json", via: "etcd", roles: ["etcd"], key: `${prefix}/config`, when: runsFlanneld },
    {
      name: "flannel.yaml",
      when: runsPods,
      data: (c) => ({
        namespace: flannelNamespace(c),
        image: neededImage(c, "flannel"),
        plugin: imageOf(c, "flannel-cni-plugin"),
        hardened: isHardened(c),
        networks: networksOf(c.topology.network.pods),
        api: apiServerOfHosts(c.topology),
      }),
    },
  ],
  checks: [
    {
      name: "flannel's network is in etcd",
      at: 10,
      roles: ["etcd"],
      when: runsFlanneld,
      argv: (c) => [
        ...etcdctl(c, ownEndpoint, etcdApiOfFlannel(c)),
        "get",
        ...(etcdApiOfFlannel(c) === "3" ? ["--print-value-only"] : []),
        `${prefix}/config`,
      ],
      environment: (c) => ({ ETCDCTL_API: etcdApiOfFlannel(c) }),
      matches: (c) => `"Network": ?"${literally(c.topology.network.pods.join())}"`,
      severity: withinQuorum,
      hint: "on the first member: ./install --role etcd --ip IP; it puts the key",
    },
    {
      name: "every worker has a subnet of flannel's in etcd",
      at: 10,
      roles: ["etcd"],
      when: (c) => runsFlanneld(c) && knownWorkers(c).length > 0,
      argv: (c) => {
        const client = etcdctl(c, ownEndpoint, etcdApiOfFlannel(c));
        const words = [etcdApiOfFlannel(c), `${prefix}/subnets`, String(client.length)];
        return script(["flannel/every-subnet.sh"], ...words, ...client, ...knownWorkers(c));
      },
      environment: (c) => ({ ETCDCTL_API: etcdApiOfFlannel(c) }),
      timeoutSeconds: 60,
      severity: warning,
      hint: `on that worker: ${journal("flanneld")}; wanted there: Lease acquired`,
    },
    {
      name: "flannel has a subnet",
      unit: "flanneld.service",
      when: runsFlanneld,
      argv: () => ["/bin/grep", "-E", "^FLANNEL_SUBNET=[0-9.]+/[0-9]+$", subnetFile],
      timeoutSeconds: 60,
      ...onEtcd,
      hint: `${journal("flanneld")}; wanted there: Lease acquired`,
    },
    {
      name: "flannel's interface is in its subnet",
      when: runsFlanneld,
      argv: () => script(["has-address.sh", "flannel/subnet.sh", "flannel/flannel-interface.sh"], subnetFile),
      timeoutSeconds: 20,
      ...onEtcd,
      hint: `ip -d address show flannel.1; ${journal("flanneld")}`,
    },
    {
      name: "docker is in flannel's subnet",
      unit: "docker.service",
      at: 60,
      when: (c) => runsDocker(c) && runsFlanneld(c),
      argv: () => script(["flannel/subnet.sh", "flannel/docker-subnet.sh"], subnetFile),
      timeoutSeconds: 20,
      ...onEtcd,
      hint: "systemctl restart docker; it takes its subnet from /run/flannel/docker",
    },
    { ...available("daemonset", "kube-flannel-ds", flannelNamespace), when: runsPods },
  ],
  written: (c) => {
    if (!runsPods(c)) return [];
    const { cniBinaries, cniConfig } = c.paths;
    // Older images have no program of CNI: the plugins' own is used.
    const program = imageOf(c, "flannel-cni-plugin") === null ? [] : [`${cniBinaries}/flannel`];
    return [...program, `${cniConfig}/10-flannel.conflist`].map((path) => ({ path, by: "the pod of flannel" }));
  },
};
