/** What a road may not change under running pods without a word of the operator's. */
import type { ClusterConfig } from "../config/cluster.ts";
import type { LoadedCluster } from "../config/load.ts";
import type { Rule } from "../config/release-rules.ts";
import { error, type RuleFinding } from "../config/rule.ts";
import { topology } from "../config/topology.ts";

/** Of what every host and certificate holds: no upgrade changes it. */
const held: readonly (readonly [path: readonly string[], of: (cluster: ClusterConfig) => string])[] = [
  [["name"], ({ name }) => name],
  [["network", "services"], ({ network }) => network.services],
  [["network", "pods"], ({ network }) => network.pods],
  [["network", "domain"], ({ network }) => network.domain],
];

/** `before` is the step before, `today` what runs. */
export function staysRule(before: LoadedCluster, today: LoadedCluster): Rule {
  return (cluster, manifest) => [
    ...held.flatMap(([path, of]): RuleFinding[] =>
      of(cluster) === of(today.cluster)
        ? []
        : [error(path, `${path.join(".")} was ${of(today.cluster)} and cannot go over to ${of(cluster)} by upgrades`)],
    ),
    ...pluginStays(before, cluster, topology(cluster, manifest).network.plugin),
  ];
}

/** What is usual changes with the releases; pods would lose their network. */
function pluginStays(before: LoadedCluster, { network }: ClusterConfig, plugin: string): RuleFinding[] {
  const was = topology(before.cluster, before.manifest).network.plugin;
  if (network.plugin !== undefined || was === plugin) return [];
  const message = `the usual pod network goes from ${was} to ${plugin} here: keep yours by \`plugin: ${was}\``;
  return [error(["network", "plugin"], message)];
}
