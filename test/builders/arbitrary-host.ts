/** Random hosts, and random plans of all kinds for them, for the laws. */
import { dirname } from "node:path";
import * as fc from "fast-check";
import { digestOf } from "#bundle";
import { goal } from "../../installer/resources/catalogue.ts";
import { mark } from "../../installer/resources/object-kubectl.ts";
import type { Goal, Plan } from "../../installer/resources/resource.ts";
import type { Foreign, Grows } from "../fakes/fake-growth.ts";
import { FakeHost } from "../fakes/fake-host.ts";
import { FakeSystem } from "../fakes/fake-system.ts";

const root = { uid: 0, gid: 0 };
const owner = fc.constantFrom(root, { uid: 998, gid: 997 });
const folders = ["/etc", "/etc/ferry", "/etc/ferry/pki", "/opt/ferry/bin", "/var/lib/ferry"];
const names = ["a.conf", "b.key", "c"];
const paths = folders.flatMap((folder) => names.map((name) => `${folder}/${name}`));
const units = ["one.service", "two.service"];
const unitPath = (name: string): string => `/etc/systemd/system/${name}`;
const timeUnit = "/usr/lib/systemd/system/time.service";
const timeLink = "/etc/systemd/system/sysinit.target.wants/time.service";
const ports = ["6443/tcp", "30000-32767/tcp", "protocol 4", "from 10.9.0.0/16", "to 10.9.0.0/16"];
const timeDropIn = "/etc/time.d/ferry.conf";
const content = fc.constantFrom("old\n", "new\n", "same\n", "");
const mode = fc.constantFrom(0o600, 0o644, 0o755);

export interface HostWish {
  readonly files: readonly { path: string; content: string; mode: number; owner: { uid: number; gid: number } }[];
  readonly folders: readonly { path: string; mode: number }[];
  readonly links: readonly string[];
  readonly fstab: string | null;
  readonly hosts: string | null;
  readonly units: readonly { name: string; there: boolean; active: boolean; enabled: boolean; masked: boolean }[];
  readonly swaps: number;
  readonly swapUnit: boolean;
  readonly modules: readonly string[];
  readonly swappiness: string | null;
  readonly live: boolean;
  readonly hostname: string | null;
  readonly selinux: boolean | null;
  /** The distribution's own service, to be stopped: none, its file in /usr/lib, or an administrator's own file. */
  readonly foreign: { readonly place: "none" | "vendor" | "own"; readonly active: boolean; readonly enabled: boolean };
  /** The host's own time daemon, and a configuration into which a block goes. */
  readonly time: { readonly active: boolean; readonly enabled: boolean; readonly config: string | null };
  /** firewalld runs with some ports open. */
  readonly firewall: readonly string[] | null;
  /** An administrator's own rules; `file`: what nftables.service would load. */
  readonly nft: {
    readonly policy: "drop" | "accept";
    readonly rules: readonly string[];
    readonly file: string | null;
    readonly enabled: boolean;
  } | null;
  /** Of somebody's own containers, networks and rules. */
  readonly others: readonly Foreign[];
  /** What the cluster, which answers while one.service runs, has of what a plan brings about. */
  readonly cluster: readonly ClusterThing[];
  /** It answers, and refuses whatever it is asked. */
  readonly refuses: boolean;
}

const nftFile = "flush ruleset\ntable inet filter {\n chain input {\n policy drop\n }\n}\n";

type ClusterThing = "label" | "other label" | "key" | "folder" | "key3" | "object" | "older object" | "former object";
const clusterThings: ClusterThing[] = [
  "label",
  "other label",
  "key",
  "folder",
  "key3",
  "object",
  "older object",
  "former object",
];
const manifest =
  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n";
const manifestPath = "/manifest.yaml";
const rights =
  "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: administrators\n";
const rightsPath = "/rights.yaml";

export const arbitraryHost: fc.Arbitrary<HostWish> = fc.record({
  files: fc.uniqueArray(fc.record({ path: fc.constantFrom(...paths), content, mode, owner }), {
    selector: ({ path }) => path,
  }),
  folders: fc.uniqueArray(fc.record({ path: fc.constantFrom(...folders), mode: fc.constantFrom(0o700, 0o755) }), {
    selector: ({ path }) => path,
  }),
  links: fc.uniqueArray(fc.constantFrom(...paths), { maxLength: 2 }),
  fstab: fc.option(
    fc
      .array(
        fc.constantFrom(
          "/dev/vda1 / ext4 defaults 0 1",
          "/dev/vda2 none\tswap   sw 0 0",
          "#/dev/vda3 none swap sw",
          "",
          "# x",
        ),
      )
      .map((lines) => lines.join("\n")),
  ),
  hosts: fc.option(
    fc.constantFrom(
      "",
      "127.0.0.1 localhost",
      "127.0.0.1 localhost\n",
      "# begin kubeferry\n10.0.0.1 x\n# end kubeferry\ny\n",
    ),
  ),
  units: fc.tuple(
    ...units.map((name) =>
      fc.record({
        name: fc.constant(name),
        there: fc.boolean(),
        active: fc.boolean(),
        enabled: fc.boolean(),
        masked: fc.boolean(),
      }),
    ),
  ),
  swaps: fc.nat({ max: 2 }),
  swapUnit: fc.boolean(),
  modules: fc.subarray(["overlay", "br_netfilter"]),
  swappiness: fc.option(fc.constantFrom("60", "0", "10")),
  live: fc.boolean(),
  hostname: fc.option(fc.constantFrom("old\n", "n1\n", "n1", "")),
  selinux: fc.option(fc.boolean()),
  foreign: fc.record({
    place: fc.constantFrom("none", "vendor", "own"),
    active: fc.boolean(),
    enabled: fc.boolean(),
  }),
  time: fc.record({
    active: fc.boolean(),
    enabled: fc.boolean(),
    config: fc.option(fc.constantFrom("", "pool a", "pool a\n", "# begin kubeferry\nold\n# end kubeferry\npool b\n")),
  }),
  firewall: fc.option(fc.subarray(["6443/tcp", "22/tcp", "protocol 4", "from 10.9.0.0/16"])),
  nft: fc.option(
    fc.record({
      policy: fc.constantFrom("drop", "accept"),
      rules: fc.subarray(["tcp dport 6443 accept", "drop"]),
      file: fc.option(fc.constantFrom(nftFile, `${nftFile}# x`, "# nothing\n")),
      enabled: fc.boolean(),
    }),
  ),
  others: fc.subarray<Foreign>(["container", "interface", "mount", "rule", "chain", "table"]),
  cluster: fc.subarray(clusterThings),
  refuses: fc.boolean(),
});

/** A host as wished; made anew each time, since apply changes it. */
export function makeHost(wish: HostWish): FakeHost {
  const host = new FakeHost({ live: wish.live, system: new FakeSystem() });
  for (const { path, mode: bits } of wish.folders) host.directory(path, bits);
  for (const { path, content: text, mode: bits, owner: who } of wish.files) host.file(path, text, bits, who);
  for (const path of wish.links) if (!host.entries.has(path)) host.link(path, "/elsewhere");
  if (wish.fstab !== null) host.file("/etc/fstab", wish.fstab);
  if (wish.hosts !== null) host.file("/etc/hosts", wish.hosts);
  const { system } = host;
  for (const { name, there, active, enabled, masked } of wish.units) {
    if (there) host.file(unitPath(name), `old ${name}`);
    if (enabled) host.link(`/etc/systemd/system/multi-user.target.wants/${name}`, "/usr/lib/elsewhere");
    if (active && there) system.run(["systemctl", "start", name]);
    if (masked && !there) host.link(unitPath(name), "/dev/null");
    if (masked) host.link(`/run/systemd/system/${name}`, "/dev/null");
  }
  for (let number = 0; number < wish.swaps; number += 1) {
    system.swapDevices.add(`/dev/vd${number}`);
    system.run(["swapon", ...(number === 1 ? ["-p", "5"] : []), `/dev/vd${number}`]);
  }
  if (wish.swapUnit) system.swapUnits.push("dev-vdz.swap");
  for (const name of wish.modules) system.run(["modprobe", name]);
  if (wish.swappiness !== null) system.sysctls.set("/proc/sys/vm/swappiness", wish.swappiness);
  makeGuards(host, wish);
  makeCluster(host, wish.cluster);
  system.foreign = wish.others;
  system.growth.have(wish.others);
  system.sysctls.set("/proc/sys/kernel/panic", "0");
  system.writes = () => {
    for (const path of grownFiles) if (host.entries.get(dirname(path))?.type === "directory") host.file(path, "grown");
  };
  system.cluster.refuses = wish.refuses;
  system.settleBoot();
  return host;
}

/** The kubelet's credential, state and a pod's configuration; a folder that daemons make themselves. */
const grownFiles = ["/etc/ferry/kubelet.kubeconfig", "/var/lib/ferry/cpu_manager_state"];

function makeGuards(host: FakeHost, { hostname, selinux, foreign, firewall, live, time, nft }: HostWish): void {
  const { system } = host;
  host.file(timeUnit, "time");
  if (time.enabled) host.link(timeLink, timeUnit);
  if (time.active && live) system.run(["systemctl", "start", "time.service"]);
  if (time.config !== null) host.file("/etc/time.conf", time.config);
  system.sysctls.set("/proc/sys/kernel/hostname", "old");
  if (hostname !== null) host.file("/etc/hostname", hostname);
  if (selinux !== null) {
    host.file("/etc/selinux/config", "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n");
    system.enforcing = selinux;
  }
  if (foreign.place !== "none") {
    host.file(`${foreign.place === "own" ? "/etc" : "/usr/lib"}/systemd/system/foreign.service`, "foreign");
    if (foreign.enabled) host.link("/etc/systemd/system/multi-user.target.wants/foreign.service", "/elsewhere");
    if (foreign.active && live) system.run(["systemctl", "start", "foreign.service"]);
  }
  if (nft !== null) {
    system.nftables.chains.set("inet filter input", { policy: nft.policy, rules: nft.rules.map((text) => ({ text })) });
    if (nft.file !== null) host.file("/etc/nftables.conf", nft.file, 0o755);
    if (nft.enabled) {
      host.file("/usr/lib/systemd/system/nftables.service", "nftables");
      host.link(
        "/etc/systemd/system/sysinit.target.wants/nftables.service",
        "/usr/lib/systemd/system/nftables.service",
      );
    }
  }
  if (firewall === null) return;
  host.file("/usr/lib/systemd/system/firewalld.service", "firewalld");
  system.run(["systemctl", "start", "firewalld.service"]);
  for (const port of firewall) for (const set of [system.firewall.now, system.firewall.permanent]) set.add(port);
}

function makeCluster({ system }: FakeHost, things: readonly ClusterThing[]): void {
  const { labels, keys, folders, objects } = system.cluster;
  const object = (name: string, kind: string, content: string, annotations = {}): void => {
    objects.set(`${kind}. default/${name}`, { apiVersion: "v1", kind, metadata: { name, annotations }, content });
  };
  for (const thing of things) {
    if (thing === "label") labels.set("role", "x");
    if (thing === "other label") labels.set("role", "y");
    if (thing === "folder" || thing === "key") folders.add("/net");
    if (thing === "key") keys.set("/net/config", "value");
    if (thing === "key3") keys.set("v3 /net/config", "value");
    if (thing === "object") object("a", "ConfigMap", manifest);
    if (thing === "older object") object("b", "Service", "older");
    if (thing === "former object") object("c", "Secret", "former", { [mark]: "older" });
  }
}

const fileOperation = fc.record({ path: fc.constantFrom(...paths), text: content, mode, owner });

const planWish = fc.record({
  files: fc.uniqueArray(fileOperation, { selector: ({ path }) => path }),
  explicit: fc.subarray([...folders]),
  directoryMode: fc.constantFrom(0o700, 0o755),
  units: fc.subarray([...units]),
  start: fc.boolean(),
  swap: fc.boolean(),
  hosts: fc.boolean(),
  modules: fc.subarray(["overlay", "br_netfilter", "missing_one"]),
  sysctls: fc.subarray(["vm.swappiness", "net.bridge.bridge-nf-call-iptables", "no.such.key"]),
  policy: fc.constantFrom("set" as const, "raise" as const),
  hostname: fc.boolean(),
  selinux: fc.option(fc.constantFrom("permissive" as const, "disabled" as const)),
  stop: fc.boolean(),
  ports: fc.boolean(),
  time: fc.boolean(),
  grows: fc.oneof(
    fc.constant<Grows[]>([]),
    fc.subarray<Grows>(["pods", "orphans", "interfaces", "mounts", "rules", "table", "files", "values", "modules"]),
  ),
  objects: fc.subarray(["grant", "kubectl", "former", "etcd2", "etcd3", "label"] as const),
});

export const arbitraryPlan = planWish;
export type PlanWish = typeof planWish extends fc.Arbitrary<infer Wish> ? Wish : never;

/** A plan as plan/ makes it: parents first, no resource twice. */
export function makePlan(wish: PlanWish, live: boolean): Plan {
  const grows = wish.grows.length > 0;
  const own = [...wish.units, ...(grows ? ["containerd.service", "kubelet.service"] : [])];
  const unitFiles = own.map((name) => ({
    path: unitPath(name),
    text: `new ${name}`,
    mode: 0o644,
    owner: root,
  }));
  const timeFiles = wish.time ? [{ path: timeDropIn, text: "new\n", mode: 0o644, owner: root }] : [];
  const files = [...wish.files, ...unitFiles, ...timeFiles];
  const links = own.map((name) => `/etc/systemd/system/multi-user.target.wants/${name}`);
  const needed = [
    ...files.map(({ path }) => path),
    ...links,
    ...(wish.time ? [timeLink] : []),
    ...wish.explicit.map((path) => `${path}/x`),
  ];
  if (wish.hosts || wish.swap || wish.hostname || wish.stop) needed.push("/etc/hosts", "/etc/systemd/system/a.swap");
  const directories = [...new Set(needed.flatMap((path) => parents(path)))].toSorted(
    (a, b) => a.split("/").length - b.split("/").length,
  );
  const goals: Goal[] = [
    ...directories.map((path) => {
      const implied = !wish.explicit.includes(path);
      return goal("directory", { path, mode: implied ? 0o755 : wish.directoryMode, owner: root, implied });
    }),
    ...(wish.hosts ? [goal("block", { path: "/etc/hosts", lines: ["10.0.0.11 n1"], owner: root })] : []),
    ...(live ? wish.modules.map((name) => goal("module", { name, optional: name === "missing_one" })) : []),
    ...(live
      ? wish.sysctls.map((key) => {
          const broughtBy =
            key.startsWith("net.bridge") && wish.modules.includes("br_netfilter") ? "br_netfilter" : null;
          return goal("sysctl", { key, value: "20", policy: wish.policy, broughtBy });
        })
      : []),
    ...(wish.swap ? [goal("swap", {})] : []),
    ...(wish.hostname ? [goal("hostname", { name: "n1", owner: root })] : []),
    ...(wish.selinux === null ? [] : [goal("selinux", { mode: wish.selinux })]),
    ...(wish.stop ? [goal("service", { name: "foreign" })] : []),
    ...(wish.ports && live ? [goal("firewall", { ports }), goal("nftables", { ports })] : []),
  ];
  if (wish.objects.includes("kubectl")) files.push({ path: manifestPath, text: manifest, mode: 0o644, owner: root });
  if (wish.objects.includes("grant")) files.push({ path: rightsPath, text: rights, mode: 0o644, owner: root });
  const place = files.map(({ path, text, mode: bits, owner: who }) =>
    goal("file", { path, mode: bits, owner: who, digest: digestOf(text), size: text.length, sensitive: false }),
  );
  const startOf = (name: string): Goal =>
    goal("unit", {
      name,
      file: unitPath(name),
      links: [`/etc/systemd/system/multi-user.target.wants/${name}`],
      start: live && wish.start,
      noBlock: false,
      restartOn: [{ path: unitPath(name), digest: digestOf(`new ${name}`) }],
    });
  const notes = grows ? notesOf() : null;
  return {
    phases: [
      { name: "note kernel", goals: notes?.kernel ?? [], gates: [] },
      { name: "prepare", goals, gates: [] },
      { name: "place", goals: place, gates: [] },
      { name: "time", goals: wish.time ? timeGoals(live) : [], gates: [] },
      { name: "start", goals: wish.units.map(startOf), gates: [] },
      { name: "note host", goals: notes?.host ?? [], gates: [] },
      { name: "start containerd", goals: grows ? [startOf("containerd.service")] : [], gates: [] },
      { name: "note pods", goals: notes?.pods ?? [], gates: [] },
      { name: "start kubelet", goals: grows ? [startOf("kubelet.service")] : [], gates: [] },
      { name: "objects", goals: wish.objects.map((via) => objectGoal(via)), gates: [] },
    ],
  };
}

/** As plan/growth.ts makes them. */
function notesOf(): Record<"kernel" | "host" | "pods", Goal[]> {
  const runtime = { name: "containerd" as const, client: ["ctr"], data: "/var/lib/containerd" };
  const folder = "/var/lib/kubelet";
  const owner = { docker: false, pods: "172.30.0.0/16" };
  const written = ["/etc/ferry/kubelet.kubeconfig", "/var/lib/ferry/cpu_*"];
  return {
    kernel: [goal("grown-values", {}), goal("grown-modules", {})],
    host: [
      goal("grown-files", { runtimes: [runtime], kubelet: folder, written, own: [] }),
      goal("grown-interfaces", owner),
      goal("grown-virtual-servers", {}),
      goal("grown-rules", owner),
      goal("grown-mounts", { runtimes: [runtime], kubelet: folder }),
      goal("grown-processes", { runtimes: [runtime], kubelet: true }),
    ],
    pods: [goal("grown-pods", { runtime, kubelet: true })],
  };
}

/** As plan/time-sync.ts makes them, with both ways of pointing a daemon somewhere at once. */
function timeGoals(live: boolean): Goal[] {
  const shared = { name: "time.service", file: timeUnit, links: [timeLink], start: live, noBlock: false };
  return [
    goal("block", { path: "/etc/time.conf", lines: ["server a"], owner: root }),
    goal("unit", { ...shared, restartOn: [{ path: timeDropIn, digest: digestOf("new\n") }] }),
  ];
}

function objectGoal(via: PlanWish["objects"][number]): Goal {
  const client = [
    { grant: "kubectl", kubectl: "kubectl", former: "kubectl", label: "kubectl", etcd2: "etcdctl", etcd3: "etcdctl3" }[
      via
    ],
  ];
  const shared = { name: via, client, environment: {}, scratch: "/object" };
  if (via === "kubectl") return goal("object", { ...shared, via, path: manifestPath, digest: digestOf(manifest) });
  if (via === "grant") {
    const authority = { certificate: "/ca.pem", key: "/ca-key.pem" };
    const asked = { ...shared, client: ["kubectl", "--kubeconfig=/admin.kubeconfig"] };
    return goal("object", { ...asked, via, path: rightsPath, digest: digestOf(rights), authority });
  }
  if (via === "former") {
    const identity = { apiVersion: "v1", kind: "Secret", namespace: null, name: "c" };
    return goal("object", { ...shared, name: "Secret c", via, identity });
  }
  if (via === "label") return goal("object", { ...shared, via, node: "n1", key: "role", value: "x" });
  return goal("object", { ...shared, via, key: "/net/config", value: "value" });
}

/** Every content that a plan of {@link arbitraryPlan} may want. */
export const planContents = [
  ...["old\n", "new\n", "same\n", "", manifest, rights],
  ...[...units, "containerd.service", "kubelet.service"].map((name) => `new ${name}`),
];

function parents(path: string): string[] {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return parent === "" ? [] : [...parents(parent), parent];
}
