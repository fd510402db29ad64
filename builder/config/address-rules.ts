/** Rules of networks and addresses in `cluster.yaml`. */
import type { ClusterConfig } from "./cluster.ts";
import { addressNumber, addressText, contains, network, overlaps } from "#formats/ipv4";
import type { KeyPath } from "./positions.ts";
import { error, type Rule, warning } from "./rule.ts";

/** A base with host bits (`10.0.0.7/16`) is most often a typing mistake. */
const networkBases: Rule = (cluster) =>
  networks(cluster).flatMap(({ path, cidr }) => {
    const { first, prefix } = network(cidr);
    return `${addressText(first)}/${prefix}` === cidr
      ? []
      : [error(path, `${cidr} is an address inside a network; wants ${addressText(first)}/${prefix}`)];
  });

const networkSizes: Rule = ({ network: { services, pods } }) => [
  ...(network(services).prefix < 12 || network(services).prefix > 28
    ? [error(["network", "services"], `${services}: the API server takes service networks from /12 to /28`)]
    : []),
  ...(network(pods).prefix > 23
    ? [error(["network", "pods"], `${pods} has no room for a /24 for each of two nodes`)]
    : []),
];

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
const unusable: readonly (readonly [cidr: string, what: string])[] = [
  ["0.0.0.0/8", "means this very host"],
  ["127.0.0.0/8", "is the loopback of every host"],
  ["169.254.0.0/16", "is link-local"],
  ["224.0.0.0/3", "is a multicast or reserved address"],
];

const reachable: Rule = (cluster) => [
  ...hostAddresses(cluster).flatMap(({ path, ip }) =>
    unusable
      .filter(([cidr]) => contains(cidr, ip))
      .map(([, what]) => error(path, `${ip} ${what}: other nodes cannot reach it`)),
  ),
  ...networks(cluster).flatMap(({ path, cidr }) =>
    unusable
      .filter(([range]) => overlaps(network(range), network(cidr)))
      .map(([range]) => error(path, `${cidr} overlaps ${range}, which no cluster can use`)),
  ),
];

/** In the one network of hosts whose size is known, the first and the last address are nobody's. */
const notTheNetworkItself: Rule = (cluster) => {
  if (cluster.workers === undefined) return [];
  const { subnet } = cluster.workers;
  const { first, last, prefix } = network(subnet);
  return hostAddresses(cluster).flatMap(({ path, ip }) => {
    const at = addressNumber(ip);
    if (prefix > 30 || (at !== first && at !== last)) return [];
    return [error(path, `${ip} is the ${at === first ? "network" : "broadcast"} address of ${subnet}`)];
  });
};

/** keepalived announces the address in the masters' own network; how large that is, only the masters know. */
const vipNearMasters: Rule = ({ api, nodes }) => {
  const masters = nodes.filter(({ roles }) => roles.includes("master"));
  if (api.endpoint !== "vip" || api.vip === undefined || masters.length === 0) return [];
  const near = `${api.vip.address}/24`;
  if (masters.some(({ ip }) => contains(near, ip))) return [];
  const where = masters.map(({ ip }) => ip).join(", ");
  const message = `${api.vip.address} is not in the /24 of any master (${where}): it must be in the masters' own network`;
  return [warning(["api", "vip", "address"], message)];
};

export const addressRules: readonly Rule[] = [
  networkBases,
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
    { path: ["network", "services"], cidr: services },
    { path: ["network", "pods"], cidr: pods },
    ...(workers === undefined ? [] : [{ path: ["workers", "subnet"], cidr: workers.subnet }]),
  ];
}

function hostAddresses({ nodes, api }: ClusterConfig): { path: KeyPath; ip: string }[] {
  return [
    ...nodes.map(({ ip }, index) => ({ path: ["nodes", index, "ip"], ip })),
    ...(api.vip === undefined ? [] : [{ path: ["api", "vip", "address"], ip: api.vip.address }]),
  ];
}
