/** Rules between the fields of `cluster.yaml`: one small function each, all reported at once. */
import { messageOf } from "#cli/errors";
import { eachOf } from "#formats/address";
import { parseReference } from "./image-name.ts";
import { addressRules } from "./address-rules.ts";
import type { ClusterConfig } from "./cluster.ts";
import { directoryRules } from "./directory-rules.ts";
import { familyRules } from "./family-rules.ts";
import { fileRules } from "./file-rules.ts";
import { error, type Rule, type RuleFinding, warning } from "./rule.ts";

/** Every broken rule, in the order of the rules. */
export function clusterFindings(cluster: ClusterConfig): RuleFinding[] {
  return rules.flatMap((rule) => rule(cluster));
}

const uniqueNames: Rule = ({ nodes }) =>
  repeated(
    nodes.map(({ name }) => [name]),
    "name",
  );
const uniqueAddresses: Rule = ({ nodes }) =>
  repeated(
    nodes.map(({ ip }) => eachOf(ip)),
    "ip",
  );

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
    const tolerated = members / 2 - 1;
    const failures = tolerated === 0 ? "no failures" : `no more failures than ${members - 1}, ${tolerated}`;
    return [warning(["nodes"], `${members} etcd members tolerate ${failures}; use ${members - 1} or ${members + 1}`)];
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

interface Ports {
  readonly from: number;
  readonly to: number;
  readonly what: string;
}

const takenPorts: readonly Ports[] = [
  { from: 2379, to: 2380, what: "etcd" },
  { from: 6443, to: 6443, what: "the API server" },
  { from: 8443, to: 8443, what: "the API's load balancer" },
  { from: 10250, to: 10259, what: "kubelet, kube-proxy, scheduler and controller manager" },
];

const nodePorts: Rule = ({ network: { nodePorts: range }, api }) => {
  const path = ["network", "nodePorts"];
  const [first = 0, last = 0] = range.split("-").map(Number);
  if (first < 1 || last > 65_535 || first > last) return [error(path, `${range} is no range of ports from 1 to 65535`)];
  const port = api.vip?.port;
  const balancer = port === undefined ? [] : [{ from: port, to: port, what: "the API's load balancer" }];
  const taken = [...takenPorts.filter(({ from }) => from !== port), ...balancer];
  return taken
    .filter(({ from, to }) => first <= to && from <= last)
    .map(({ from, to, what }) => error(path, `${range} contains ${from === to ? from : `${from}-${to}`} of ${what}`));
};

const vip: Rule = ({ api, nodes }) => {
  if (api.endpoint !== "vip") {
    return api.vip === undefined
      ? []
      : [warning(["api", "vip"], `api.vip is not used while api.endpoint is ${api.endpoint}`)];
  }
  if (api.vip === undefined) return [error(["api", "endpoint"], "vip needs `api.vip` with address and interface")];
  const { address, port } = api.vip;
  const owner = nodes.find(({ ip }) => eachOf(ip).includes(address));
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

const repeatedImages: Rule = ({ images }) =>
  images.flatMap(({ name }, index) =>
    images.findIndex((other) => other.name === name) < index
      ? [error(["images", index, "name"], `${name} is already listed`)]
      : [],
  );

const imageNames: Rule = ({ images }) =>
  images.flatMap(({ name }, index) => {
    try {
      parseReference(name);
      return [];
    } catch (failure) {
      return [error(["images", index, "name"], messageOf(failure))];
    }
  });

const lifetimes: Rule = ({ certificates: { days, caDays } }) =>
  days <= caDays ? [] : [error(["certificates", "days"], `no certificate outlives its CA, which ends after ${caDays}`)];

const rules: readonly Rule[] = [
  uniqueNames,
  uniqueAddresses,
  reservedName,
  repeatedRoles,
  repeatedPlatforms,
  etcdMembers,
  worksAnywhere,
  ...addressRules,
  ...familyRules,
  nodePorts,
  vip,
  severalMasters,
  ...directoryRules,
  ...fileRules,
  imageNames,
  repeatedImages,
  lifetimes,
];

/** What of each node's an earlier one has already. */
function repeated(values: readonly (readonly string[])[], field: "name" | "ip"): RuleFinding[] {
  const what = field === "name" ? "a node's name" : "a node's address";
  return values.flatMap((own, index) =>
    own.flatMap((value) => {
      const earlier = values.findIndex((others) => others.includes(value));
      return earlier < index
        ? [error(["nodes", index, field], `${what}, ${value}, is already that of nodes.${earlier}`)]
        : [];
    }),
  );
}
