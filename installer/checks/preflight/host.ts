/** Preflight of the host itself: rights, systemd, kernel, cgroups, size, name, clock, programs. */
import { error, type Finding, ok, warning } from "#cli/finding";
import { formatBytes } from "#cli/quantities";
import { compareVersions, isSince } from "#formats/version";
import { isActive } from "../../host/systemd.ts";
import { goalsIn, idsOf } from "../../resources/catalogue.ts";
import { chosen } from "../../plan/input.ts";
import { otherTimeUnits, timeUnits } from "../../plan/time-sync.ts";
import type { PreflightInput } from "./input.ts";

export function privilege({ facts, host }: PreflightInput): Finding[] {
  if (!host.live) return [];
  if (facts.uid === 0) return [ok("root", "runs as root")];
  return [error("root", "only root can change this host", { hint: "sudo ./install …" })];
}

export function systemd({ facts, host }: PreflightInput): Finding[] {
  if (!host.live) return [];
  if (facts.systemd) return [ok("systemd", "systemd runs this host")];
  const hint = "install into a tree instead: ./install … --root DIR";
  return [error("systemd", "systemd does not run this host", { hint })];
}

export function kernelVersion({ facts, host, bundle, selection }: PreflightInput): Finding[] {
  if (!host.live) return [];
  const isWorker = selection.roles.includes("worker");
  const { kubernetes } = bundle.index.release;
  const at = (first: string): boolean => isSince(facts.kernel, first);
  const found = facts.kernel;
  const hint = "boot a newer kernel of the distribution";
  if (!at("3.10")) {
    return [error("kernel-version", "the kernel is too old", { expected: "3.10 or newer", found, hint })];
  }
  if (facts.cgroup === 2 && !at("4.5")) {
    const message = "cgroup v2 of this kernel is not usable";
    return [error("kernel-version", message, { expected: "4.5 or newer", found, hint })];
  }
  if (isWorker && usesNftables(bundle) && !at("5.13")) {
    const message = "kube-proxy in mode nftables does not start with this kernel";
    return [error("kernel-version", message, { expected: "5.13 or newer", found, hint })];
  }
  if (isWorker && usesIpvs(bundle) && kubernetes !== null && compareVersions(kubernetes, "1.11.10") < 0 && at("4.19")) {
    const message = `kube-proxy ${kubernetes} finds no nf_conntrack_ipv4 in this kernel and does not work in mode ipvs`;
    const mode = "network: { proxyMode: iptables } in cluster.yaml";
    return [error("kernel-version", message, { expected: "4.18 or older", found, hint: mode })];
  }
  if (isWorker && kubernetes !== null && !isSince(kubernetes, "1.19") && at("5.16")) {
    const message = `runc before 1.0.0-rc94, which releases of ${kubernetes} carry, starts no container with a memory limit`;
    const newer =
      "take a newer runc: alternatives: [newer-runc] where `kubeferry releases` has it; or a kernel before 5.16";
    return [warning("kernel-version", message, { expected: "5.15 or older", found, hint: newer })];
  }
  if (!at("4.4")) {
    const message = "this kernel leaks the memory of containers and may hang when they end";
    return [warning("kernel-version", message, { expected: "4.4 or newer", found, hint })];
  }
  return [ok("kernel-version", found)];
}

/** The modules are kube-proxy's of this mode. */
function usesNftables({ index }: PreflightInput["bundle"]): boolean {
  return index.host.modules.some(({ name }) => name === "nf_tables");
}

function usesIpvs({ index }: PreflightInput["bundle"]): boolean {
  return index.host.modules.some(({ name }) => name === "ip_vs");
}

const controllers = ["cpu", "cpuset", "memory", "pids"];

/** Whether the kubelet's configuration in the bundle lets it start on cgroup v1: its field decides, and is the operator's. */
async function takesFirstVersion({ bundle, selection }: PreflightInput): Promise<boolean> {
  const files = chosen(bundle.index.files, selection).filter(({ path }) => path.endsWith("/kubelet-config.yaml"));
  const contents = await bundle.contents(new Set(files.map(({ digest }) => digest)));
  return [...contents.values()].some((bytes) => /^failCgroupV1: false$/m.test(bytes.toString("utf8")));
}

export async function cgroups(input: PreflightInput): Promise<Finding[]> {
  const { facts, host, bundle, selection } = input;
  // Only a kubelet and its containers live in cgroups that they make: etcd and the control plane take any.
  if (!host.live || !selection.roles.includes("worker")) return [];
  const { kubernetes } = bundle.index.release;
  const hint = "boot with systemd.unified_cgroup_hierarchy=1";
  if (kubernetes !== null && facts.cgroup !== 2 && isSince(kubernetes, "1.35") && !(await takesFirstVersion(input))) {
    const message = `Kubernetes ${kubernetes} wants cgroup v2`;
    return [error("cgroup", message, { expected: "v2", found: `v${facts.cgroup ?? "?"}`, hint })];
  }
  if (kubernetes !== null && facts.cgroup === 2 && !isSince(kubernetes, "1.19")) {
    const message = `Kubernetes ${kubernetes} does not know cgroup v2`;
    const back = "boot with systemd.unified_cgroup_hierarchy=0";
    return [error("cgroup", message, { expected: "v1", found: "v2", hint: back })];
  }
  const list = facts.cgroup === 2 ? ((await host.read("/sys/fs/cgroup/cgroup.controllers")) ?? "").split(/\s+/) : null;
  const lacking = list === null ? [] : controllers.filter((name) => !list.includes(name));
  if (lacking.length === 0) return [ok("cgroup", `v${facts.cgroup ?? "?"}`)];
  const message = `cgroup controllers are missing: ${lacking.join(", ")}`;
  return [error("cgroup", message, { hint: "cat /proc/cmdline   # cgroup_disable=, cgroup_enable=" })];
}

const gigabyte = 1e9;

export function capacity({ facts, host, selection }: PreflightInput): Finding[] {
  if (!host.live) return [];
  const isMaster = selection.roles.includes("master");
  const required = isMaster ? 1.7 * gigabyte : 0.9 * gigabyte;
  const memory: Finding =
    facts.memoryBytes >= required
      ? ok("memory", formatBytes(facts.memoryBytes))
      : warning("memory", "little memory for these roles", {
          expected: formatBytes(required),
          found: formatBytes(facts.memoryBytes),
        });
  const cpus: Finding =
    facts.cpus >= 2 || !isMaster
      ? ok("cpus", String(facts.cpus))
      : warning("cpus", "a master wants two processors", { expected: "2", found: String(facts.cpus) });
  return [memory, cpus];
}

export function hostName({ facts, host }: PreflightInput): Finding[] {
  if (!host.live) return [];
  const name = facts.hostname;
  const fits =
    /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name) && name.split(".").every((part) => part.length <= 63);
  if (fits && !name.startsWith("localhost")) return [ok("hostname", name)];
  const hint = "hostnamectl set-hostname NAME, or hostname: true in cluster.yaml";
  return [warning("hostname", "not a name of its own for this host", { found: name, hint })];
}

export async function timeSync({ host, plan, bundle, selection }: PreflightInput): Promise<Finding[]> {
  const check = "time-sync";
  const servers = bundle.index.host.timeSync ?? [];
  const daemon = idsOf("unit", goalsIn(plan)).find(({ name }) => timeUnits.some((one) => one === name));
  if (servers.length > 0 && daemon !== undefined) return [ok(check, `${daemon.name} asks ${servers.join(", ")}`)];
  const running: string[] = [];
  if (host.live) {
    for (const name of [...timeUnits, ...otherTimeUnits]) if (await isActive(host, name)) running.push(name);
  }
  if (servers.length > 0) {
    const brought = chosen(bundle.index.packages, selection).find(({ name }) => timePackages.includes(name))?.name;
    const message = `nothing here could be pointed at ${servers.join(", ")}`;
    const found = running.join(", ") || "neither chrony nor systemd-timesyncd";
    // Its package is only placed by this very run.
    if (brought !== undefined && running.length === 0) {
      const hint = "run the same ./install once more afterwards";
      return [warning(check, `${message} yet; the bundle brings ${brought}`, { found, hint })];
    }
    const hint = "name chrony under packages: in cluster.yaml, or timeSync: keep";
    return [error(check, message, { found, hint })];
  }
  if (!host.live) return [];
  const { code, stdout } = await host.query(["timedatectl", "show", "-p", "NTPSynchronized", "--value"]);
  if (code === 0 && stdout.trim() === "yes") return [ok(check, "the clock is synchronized")];
  const why = "nodes whose clocks differ refuse each other's certificates";
  if (running.length > 0) {
    const message = `${running.join(", ")} has not set the clock right yet; ${why}`;
    return [warning(check, message, { hint: "timedatectl; chronyc tracking" })];
  }
  const hint = "timeSync: [SERVER] under host: in cluster.yaml, or systemctl enable --now chrony";
  return [warning(check, `nothing keeps the clock right; ${why}`, { hint })];
}

const timePackages = ["chrony", "systemd-timesyncd"];

interface Program {
  readonly name: string;
  readonly severity: "error" | "warning";
  readonly role: "any" | "worker";
  /** Packages that bring it, where none is called like it. */
  readonly packages?: readonly string[];
}

/** Programs of the host that daemons call, with who needs them: an error where nothing works without. */
const needed: readonly Program[] = [
  { name: "mount", severity: "error", role: "any" },
  { name: "umount", severity: "error", role: "any" },
  { name: "modprobe", severity: "error", role: "any" },
  { name: "ip", severity: "warning", role: "worker", packages: ["iproute2", "iproute"] },
  { name: "iptables", severity: "warning", role: "worker", packages: ["iptables-nft", "iptables-legacy"] },
  { name: "nsenter", severity: "warning", role: "worker", packages: ["util-linux", "util-linux-core"] },
  { name: "conntrack", severity: "warning", role: "worker", packages: ["conntrack-tools"] },
  { name: "ethtool", severity: "warning", role: "worker" },
  { name: "socat", severity: "warning", role: "worker" },
  { name: "tc", severity: "warning", role: "worker", packages: ["iproute2", "iproute-tc"] },
];
const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export async function programs({ host, selection, bundle }: PreflightInput): Promise<Finding[]> {
  if (!host.live) return [];
  const brought = new Set(bundle.index.files.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)));
  const packaged = new Set(chosen(bundle.index.packages, selection).map(({ name }) => name));
  // Without Kubernetes' daemons nobody calls what they call.
  const isWorker = selection.roles.includes("worker") && bundle.index.release.kubernetes !== null;
  const findings: Finding[] = [];
  const nft: Program = { name: "nft", severity: "error", role: "worker", packages: ["nftables"] };
  for (const { name, severity, role, packages = [] } of usesNftables(bundle) ? [nft, ...needed] : needed) {
    if ((role === "worker" && !isWorker) || brought.has(name)) continue;
    if ([name, ...packages].some((one) => packaged.has(one))) continue;
    let found = false;
    for (const folder of folders) found ||= (await host.stat(`${folder}/${name}`)) !== null;
    if (found) continue;
    const hint = `name its package under packages: in cluster.yaml, or install it from this system's media`;
    findings.push({ check: "programs", severity, message: `${name} is missing`, hint });
  }
  return findings.length > 0 ? findings : [ok("programs", "what daemons call is there")];
}
