/**
 * Families of addresses: pods, services and the nodes that run pods have an address of IPv4, of IPv6, or of each, and all of them alike.
 * How it is written is a matter of the schema, how large networks are one of address-rules.ts.
 */
import { isSince } from "#formats/version";
import { eachOf, type Family, familyOf } from "#formats/address";
import type { ClusterConfig } from "./cluster.ts";
import { generations } from "./generations.ts";
import type { ReleaseManifest } from "./release.ts";
import { error, type Rule, type RuleFinding } from "./rule.ts";

type Families = Family | "both";

const names = { ipv4: "IPv4", ipv6: "IPv6" } as const;
/** Of two networks that differ the one with more weight is meant: IPv4 is what is left out. */
const kinds = {
  ipv4: { what: "IPv4 alone", weight: 0 },
  ipv6: { what: "IPv6 alone", weight: 1 },
  both: { what: "both families", weight: 2 },
} as const;

function familiesOf(given: string): Families {
  return eachOf(given).length > 1 ? "both" : familyOf(given);
}

const examples = {
  services: { ipv4: "10.254.0.0/16", ipv6: "fd00:10:254::/112" },
  pods: { ipv4: "172.30.0.0/16", ipv6: "fd00:172:30::/56" },
} as const;

/** What `network` would be with these families, with its own range of one where it has it. */
function withFamilies(network: keyof typeof examples, own: string, families: Families): string {
  const range = (family: Family): string =>
    eachOf(own).find((cidr) => familyOf(cidr) === family) ?? examples[network][family];
  return families === "both" ? `[${range("ipv4")}, ${range("ipv6")}]` : range(families);
}

const sameNetworks: Rule = ({ network }) => {
  const has = { pods: familiesOf(network.pods), services: familiesOf(network.services) };
  if (has.pods === has.services) return [];
  const [more, less] =
    kinds[has.pods].weight > kinds[has.services].weight
      ? (["pods", "services"] as const)
      : (["services", "pods"] as const);
  const wanted = withFamilies(less, network[less], has[more]);
  const message = `network.${more} is of ${kinds[has[more]].what} and network.${less} of ${kinds[has[less]].what}: wants ${wanted}`;
  return [error(["network", less], message)];
};

const sameNodes: Rule = ({ network, nodes }) => {
  const families = familiesOf(network.pods);
  if (families !== familiesOf(network.services)) return [];
  return nodes.flatMap(({ name, ip, roles }, index) => {
    const own = familiesOf(ip);
    const wrong = (message: string): RuleFinding[] => [error(["nodes", index, "ip"], message)];
    if (families === "both") {
      if (own === "ipv6") return wrong(`${name} has no IPv4 address: wants [its IPv4 address, ${ip}]`);
      if (own === "both" || !roles.includes("worker")) return [];
      return wrong(`${name} runs pods of both families: wants [${ip}, its IPv6 address]`);
    }
    if (own === families) return [];
    const other = families === "ipv4" ? "ipv6" : "ipv4";
    const wanted = `wants its ${names[families]} address alone, or ranges of its families in network.pods and network.services`;
    return wrong(`${name} has an ${names[other]} address, and pods and services have none: ${wanted}`);
  });
};

/** What is no node's own address is of the family in which nodes talk to each other. */
const sameOthers: Rule = ({ network, workers, api }) => {
  const families = familiesOf(network.pods);
  const usual = families === "ipv6" ? "ipv6" : "ipv4";
  const findings: RuleFinding[] = [];
  if (workers !== undefined && families === "both") {
    const message = "in dual stack a worker needs an address of each family: name each under `nodes`";
    findings.push(error(["workers", "subnet"], message));
  } else if (workers !== undefined && familyOf(workers.subnet) !== usual) {
    const message = `${workers.subnet} has no ${names[usual]} addresses, and pods and services have no others: wants an ${names[usual]} network`;
    findings.push(error(["workers", "subnet"], message));
  }
  if (api.vip !== undefined && familyOf(api.vip.address) !== usual) {
    const message = `${api.vip.address} is no ${names[usual]} address, and by these the nodes talk to each other`;
    findings.push(error(["api", "vip", "address"], message));
  }
  return findings;
};

export const familyRules: readonly Rule[] = [sameNetworks, sameNodes, sameOthers];

/** Before, dual stack was behind a feature gate that is off, and nodes did not take two addresses; with IPv6 alone nobody has tried them. */
const since = "1.23";
/** Those that are rendered for IPv6. */
const plugins: readonly string[] = ["flannel", "static-routes"];

/** What a release lacks for a cluster with IPv6. */
export function familyFindings({ network, runtime }: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  const { kubernetes, generation } = manifest;
  const families = familiesOf(network.pods);
  if (families === "ipv4" || kubernetes === null) return [];
  const plugin = network.plugin ?? generations[generation].plugin;
  const findings: RuleFinding[] = [];
  if (!isSince(kubernetes, since)) {
    const lack =
      families === "both"
        ? `Kubernetes ${kubernetes} has no dual stack yet: it came with ${since}; write the IPv4 range alone, or take a later release`
        : `Kubernetes ${kubernetes} is not set up for IPv6 alone: ${since} and later are; write IPv4 ranges, or take a later release`;
    findings.push(error(["network", "pods"], lack));
  }
  if (!plugins.includes(plugin)) {
    const message = `${plugin} is rendered for IPv4 alone: with IPv6 take ${plugins.join(" or ")}`;
    findings.push(error(["network", "plugin"], message));
  }
  if (families === "ipv6" && runtime === "docker")
    findings.push(error(["runtime"], "docker is set up for IPv4: with IPv6 alone write `runtime: containerd`"));
  return findings;
}
