/** Rules between the fields of `cluster.yaml`: one small function each, all reported at once. */
import type { ClusterConfig } from "./cluster.ts";
import { addressNumber, addressText, contains, network, overlaps } from "./ipv4.ts";
import type { KeyPath } from "./positions.ts";

/** A broken rule; `path` is the field to correct. A warning stops nothing. */
export interface RuleFinding {
  readonly path: KeyPath;
  readonly severity: "error" | "warning";
  readonly message: string;
}

type Rule = (cluster: ClusterConfig) => RuleFinding[];

/** Every broken rule, in the order of the rules. */
export function clusterFindings(cluster: ClusterConfig): RuleFinding[] {
  return rules.flatMap((rule) => rule(cluster));
}

const error = (path: KeyPath, message: string): RuleFinding => ({ path, severity: "error", message });
const warning = (path: KeyPath, message: string): RuleFinding => ({ path, severity: "warning", message });

const uniqueNames: Rule = ({ nodes }) => repeated(nodes, "name", "a node's name");
const uniqueAddresses: Rule = ({ nodes }) => repeated(nodes, "ip", "a node's address");

/** Workers without an entry of their own are rendered under this name. */
const reservedName: Rule = ({ nodes, workers }) =>
  workers === undefined
    ? []
    : nodes.flatMap(({ name }, index) =>
        name === "worker"
          ? [error(["nodes", index, "name"], "with `workers` the name worker stands for any worker; choose another")]
          : [],
      );

const repeatedRoles: Rule = ({ nodes }) =>
  nodes.flatMap(({ roles }, index) =>
    new Set(roles).size === roles.length ? [] : [error(["nodes", index, "roles"], "a role is named twice")],
  );

const repeatedPlatforms: Rule = ({ platforms }) =>
  new Set(platforms).size === platforms.length ? [] : [error(["platforms"], "a platform is named twice")];

const etcdMembers: Rule = ({ nodes }) => {
  const members = nodes.filter(({ roles }) => roles.includes("etcd")).length;
  const masters = nodes.some(({ roles }) => roles.includes("master"));
  if (members === 0 && masters) return [error(["nodes"], "a master needs etcd: give at least one node the role etcd")];
  if (members > 0 && members % 2 === 0) {
    return [warning(["nodes"], `${members} etcd members bear no more losses than ${members - 1}; take an odd number`)];
  }
  return [];
};

const worksAnywhere: Rule = ({ nodes, workers }) => {
  const masters = nodes.some(({ roles }) => roles.includes("master"));
  const has = workers !== undefined || nodes.some(({ roles }) => roles.includes("worker"));
  return masters && !has
    ? [warning(["nodes"], "no node has the role worker and there is no `workers.subnet`: no pod will run")]
    : [];
};

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
      .filter(({ cidr }) => contains(network(cidr), addressNumber(ip)))
      .map((inside) => error(path, `${ip} is inside ${inside.path.join(".")} ${inside.cidr}`)),
  );
};

const takenPorts: readonly (readonly [first: number, last: number, what: string])[] = [
  [2379, 2380, "etcd"],
  [6443, 6443, "the API server"],
  [8443, 8443, "the API's load balancer"],
  [10250, 10259, "kubelet, kube-proxy, scheduler and controller manager"],
];

const nodePorts: Rule = ({ network: { nodePorts: range }, api }) => {
  const path = ["network", "nodePorts"];
  const [first = 0, last = 0] = range.split("-").map(Number);
  if (first < 1 || last > 65_535 || first > last) return [error(path, `${range} is no range of ports from 1 to 65535`)];
  const balancer = api.vip === undefined ? [] : [[api.vip.port, api.vip.port, "the API's load balancer"] as const];
  const taken = [...takenPorts.filter(([port]) => balancer[0]?.[0] !== port), ...balancer];
  return taken
    .filter(([from, to]) => first <= to && from <= last)
    .map(([from, to, what]) => error(path, `${range} contains ${from === to ? from : `${from}-${to}`} of ${what}`));
};

const vip: Rule = ({ api, nodes }) => {
  if (api.endpoint !== "vip") {
    return api.vip === undefined
      ? []
      : [warning(["api", "vip"], `api.vip is not used while api.endpoint is ${api.endpoint}`)];
  }
  if (api.vip === undefined) return [error(["api", "endpoint"], "vip needs `api.vip` with address and interface")];
  const { address, port } = api.vip;
  const owner = nodes.find(({ ip }) => ip === address);
  return [
    ...(owner === undefined
      ? []
      : [error(["api", "vip", "address"], `${address} is already node ${owner.name}'s own address`)]),
    ...(port < 1 || port > 65_535 ? [error(["api", "vip", "port"], `${port} is no port`)] : []),
    ...(port === 6443
      ? [error(["api", "vip", "port"], "6443 is the API server's own port on the same hosts; take 8443")]
      : []),
  ];
};

const severalMasters: Rule = ({ nodes, api }) => {
  const masters = nodes.filter(({ roles }) => roles.includes("master")).length;
  return masters > 1 && api.endpoint === "first-master"
    ? [
        warning(
          ["api", "endpoint"],
          `first-master leaves ${masters - 1} of ${masters} masters unused by nodes; take vip or local-proxy`,
        ),
      ]
    : [];
};

/** Two daemons in one directory destroy each other's data. */
const separateDirectories: Rule = ({ etcd, directories }) => {
  const all: { path: KeyPath; directory: string }[] = [
    { path: ["etcd", "dataDir"], directory: etcd.dataDir },
    ...(etcd.walDir === undefined ? [] : [{ path: ["etcd", "walDir"], directory: etcd.walDir }]),
    ...Object.entries(directories).map(([key, directory]) => ({ path: ["directories", key], directory })),
  ];
  return all.flatMap((later, index) =>
    all
      .slice(0, index)
      .filter(({ directory }) => nested(directory, later.directory))
      .map((earlier) =>
        error(later.path, `${later.directory} and ${earlier.path.join(".")} ${earlier.directory} are one in the other`),
      ),
  );
};

const taints: Rule = ({ nodes }) =>
  nodes.flatMap(({ taints }, index) =>
    taints.flatMap((taint, at) =>
      /^[\w./-]+(=[\w.-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$/.test(taint)
        ? []
        : [
            error(
              ["nodes", index, "taints", at],
              `${taint} wants KEY=VALUE:EFFECT, with NoSchedule, PreferNoSchedule or NoExecute`,
            ),
          ],
    ),
  );

const rules: readonly Rule[] = [
  uniqueNames,
  uniqueAddresses,
  reservedName,
  repeatedRoles,
  repeatedPlatforms,
  etcdMembers,
  worksAnywhere,
  networkBases,
  networkSizes,
  routesToAll,
  separateNetworks,
  hostsOutside,
  nodePorts,
  vip,
  severalMasters,
  separateDirectories,
  taints,
];

function repeated(nodes: ClusterConfig["nodes"], field: "name" | "ip", what: string): RuleFinding[] {
  return nodes.flatMap((node, index) => {
    const earlier = nodes.findIndex((other) => other[field] === node[field]);
    return earlier < index
      ? [error(["nodes", index, field], `${what}, ${node[field]}, is already that of nodes.${earlier}`)]
      : [];
  });
}

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

function nested(a: string, b: string): boolean {
  return a === b || `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}
