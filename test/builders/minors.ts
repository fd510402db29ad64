/** Every minor of Kubernetes on the road, and one cluster in each of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findSeries } from "../../builder/config/series.ts";
import { type FixtureCluster, fixtureCluster } from "./fixture-cluster.ts";

/** `1.16` to `1.36`. */
export const minors: readonly string[] = Array.from({ length: 21 }, (_, index) => `1.${index + 16}`);

/** The cluster of test/golden/minors by upstream's newest patch release of `minor`, which release 1.20 of its own is not. */
export function clusterOfMinor(minor: string): Promise<FixtureCluster> {
  const text = readFileSync(join(import.meta.dirname, "../golden/minors/cluster.yaml"), "utf8");
  const version = findSeries(`kubernetes-${minor}`)?.version ?? minor;
  return fixtureCluster(text.replace(/^release: .*$/m, `release: kubernetes-${version}`));
}
