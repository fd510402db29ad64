/**
 * Dual stack: pods, services and the nodes that run pods have an address of each family, or each of them has IPv4 alone.
 * How it is written is a matter of the schema, how large networks are one of address-rules.ts.
 */
import { isSince } from "#formats/version";
import { eachOf } from "#formats/address";
import type { ClusterConfig } from "./cluster.ts";
import { generations } from "./generations.ts";
import type { ReleaseManifest } from "./release.ts";
import { error, type Rule, type RuleFinding } from "./rule.ts";

const isDual = (given: string): boolean => eachOf(given).length > 1;
const example = { services: "fd00:10:254::/112", pods: "fd00:172:30::/56" } as const;

const sameFamilies: Rule = ({ network, nodes, workers }) => {
  const { services, pods } = network;
  if (isDual(services) !== isDual(pods)) {
    const [has, lacks] = isDual(pods) ? (["pods", "services"] as const) : (["services", "pods"] as const);
    const message = `network.${has} is of both families and network.${lacks} of IPv4 alone: wants [${network[lacks]}, ${example[lacks]}]`;
    return [error(["network", lacks], message)];
  }
  if (!isDual(pods)) {
    const wanted = "wants its IPv4 address alone, or ranges of both families in network.pods and network.services";
    return nodes.flatMap(({ name, ip }, index) =>
      isDual(ip)
        ? [error(["nodes", index, "ip"], `${name} has an IPv6 address, and pods and services have none: ${wanted}`)]
        : [],
    );
  }
  const lacking = nodes.flatMap(({ name, ip, roles }, index) =>
    roles.includes("worker") && !isDual(ip)
      ? [error(["nodes", index, "ip"], `${name} runs pods of both families: wants [${ip}, its IPv6 address]`)]
      : [],
  );
  const unnamed = "in dual stack a worker needs an address of each family: name each under `nodes`";
  return [...lacking, ...(workers === undefined ? [] : [error(["workers", "subnet"], unnamed)])];
};

export const familyRules: readonly Rule[] = [sameFamilies];

/** Before, it was behind a feature gate that is off, and nodes did not take two addresses. */
const since = "1.23";
/** Those that are rendered for both families. */
const plugins: readonly string[] = ["flannel", "static-routes"];

/** What a release lacks for a cluster in dual stack. */
export function dualStackFindings({ network }: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  const { kubernetes, generation } = manifest;
  if (!isDual(network.pods) || kubernetes === null) return [];
  const plugin = network.plugin ?? generations[generation].plugin;
  const old = `Kubernetes ${kubernetes} has no dual stack yet: it came with ${since}; write the IPv4 range alone, or take a later release`;
  const other = `${plugin} is rendered for IPv4 alone: in dual stack take ${plugins.join(" or ")}`;
  return [
    ...(isSince(kubernetes, since) ? [] : [error(["network", "pods"], old)]),
    ...(plugins.includes(plugin) ? [] : [error(["network", "plugin"], other)]),
  ];
}
