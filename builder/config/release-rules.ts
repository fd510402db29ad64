/** Rules between `cluster.yaml` and the manifest of its release. */
import type { ClusterConfig } from "./cluster.ts";
import { familyFindings } from "./family-rules.ts";
import { proposal } from "./explain.ts";
import { fieldFindings } from "./field-rules.ts";
import { flagFindings } from "./flag-table.ts";
import { generations } from "./generations.ts";
import { whyUnread } from "./key-algorithms.ts";
import { pairFindings } from "./pair-rules.ts";
import { profileFindings } from "./profile-rules.ts";
import type { Condition, ReleaseManifest } from "./release.ts";
import { error, type RuleFinding, warning } from "./rule.ts";
import { topology } from "./topology.ts";
import { isSince } from "#formats/version";
import { wantedComponents } from "./wanted.ts";

/** What is wrong with a cluster's file and the release that it wants. */
export type Rule = (cluster: ClusterConfig, manifest: ReleaseManifest) => RuleFinding[];

/** Every broken rule, in the order of the rules. */
export function releaseFindings(cluster: ClusterConfig, manifest: ReleaseManifest): RuleFinding[] {
  return rules.flatMap((rule) => rule(cluster, manifest));
}

const hasWorkers = (cluster: ClusterConfig): boolean =>
  cluster.workers !== undefined || cluster.nodes.some(({ roles }) => roles.includes("worker"));

const withoutKubernetes: Rule = ({ nodes }, { kubernetes, release }) =>
  nodes.flatMap(({ roles }, index) => {
    if (kubernetes !== null || !roles.includes("master")) return [];
    const message = `release ${release} has no API server: the role master brings kubectl and nothing else`;
    return [warning(["nodes", index, "roles"], message)];
  });

const knownRuntime: Rule = (cluster, manifest) => {
  const brought = manifest.components.filter(
    ({ when, name }) => (when?.runtime ?? cluster.runtime) === cluster.runtime && name === cluster.runtime,
  );
  if (!hasWorkers(cluster) || brought.length > 0) return [];
  const other = cluster.runtime === "docker" ? "containerd" : "docker";
  return [error(["runtime"], `release ${manifest.release} has no ${cluster.runtime}; write \`runtime: ${other}\``)];
};

/** 1.24 took dockershim out, and no unit here runs another between kubelet and docker. */
const kubeletWithDocker: Rule = ({ runtime }, { kubernetes }) => {
  if (runtime !== "docker" || kubernetes === null || !isSince(kubernetes, "1.24")) return [];
  const message = `the kubelet of ${kubernetes} runs no pods by docker, which 1.24 took out; write \`runtime: containerd\``;
  return [error(["runtime"], message)];
};

/** A network that runs as pods needs its images. */
const knownPlugin: Rule = (cluster, manifest) => {
  const plugin = cluster.network.plugin ?? generations[manifest.generation].plugin;
  const parts = [...manifest.components, ...manifest.images];
  if (manifest.kubernetes === null || plugin === "static-routes" || parts.some(({ when }) => when?.plugin === plugin)) {
    return [];
  }
  const known = [...valuesOf(manifest, "plugin"), "static-routes"];
  return [error(["network", "plugin"], `release ${manifest.release} has no ${plugin}; it has ${known.join(", ")}`)];
};

const knownAddons: Rule = ({ addons = [] }, manifest) => unknown(addons, "addons", "addon", manifest);
const knownTools: Rule = ({ tools }, manifest) => unknown(tools, "tools", "tool", manifest);

const knownAlternatives: Rule = ({ alternatives }, manifest) => {
  const known = [
    ...new Set(manifest.components.flatMap((component) => Object.keys(component.alternatives))),
  ].toSorted();
  return alternatives.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const has = known.length === 0 ? "none" : known.join(", ");
    const message = `release ${manifest.release} has no alternative ${name}, it has ${has}${proposal(name, known)}`;
    return [error(["alternatives", index], message)];
  });
};

/** A platform for which upstream has nothing of a component that this cluster needs. */
const knownPlatforms: Rule = (cluster, manifest) => {
  return wantedComponents(manifest, topology(cluster, manifest)).flatMap(({ name, unavailable, artifacts }) =>
    cluster.platforms.flatMap((platform, index) => {
      if (artifacts.some((artifact) => artifact.platform === platform)) return [];
      const reason = unavailable[platform] ?? "the manifest names no artifact";
      const message = `release ${manifest.release} has no ${name} for ${platform}: ${reason}`;
      return [error(["platforms", index], message)];
    }),
  );
};

/** Load balancers come as packages of the nodes' distribution, with the libraries that they need. */
const balancers: Rule = ({ api, packages }, { kubernetes }) => {
  const wanted = { "first-master": [], vip: ["haproxy", "keepalived"], "local-proxy": ["haproxy"] }[api.endpoint];
  const missing = wanted.filter((name) => packages.every(({ names }) => !names.includes(name)));
  if (kubernetes === null || missing.length === 0) return [];
  const message = `${api.endpoint} needs ${missing.join(" and ")} on its nodes: name them in \`packages\`, unless they are installed there`;
  return [warning(["api", "endpoint"], message)];
};

/** Since 1.16 a kubelet does not start with labels of Kubernetes' own name spaces, but for these. */
const kubeletLabels =
  /^(kubernetes\.io\/(hostname|os|arch|instance-type)|beta\.kubernetes\.io\/(os|arch|instance-type)|((.+\.)?(kubelet|node)|topology|failure-domain\.beta)\.kubernetes\.io\/.+)$/;

const nodeLabels: Rule = ({ nodes }, { kubernetes }) => {
  const [major = 0, minor = 0] = (kubernetes ?? "0.0").split(".").map(Number);
  if (major < 1 || (major === 1 && minor < 16)) return [];
  return nodes.flatMap(({ labels }, index) =>
    Object.keys(labels)
      .filter((key) => /^([^/]+\.)?(kubernetes|k8s)\.io\//.test(key) && !kubeletLabels.test(key))
      .map((key) => {
        const message = `a kubelet may not give itself the label ${key}; use a prefix of your own, or kubectl label later`;
        return error(["nodes", index, "labels", key], message);
      }),
  );
};

const readableKeys: Rule = ({ certificates: { algorithm } }, manifest) => {
  const message = whyUnread(algorithm, manifest);
  return message === null ? [] : [error(["certificates", "algorithm"], message)];
};

const rules: readonly Rule[] = [
  withoutKubernetes,
  knownRuntime,
  kubeletWithDocker,
  knownPlugin,
  knownAddons,
  knownTools,
  knownAlternatives,
  knownPlatforms,
  balancers,
  nodeLabels,
  readableKeys,
  flagFindings,
  fieldFindings,
  pairFindings,
  profileFindings,
  familyFindings,
];

function unknown(
  names: readonly string[],
  field: "addons" | "tools",
  setting: "addon" | "tool",
  manifest: ReleaseManifest,
): RuleFinding[] {
  const known = valuesOf(manifest, setting);
  return names.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const has = known.length === 0 ? "none" : known.join(", ");
    const message = `release ${manifest.release} has no ${setting} ${name}, it has ${has}${proposal(name, known)}`;
    return [error([field, index], message)];
  });
}

/** The values that a manifest's conditions ask for: `plugin` → flannel, calico. */
function valuesOf(manifest: ReleaseManifest, setting: keyof Condition): string[] {
  const values = [...manifest.components, ...manifest.images].flatMap(({ when }) => when?.[setting] ?? []);
  return [...new Set(values)].toSorted();
}
