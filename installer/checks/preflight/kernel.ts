/** Preflight of the running kernel: modules, values, swap, SELinux. */
import { error, type Finding, ok, warning } from "#cli/finding";
import { goalsIn, idsOf } from "../../resources/catalogue.ts";
import { module, sysctl } from "../../resources/kernel.ts";
import { isUnknown } from "../../resources/resource.ts";
import { activeSwaps } from "../../resources/swap.ts";
import type { PreflightInput } from "./input.ts";

export async function modules({ host, plan }: PreflightInput): Promise<Finding[]> {
  const specs = idsOf("module", goalsIn(plan));
  if (specs.length === 0) return [];
  const findings: Finding[] = [];
  for (const spec of specs) {
    const now = await module.inspect(host, spec);
    if (isUnknown(now) || now.chain.length > 0 || spec.optional) continue;
    const message = `the kernel has no module ${spec.name}`;
    const hint = `modinfo ${spec.name}; uname -r   # a reboot after a kernel update is often all it takes`;
    findings.push(error("kernel-modules", message, { hint }));
  }
  return findings.length > 0 ? findings : [ok("kernel-modules", `${specs.length} are there`)];
}

/** Keys that this kernel does not have are told and not written. */
export async function values({ host, plan }: PreflightInput): Promise<Finding[]> {
  const specs = idsOf("sysctl", goalsIn(plan));
  if (specs.length === 0) return [];
  const missing: string[] = [];
  for (const spec of specs) {
    if ((await sysctl.inspect(host, spec)) === null && spec.broughtBy === null) missing.push(spec.key);
  }
  if (missing.length === 0) return [ok("sysctl", `${specs.length} keys are there`)];
  const message = `this kernel lacks keys, which are left out: ${missing.join(", ")}`;
  return [warning("sysctl", message)];
}

export async function swap({ host, plan, selection }: PreflightInput): Promise<Finding[]> {
  if (!host.live) return [];
  const active = activeSwaps((await host.read("/proc/swaps")) ?? "");
  if (active.length === 0) return [ok("swap", "off")];
  const found = active.map(({ device }) => device).join(", ");
  if (idsOf("swap", goalsIn(plan)).length > 0) return [ok("swap", `is on and will be turned off: ${found}`)];
  const message = "swap is on and cluster.yaml keeps it";
  const severity = selection.roles.includes("worker") ? "warning" : "ok";
  return [
    {
      check: "swap",
      severity,
      message,
      found,
      hint: "swap: off in cluster.yaml, or failSwapOn: false for the kubelet",
    },
  ];
}

export async function selinux({ host, facts, bundle }: PreflightInput): Promise<Finding[]> {
  if (!host.live) return [];
  if (facts.selinux === null) return [ok("selinux", "none")];
  if (facts.selinux === "permissive" || bundle.index.host.selinux !== "keep") return [ok("selinux", facts.selinux)];
  const { code } = await host.query(["restorecon", "-n", "/etc/hostname"]);
  if (code === 0) return [ok("selinux", "enforcing; contexts are restored by restorecon")];
  const message = "SELinux is enforcing, and restorecon is not here to label what is installed";
  return [error("selinux", message, { hint: "install policycoreutils, or selinux: permissive in cluster.yaml" })];
}
