/** Real Kubernetes daemons for tests, and the release and cluster that render for their very version. */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "../../builder/config/manifests.ts";
import { isSince } from "#formats/version";
import { kubernetes } from "../../scripts/kubernetes/kubernetes.ts";
import { fixtureCluster, type FixtureCluster } from "../builders/fixture-cluster.ts";

export interface Daemons {
  /** Folder with kube-apiserver and the others. */
  readonly folder: string;
  /** `1.20.2` */
  readonly version: string;
}

/** Those of the folder that KUBEFERRY_KUBERNETES names, else those that `npm run kubernetes` builds of the distribution's source. */
export async function kubernetesDaemons(): Promise<Daemons> {
  const given = process.env["KUBEFERRY_KUBERNETES"];
  const folder = given ?? (await kubernetes((said) => process.stdout.write(`# ${said}\n`)));
  if (!existsSync(join(folder, "kube-apiserver"))) throw new Error(`there is no kube-apiserver in ${folder}`);
  const said = execFileSync(join(folder, "kube-apiserver"), ["--version"], { encoding: "utf8" });
  const version = /v(\d+\.\d+\.\d+)/.exec(said)?.[1];
  if (version === undefined) throw new Error(`kube-apiserver of ${folder} is of no version: ${said}`);
  return { folder, version };
}

/** How daemons are given a cluster with IPv6: older ones as 1.23, the first that Kubeferry renders it for, with the gate that they have for it. */
export function withIPv6(daemons: Daemons): {
  readonly isOld: boolean;
  readonly version: string;
  readonly gate: string;
} {
  if (isSince(daemons.version, "1.23")) return { isOld: false, version: daemons.version, gate: "" };
  const gate = `
flags:
  kube-apiserver: { feature-gates: "IPv6DualStack=true" }
  kube-controller-manager: { feature-gates: "IPv6DualStack=true" }
kube-proxy: { featureGates: { IPv6DualStack: true } }`;
  return { isOld: true, version: "1.23.0", gate };
}

/** A cluster of the version of these daemons: `text` is a cluster.yaml without `release`. The manifest is written to `folder`. */
export async function clusterFor({ version }: Daemons, text: string, folder: string): Promise<FixtureCluster> {
  const likeThis = isSince(version, "1.24") ? "1.36" : "1.16";
  const manifest = readManifest(`releases/kubernetes-${likeThis}.yaml`) ?? "";
  const path = join(folder, "release.yaml");
  writeFileSync(path, manifest.replace(/^kubernetes: .*$/m, `kubernetes: ${version}`));
  return fixtureCluster(`${text}\nrelease: ${path}\n`);
}
