/** Every named check of preflight on a host where it must speak, and silence of errors on one that is fit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BundleIndex, decodeIndex } from "#bundle";
import type { Finding } from "#cli/finding";
import type { PreflightInput } from "../../../installer/checks/preflight/input.ts";
import { preflight } from "../../../installer/checks/preflight/preflight.ts";
import { parseMounts } from "../../../installer/host/mounts.ts";
import type { Facts } from "../../../installer/host/facts.ts";
import type { Transaction } from "../../../installer/journal/transaction.ts";
import { plan } from "../../../installer/plan/plan.ts";
import { select } from "../../../installer/plan/select.ts";
import { FakeHost } from "../../fakes/fake-host.ts";
import { nodeBundle } from "../../builders/node-bundle.ts";

const [first] = await nodeBundle();
const sample = decodeIndex(first?.content.toString("utf8") ?? "", "test");
const fit: Facts = {
  ...{
    live: true,
    platform: "linux/amd64",
    uid: 0,
    gid: 0,
    kernel: "6.1.0-28",
    hostname: "n1",
    systemd: true,
    cgroup: 2,
  },
  ...{ memoryBytes: 8e9, cpus: 4, selinux: null, distribution: { id: "debian", version: "12", name: "Debian" } },
  interfaces: [{ name: "eth0", address: "10.0.0.11", cidr: "10.0.0.11/24" }],
};

const dualStack = ({ nodes }: BundleIndex): void => {
  for (const node of nodes) if (node.ip === "10.0.0.11") node.ip6 = "fd00::11";
};

const both = {
  facts: { interfaces: [...fit.interfaces, { name: "eth0", address: "fd00::11", cidr: "fd00::11/64" }] },
};

/** The same host with IPv6 alone. */
const six = {
  ip: "fd00::11",
  index: ({ nodes }: BundleIndex): void => {
    for (const node of nodes) if (node.ip === "10.0.0.11") node.ip = "fd00::11";
  },
  facts: { interfaces: [{ name: "eth0", address: "fd00::11", cidr: "fd00::11/64" }] },
};
const certifiedFor = (address: string) => (index: BundleIndex) => {
  six.index(index);
  withCertificate(["127.0.0.1", address])(index);
};

/** With the default route that a kernel has from an advertisement. */
const routed = (acceptRa: string) => (host: FakeHost) => {
  host.file("/proc/sys/net/ipv6/conf/eth0/accept_ra", `${acceptRa}\n`);
  const none = "0".repeat(32);
  host.file(
    "/proc/net/ipv6_route",
    `${none} 00 ${none} 00 fe800000000000000000000000000001 00000400 00000003 00000000 00450003     eth0\n`,
  );
};

interface Change {
  readonly facts?: Partial<Facts>;
  readonly index?: (index: BundleIndex) => void;
  readonly host?: (host: FakeHost) => void;
  readonly past?: readonly Transaction[];
  readonly now?: string;
  readonly live?: boolean;
  readonly ip?: string;
  /** Of every file of the bundle. */
  readonly content?: string;
}

function fitHost(live: boolean): FakeHost {
  const host = new FakeHost({ live });
  host.file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  host.file("/proc/net/route", "Iface\tDestination\neth0\t00000000\n");
  for (const name of ["mount", "umount", "modprobe"]) host.file(`/usr/bin/${name}`, "");
  host.system.sysctls.set("/proc/sys/vm/swappiness", "60");
  return host;
}

async function findings(change: Change = {}): Promise<Finding[]> {
  const index = structuredClone(sample);
  change.index?.(index);
  const live = change.live ?? true;
  const facts = { ...fit, live, ...change.facts };
  const host = fitHost(live);
  change.host?.(host);
  const selection = select(
    index,
    { role: "etcd,master,worker", ip: change.ip ?? "10.0.0.11", name: undefined, iface: undefined },
    facts,
  );
  const files = index.files.map((entry) => ({ entry, digest: entry.digest, size: entry.size }));
  const input: PreflightInput = {
    ...{ host, facts, selection, past: change.past ?? [], kept: 0, now: new Date(change.now ?? "2026-11-22") },
    bundle: {
      index,
      payloadDigest: sample.files[0]?.digest ?? ("" as never),
      contents: async (digests) => new Map([...digests].map((digest) => [digest, Buffer.from(change.content ?? "")])),
    },
    plan: plan({ index, selection, files, live, owner: null }),
  };
  return preflight(input);
}

async function severityOf(check: string, change: Change): Promise<string | undefined> {
  return (await findings(change)).find((finding) => finding.check === check)?.severity;
}

const errors = (list: readonly Finding[]): string[] =>
  list.filter(({ severity }) => severity === "error").map(({ check }) => check);

test("a fit host has no error, and every finding is named; a mounted tree is asked less", async () => {
  const all = await findings();
  assert.deepEqual(errors(all), []);
  assert.ok(new Set(all.map(({ check }) => check)).size > 20);
  const tree = await findings({ live: false });
  assert.deepEqual(errors(tree), []);
  assert.ok(!tree.some(({ check }) => ["root", "systemd", "address", "ports"].includes(check)));
});

const certificate = {
  path: "/etc/ferry/a.pem",
  node: "n1",
  subject: "CN=a",
  notBefore: "2026-11-20T00:00:00Z",
  notAfter: "2027-11-20T00:00:00Z",
};
const withCertificate =
  (sans: string[], more: object = {}) =>
  (index: BundleIndex): void => {
    index.certificates = [{ ...certificate, sans, ...more }];
  };
const listening =
  (port: number, unit: string, slice = "system.slice") =>
  (host: FakeHost): void => {
    const local = `00000000:${port.toString(16).padStart(4, "0").toUpperCase()}`;
    host.file("/proc/net/tcp", `head\n 0: ${local} 00000000:0000 0A 0 0 0 0 0 4711 1\n`);
    host.link("/proc/77/fd/3", "socket:[4711]");
    host.file("/proc/77/cgroup", `0::/${slice}/${unit}\n`);
  };
const container = "cri-containerd-0123.scope";
const pod = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0123.slice";
const portOf =
  (port: string) =>
  (index: BundleIndex): void => {
    index.host.firewall.ports = [{ port, protocol: "tcp", for: { roles: ["etcd"] } }];
  };
const kubernetes =
  (version: string) =>
  (index: BundleIndex): void => {
    index.release.kubernetes = version;
  };
const withIpvs =
  (version: string) =>
  (index: BundleIndex): void => {
    index.release.kubernetes = version;
    index.host.modules.push({ name: "ip_vs", optional: true, for: { roles: ["worker"] } });
  };
const past = (cluster: string, units: string[] = []): Transaction[] => [
  {
    ...{ id: 1, at: "", state: "committed", changes: [], done: new Set(), undone: new Set() },
    header: {
      bundle: { payload: "", where: "", cluster, release: "distro", locked: "" },
      roles: ["etcd"],
      node: { name: "n1", ip: "10.0.0.11" },
    },
    phases: [{ name: "start", gates: [], goals: units.map((name) => ({ resource: "unit", id: { name, links: [] } })) }],
  } as unknown as Transaction,
];

const wallOf =
  (family: string) =>
  ({ system }: FakeHost): void =>
    void system.nftables.chains.set(`${family} filter input`, { policy: "drop", rules: [] });
const withWall = wallOf("inet");

function withTime({ host }: BundleIndex): void {
  host.timeSync = ["10.0.0.1"];
}

/** kube-proxy's mode, by the module that it needs. */
function withNftables({ release, host }: BundleIndex): void {
  release.kubernetes = "1.36.3";
  host.modules.push({ name: "nf_tables", optional: true, for: { roles: ["worker"] } });
}

const cases: readonly (readonly [check: string, severity: "error" | "warning" | "ok", why: string, change: Change])[] =
  [
    ["root", "error", "an ordinary user", { facts: { uid: 1000 } }],
    ["systemd", "error", "another init", { facts: { systemd: false } }],
    ["kernel-version", "error", "2.6", { facts: { kernel: "2.6.32" } }],
    ["kernel-version", "warning", "3.10", { facts: { kernel: "3.10.0-1160.el7", cgroup: 1 } }],
    ["kernel-version", "ok", "4.4", { facts: { kernel: "4.4.230", cgroup: 1 } }],
    ["kernel-version", "error", "5.10 with nftables", { facts: { kernel: "5.10.0-30" }, index: withNftables }],
    ["programs", "error", "no nft with nftables", { index: withNftables }],
    ["kernel-version", "error", "6.1 with ipvs of 1.11", { index: withIpvs("1.11.2") }],
    ["kernel-version", "ok", "4.18 with ipvs of 1.11", { index: withIpvs("1.11.2"), facts: { kernel: "4.18.0" } }],
    ["kernel-version", "warning", "6.1 with ipvs of 1.11.10", { index: withIpvs("1.11.10") }],
    [
      "kernel-version",
      "warning",
      "6.1 with the runc of 1.16",
      { index: (index) => (index.release.kubernetes = "1.16.6") },
    ],
    ["cgroup", "error", "v1 for 1.36", { facts: { cgroup: 1 }, index: kubernetes("1.36.3") }],
    [
      ...(["cgroup", "ok", "v1 for 1.36, whose kubelet is told to take it"] as const),
      {
        facts: { cgroup: 1 },
        index: (index) => {
          kubernetes("1.36.3")(index);
          for (const file of index.files.slice(0, 1)) file.path = "/etc/kubernetes/kubelet-config.yaml";
        },
        content: "kind: KubeletConfiguration\nfailCgroupV1: false\n",
      },
    ],
    ["cgroup", "error", "v2 for 1.16", { index: kubernetes("1.16.15") }],
    [
      "cgroup",
      "error",
      "no memory controller",
      { host: (host) => host.file("/sys/fs/cgroup/cgroup.controllers", "cpu cpuset pids") },
    ],
    ["memory", "warning", "512 MB", { facts: { memoryBytes: 5e8 } }],
    ["cpus", "warning", "one for a master", { facts: { cpus: 1 } }],
    ["hostname", "warning", "localhost", { facts: { hostname: "localhost.localdomain" } }],
    ["hostname", "warning", "capitals", { facts: { hostname: "Node_1" } }],
    ["time-sync", "warning", "nobody knows", {}],
    ["time-sync", "error", "servers, and nothing that could ask them", { index: withTime }],
    [
      ...(["time-sync", "warning", "the bundle brings what could"] as const),
      {
        index(index) {
          withTime(index);
          const shared = { version: "4", architecture: "amd64", format: "deb", distribution: "debian 12" } as const;
          index.packages.push({ name: "chrony", path: "/c.deb", ...shared, for: { roles: ["worker"] } });
        },
      },
    ],
    ["programs", "error", "no modprobe", { host: (host) => host.entries.delete("/usr/bin/modprobe") }],
    ["programs", "warning", "no conntrack for a kubelet", { index: kubernetes("1.36.3") }],
    [
      ...(["programs", "ok", "the bundle has their packages"] as const),
      {
        index(index) {
          kubernetes("1.36.3")(index);
          const shared = { version: "1", architecture: "amd64", format: "rpm", distribution: "rocky 9" } as const;
          for (const name of [
            "conntrack-tools",
            "ethtool",
            "socat",
            "iproute",
            "iproute-tc",
            "iptables-nft",
            "util-linux",
          ]) {
            index.packages.push({ name, path: `/${name}.rpm`, ...shared, for: { roles: ["worker"] } });
          }
        },
      },
    ],
    ["cluster", "error", "another cluster's node", { past: past("other") }],
    ["cluster", "ok", "the same cluster", { past: past("sample") }],
    ["existing-cluster", "error", "kubeadm's", { host: (host) => host.file("/etc/kubernetes/admin.conf", "") }],
    [
      "existing-cluster",
      "ok",
      "our own",
      { past: past("sample"), host: (host) => host.file("/etc/kubernetes/admin.conf", "") },
    ],
    [
      ...(["foreign-runtime", "warning", "docker runs"] as const),
      {
        host: (host) => {
          host.file("/usr/lib/systemd/system/docker.service", "docker");
          host.system.run(["systemctl", "start", "docker.service"]);
        },
      },
    ],
    ["etcd-data", "error", "another etcd's", { host: (host) => host.directory("/var/lib/ferry/member/wal") }],
    [
      "etcd-data",
      "ok",
      "our own",
      { past: past("sample"), host: (host) => host.directory("/var/lib/ferry/member/wal") },
    ],
    ["bundle-age", "warning", "a year old", { now: "2027-11-21" }],
    ["clock", "error", "before the certificates", { index: withCertificate([]), now: "2026-11-19" }],
    ["clock", "ok", "within them", { index: withCertificate([]) }],
    ["certificate-life", "error", "expired", { index: withCertificate([]), now: "2027-11-21" }],
    ["certificate-life", "warning", "ten days left", { index: withCertificate([]), now: "2027-11-10" }],
    ["certificate-address", "error", "another address", { index: withCertificate(["127.0.0.1", "10.0.0.99"]) }],
    ["certificate-address", "ok", "this address", { index: withCertificate(["10.0.0.11", "n1"]) }],
    ["certificate-address", "ok", "no address at all", { index: withCertificate(["n1"]) }],
    [
      "address",
      "error",
      "another host's",
      { facts: { interfaces: [{ name: "eth0", address: "10.0.0.5", cidr: "10.0.0.5/24" }] } },
    ],
    ["address", "error", "in dual stack IPv4 alone", { index: dualStack }],
    [
      "address",
      "warning",
      "in dual stack on two interfaces",
      {
        index: dualStack,
        facts: { interfaces: [...fit.interfaces, { name: "eth1", address: "fd00::11", cidr: "fd00::11/64" }] },
      },
    ],
    ["address", "warning", "in dual stack by a router", { index: dualStack, ...both, host: routed("1") }],
    [
      "address",
      "ok",
      "in dual stack by a router to which a node that forwards listens",
      { index: dualStack, ...both, host: routed("2") },
    ],
    ["address", "ok", "in dual stack both", { index: dualStack, ...both }],
    ["address", "ok", "IPv6 alone", six],
    ["firewall", "warning", "a wall of IPv6, and IPv6 alone", { ...six, host: wallOf("ip6") }],
    ["firewall", "ok", "a wall of IPv4, and IPv6 alone", { ...six, host: wallOf("ip") }],
    ["firewall", "ok", "a wall of IPv6, and IPv4 alone", { host: wallOf("ip6") }],
    ["address", "error", "another of IPv6", { ...six, facts: {} }],
    ["address", "warning", "IPv6 alone by a router", { ...six, host: routed("1") }],
    ["certificate-address", "ok", "this address of IPv6", { ...six, index: certifiedFor("fd00::11") }],
    ["certificate-address", "error", "another address of IPv6", { ...six, index: certifiedFor("fd00::99") }],
    [
      "networks",
      "error",
      "inside the pods' IPv6 network",
      {
        index: (index) => void (index.cluster.podCidr = "172.30.0.0/16,fd00:10:244::/56"),
        facts: {
          interfaces: [...fit.interfaces, { name: "eth1", address: "fd00:10:244:1::7", cidr: "fd00:10:244:1::7/64" }],
        },
      },
    ],
    [
      "networks",
      "error",
      "inside the pods' network",
      { index: (index) => void (index.cluster.podCidr = "10.0.0.0/16") },
    ],
    ["ports", "error", "taken by another service", { index: portOf("2379"), host: listening(2379, "other.service") }],
    [
      "ports",
      "ok",
      "held by our own unit",
      { index: portOf("2379"), host: listening(2379, "etcd.service"), past: past("sample", ["etcd.service"]) },
    ],
    [
      ...(["ports", "ok", "held by a pod of our kubelet"] as const),
      { index: portOf("179"), host: listening(179, container, pod), past: past("sample", ["kubelet.service"]) },
    ],
    [
      ...(["ports", "error", "held by a pod of a kubelet that is not ours"] as const),
      { index: portOf("179"), host: listening(179, container, pod) },
    ],
    ["ports", "ok", "free", { index: portOf("2379"), host: listening(2380, "other.service") }],
    [
      ...(["firewall", "warning", "an administrator's nftables, kept"] as const),
      { index: portOf("2379"), host: withWall },
    ],
    [
      ...(["firewall", "ok", "an administrator's nftables, opened"] as const),
      {
        index(index) {
          portOf("2379")(index);
          index.host.firewall.mode = "open-ports";
        },
        host: withWall,
      },
    ],
    [
      ...(["firewall", "warning", "ufw opens no protocol that has no ports"] as const),
      {
        index(index) {
          index.host.firewall = {
            mode: "open-ports",
            ports: [],
            protocols: [{ protocol: 4, for: { roles: ["etcd"] } }],
          };
        },
        host: (host) => {
          host.file("/usr/lib/systemd/system/ufw.service", "x");
          host.system.run(["systemctl", "start", "ufw.service"]);
        },
      },
    ],
    [
      ...(["firewall", "warning", "opened in a chain that the file of nftables.service does not make"] as const),
      {
        index(index) {
          portOf("2379")(index);
          index.host.firewall.mode = "open-ports";
        },
        host(host) {
          withWall(host);
          host.file("/etc/nftables.conf", "flush ruleset\n");
          host.link(
            "/etc/systemd/system/sysinit.target.wants/nftables.service",
            "/lib/systemd/system/nftables.service",
          );
        },
      },
    ],
    [
      ...(["firewall", "warning", "firewalld, and it is kept"] as const),
      {
        index: portOf("2379"),
        host: (host) => {
          host.file("/usr/lib/systemd/system/firewalld.service", "x");
          host.system.run(["systemctl", "start", "firewalld.service"]);
        },
      },
    ],
    [
      "kernel-modules",
      "error",
      "one is missing",
      {
        index: (index) => void index.host.modules.push({ name: "no_such", optional: false, for: { roles: ["etcd"] } }),
      },
    ],
    [
      "kernel-modules",
      "ok",
      "an optional one is missing",
      { index: (index) => void index.host.modules.push({ name: "no_such", optional: true, for: { roles: ["etcd"] } }) },
    ],
    [
      "kernel-modules",
      "ok",
      "a kernel without modules has what was built into it",
      {
        index: (index) => void index.host.modules.push({ name: "no_such", optional: false, for: { roles: ["etcd"] } }),
        host: (host) => void (host.system.loadsModules = false),
      },
    ],
    [
      "sysctl",
      "warning",
      "an unknown key",
      {
        index: (index) =>
          void index.host.sysctls.push({ key: "no.such", value: "1", policy: "set", for: { roles: ["etcd"] } }),
      },
    ],
    [
      ...(["swap", "warning", "on and kept"] as const),
      {
        index: (index) => void (index.host.swap = "keep"),
        host: (host) => {
          host.system.swapDevices.add("/dev/vda2");
          host.system.run(["swapon", "/dev/vda2"]);
        },
      },
    ],
    ["selinux", "error", "enforcing without restorecon", { facts: { selinux: "enforcing" } }],
    [
      "selinux",
      "ok",
      "enforcing, to be made permissive",
      { facts: { selinux: "enforcing" }, index: (index) => void (index.host.selinux = "permissive") },
    ],
    ["data-directory", "warning", "a link", { host: (host) => host.link("/var/lib/ferry", "/data/ferry") }],
  ];

for (const [check, severity, why, change] of cases) {
  test(`${check}: ${severity} for ${why}`, async () => assert.equal(await severityOf(check, change), severity));
}

test("mounts are read with their escapes, types and read-only super blocks", () => {
  const text = String.raw`36 35 98:0 / / rw,noatime shared:1 - ext4 /dev/root rw
37 36 0:5 / /mnt/a\040b ro,noexec - xfs /dev/sdb ro`;
  assert.deepEqual(parseMounts(text), [
    { at: "/", type: "ext4", options: ["rw", "noatime"], root: "/", source: "/dev/root" },
    { at: "/mnt/a b", type: "xfs", options: ["ro", "noexec", "ro"], root: "/", source: "/dev/sdb" },
  ]);
});
