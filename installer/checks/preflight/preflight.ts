/** Is this host fit for what the plan will do to it? Every check answers, and all answers are told at once. */
import type { Finding } from "#cli/finding";
import { upgradeChecks } from "../upgrade.ts";
import { address, networks, ports, firewall } from "./network.ts";
import { bundleAge, certificateAddress, certificateLife, packagesFit } from "./bundle.ts";
import { capacity, cgroups, hostName, kernelVersion, privilege, programs, systemd, timeSync } from "./host.ts";
import { etcdData } from "./etcd-data.ts";
import { cluster, otherCluster, runtimes } from "./foreign.ts";
import type { Check, PreflightInput } from "./input.ts";
import { selinux, modules, swap, values } from "./kernel.ts";
import { dataLinks, inodes, mounts, space } from "./storage.ts";

const host: readonly Check[] = [privilege, systemd, kernelVersion, cgroups, capacity, hostName, timeSync, programs];
const foreign: readonly Check[] = [cluster, otherCluster, runtimes, etcdData];
const bundle: readonly Check[] = [bundleAge, certificateLife, certificateAddress, packagesFit];
const network: readonly Check[] = [address, networks, ports, firewall];
const kernel: readonly Check[] = [modules, values, swap, selinux];
const storage: readonly Check[] = [space, inodes, mounts, dataLinks];
const checks: readonly Check[] = [...host, ...foreign, ...bundle, ...network, ...kernel, ...storage, upgradeChecks];

/** May only look. Findings in the order of the table; each check gives at least one where it applies. */
export async function preflight(input: PreflightInput): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await check(input)));
  return findings;
}
