/** Rules of `profile:`: which releases it can be asked of, and what must not contradict it. */
import { kernelDefaults } from "./kernel-defaults.ts";
import type { ClusterConfig } from "./cluster.ts";
import type { ReleaseManifest } from "./release.ts";
import { error, type RuleFinding } from "./rule.ts";
import { isSince } from "#formats/version";

/** The oldest version with all that the profile rests on, and the oldest with a benchmark of this form. */
const oldest = "1.16";

/** Everything that keeps a cluster from having the profile that it asks for. */
export function profileFindings(cluster: ClusterConfig, { kubernetes, release }: ReleaseManifest): RuleFinding[] {
  if (cluster.profile === undefined) return [];
  if (kubernetes === null) return [error(["profile"], `release ${release} has no Kubernetes to harden`)];
  if (!isSince(kubernetes, oldest)) {
    return [error(["profile"], `cis is for Kubernetes ${oldest} and later, and ${release} is ${kubernetes}`)];
  }
  const off = (["audit", "encryptionAtRest"] as const).filter((field) => !cluster[field]);
  return [
    ...off.map((field) => error([field], `profile cis asks for ${field}; remove this line, or the profile`)),
    ...Object.entries(cluster.host.sysctls).flatMap(([key, value]) => {
      const wanted = kernelDefaults.get(key);
      if (wanted === undefined || wanted === value) return [];
      const message = `with profile cis the kubelet does not start unless ${key} is ${wanted}`;
      return [error(["host", "sysctls", key], message)];
    }),
  ];
}
