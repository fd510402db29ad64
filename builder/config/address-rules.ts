/** Rules of networks and addresses in `cluster.yaml`. */
import type { ClusterConfig } from "./cluster.ts";
import {
  addressNumber,
  addressText,
  contains,
  eachOf,
  familyOf,
  network,
  overlaps,
  usualSpelling,
} from "#formats/address";
import type { KeyPath } from "./positions.ts";
import { error, type Rule, type RuleFinding, warning } from "./rule.ts";
import { nodeMask } from "./node-mask.ts";

/** A base with host bits (`10.0.0.7/16`) is most often a typing mistake. */
const networkBases: Rule = (cluster) =>
  networks(cluster).flatMap(({ path, cidr }) => {
    const { first, prefix, family } = network(cidr);
    const [base = ""] = cidr.split("/");
    if (first !== addressNumber(base))
      return [error(path, `${cidr} is an address inside a network; wants ${addressText(first, family)}/${prefix}`)];
    return spelling(path, base);
  });

/** IPv6 has many spellings; Kubernetes, the kernel and certificates are compared in one. */
const spellings: Rule = (cluster) => hostAddresses(cluster).flatMap(({ path, ip }) => spelling(path, ip));

function spelling(path: KeyPath, ip: string): RuleFinding[] {
  const usual = usualSpelling(ip);
  return usual === ip ? [] : [error(path, `${ip} has a shorter spelling, the usual one: write ${usual}`)];
}

/** What the API server takes for services, and the controller manager for pods, of which each node gets a range. */
const sizes = {
  ipv4: { services: [12, 28], pods: [0, nodeMask.ipv4 - 1] },
  ipv6: { services: [108, 124], pods: [nodeMask.ipv6 - 16, nodeMask.ipv6 - 1] },
} as const;

const networkSizes: Rule = ({ network: own, nodes }) => {
  const workers = Math.max(2, nodes.filter(({ roles }) => roles.includes("worker")).length);
  const services = eachOf(own.services).flatMap((cidr) => {
    const [least, most] = sizes[familyOf(cidr)].services;
    const { prefix } = network(cidr);
    if (prefix >= least && prefix <= most) return [];
    const which = familyOf(cidr) === "ipv6" ? "service networks of IPv6" : "service networks";
    return [error(["network", "services"], `${cidr}: the API server takes ${which} from /${least} to /${most}`)];
  });
  const pods = eachOf(own.pods).flatMap((cidr) => {
    const { prefix, family } = network(cidr);
    const mask = nodeMask[family];
    const [least] = sizes[family].pods;
    if (prefix < least)
      return [
        error(["network", "pods"], `${cidr}: the controller manager takes networks of IPv6 pods from /${least} on`),
      ];
    if (2 ** (mask - prefix) >= workers) return [];
    const each = workers === 2 ? "two" : workers;
    return [error(["network", "pods"], `${cidr} has no room for a /${mask} for each of ${each} nodes`)];
  });
  return [...services, ...pods];
};

/** Each node's range of pods and the ways to it are settled in the bundle, by the nodes that it names. */
const routesToAll: Rule = ({ network: { plugin }, workers }) =>
  plugin === "static-routes" && workers !== undefined
    ? [
        error(
          ["workers", "subnet"],
          "with static-routes a worker that is not under `nodes` would have no network for its pods; name each, or take flannel",
        ),
      ]
    : [];

const separateNetworks: Rule = (cluster) => {
  const all = networks(cluster);
  return all.flatMap((later, index) =>
    all
      .slice(0, index)
      .filter((earlier) => overlaps(network(earlier.cidr), network(later.cidr)))
      .map((earlier) => error(later.path, `${later.cidr} overlaps ${earlier.path.join(".")} ${earlier.cidr}`)),
  );
};

/** Addresses of hosts must lie outside what the cluster takes for itself. */
const hostsOutside: Rule = (cluster) => {
  const own = networks(cluster).filter(({ path }) => path[0] === "network");
  return hostAddresses(cluster).flatMap(({ path, ip }) =>
    own
      .filter(({ cidr }) => contains(cidr, ip))
      .map((inside) => error(path, `${ip} is inside ${inside.path.join(".")} ${inside.cidr}`)),
  );
};

/** Addresses that no host can be reached at. */
const unusable: readonly { readonly cidr: string; readonly what: string }[] = [
  { cidr: "0.0.0.0/8", what: "means this very host" },
  { cidr: "127.0.0.0/8", what: "is the loopback of every host" },
  { cidr: "169.254.0.0/16", what: "is link-local" },
  { cidr: "224.0.0.0/3", what: "is a multicast or reserved address" },
  { cidr: "::/127", what: "means this very host" },
  { cidr: "::ffff:0:0/96", what: "is an IPv4 address" },
  { cidr: "fe80::/10", what: "is link-local" },
  { cidr: "ff00::/8", what: "is a multicast address" },
];

const reachable: Rule = (cluster) => [
  ...hostAddresses(cluster).flatMap(({ path, ip }) =>
    unusable
      .filter(({ cidr }) => contains(cidr, ip))
      .map(({ what }) => error(path, `${ip} ${what}: other nodes cannot reach it`)),
  ),
  ...networks(cluster).flatMap(({ path, cidr }) =>
    unusable
      .filter((range) => overlaps(network(range.cidr), network(cidr)))
      .map((range) => error(path, `${cidr} overlaps ${range.cidr}, which no cluster can use`)),
  ),
];

/** In the one network of hosts whose size is known, the first address is nobody's, and of IPv4 the last. */
const notTheNetworkItself: Rule = (cluster) => {
  if (cluster.workers === undefined) return [];
  const { subnet } = cluster.workers;
  const { first, last, prefix, family } = network(subnet);
  return hostAddresses(cluster).flatMap(({ path, ip }) => {
    const at = addressNumber(ip);
    if (family !== familyOf(ip)) return [];
    if (family === "ipv6")
      return prefix < 127 && at === first
        ? [error(path, `${ip} is the address of any router of ${subnet}, and of no host`)]
        : [];
    if (prefix > 30 || (at !== first && at !== last)) return [];
    return [error(path, `${ip} is the ${at === first ? "network" : "broadcast"} address of ${subnet}`)];
  });
};

/** keepalived announces the address in the masters' own network; how large that is, only the masters know. */
const vipNearMasters: Rule = ({ api, nodes }) => {
  const masters = nodes.filter(({ roles }) => roles.includes("master"));
  if (api.endpoint !== "vip" || api.vip === undefined || masters.length === 0) return [];
  const prefix = familyOf(api.vip.address) === "ipv4" ? 24 : 64;
  const near = `${api.vip.address}/${prefix}`;
  if (masters.some(({ ip }) => contains(near, eachOf(ip)[0] ?? ""))) return [];
  const where = masters.map(({ ip }) => eachOf(ip)[0]).join(", ");
  const message = `${api.vip.address} is not in the /${prefix} of any master (${where}): it must be in the masters' own network`;
  return [warning(["api", "vip", "address"], message)];
};

export const addressRules: readonly Rule[] = [
  networkBases,
  spellings,
  networkSizes,
  routesToAll,
  separateNetworks,
  hostsOutside,
  reachable,
  notTheNetworkItself,
  vipNearMasters,
];

function networks({ network: { services, pods }, workers }: ClusterConfig): { path: KeyPath; cidr: string }[] {
  return [
    ...eachOf(services).map((cidr) => ({ path: ["network", "services"], cidr })),
    ...eachOf(pods).map((cidr) => ({ path: ["network", "pods"], cidr })),
    ...(workers === undefined ? [] : [{ path: ["workers", "subnet"], cidr: workers.subnet }]),
  ];
}

function hostAddresses({ nodes, api }: ClusterConfig): { path: KeyPath; ip: string }[] {
  return [
    ...nodes.flatMap(({ ip: given }, index) => eachOf(given).map((ip) => ({ path: ["nodes", index, "ip"], ip }))),
    ...(api.vip === undefined ? [] : [{ path: ["api", "vip", "address"], ip: api.vip.address }]),
  ];
}
