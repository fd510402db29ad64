/**
 * Within namespaces of its own (network, mounts, processes): a host on which somebody has a container, a network and rules,
 * real containerd with containers of ours, and what CNI plugins, kube-proxy and the kubelet leave. Notes what is there, lets it
 * grow, takes it back, and prints what was, what grew and what is left. `kill`: containerd is killed before.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createLocalHost } from "../../installer/host/local.ts";
import { apply, begin, inspectPlan } from "../../installer/journal/apply.ts";
import { fileJournal, type Header } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo } from "../../installer/journal/undo.ts";
import { goal } from "../../installer/resources/catalogue.ts";

export interface Picture {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly rules: readonly string[];
  readonly files: readonly string[];
  readonly values: readonly string[];
}

const scratch = process.argv[2] ?? "";
const kills = process.argv[3] === "kill";
const runtime = { name: "containerd" as const, client: ["ctr"], data: "/var/lib/containerd" };
const kubelet = "/var/lib/kubelet";
const pod = `${kubelet}/pods/6c06b721`;
const owner = { docker: false, pods: "172.30.0.0/16" };

function run(...[program = "", ...args]: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

const sh = (text: string): string => run("/bin/sh", "-ec", text);

function place(path: string, text = ""): void {
  mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  writeFileSync(path, text);
}

function container(namespace: string, id: string, ...command: string[]): void {
  const words = ["--detach", "--rootfs", `${scratch}/rootfs`, id, "/bin/busybox", ...command];
  run("ctr", "--namespace", namespace, "run", ...words);
}

/** As the first process of its own it must ask for the signal, or wait for the kill. */
const stops = ["sh", "-c", "trap 'exit 0' TERM; while :; do /bin/busybox sleep 1; done"];

/** What somebody else has: it must be the same in the end. */
function foreign(): void {
  container("moby", "theirs", "sleep", "1000");
  sh(`ip link add br0 type bridge; ip link add veth9 type veth peer name veth10; ip link set veth9 master br0; ip link set br0 up; ip addr add 10.0.0.11/24 dev br0
iptables-nft -N OWN; iptables-nft -A FORWARD -j OWN; iptables-nft -A OWN -s 10.9.0.0/16 -m comment --comment "a \\"word\\", -j KUBE-A" -j DROP
iptables-nft -P FORWARD DROP
nft add table inet own; nft 'add chain inet own input { type filter hook input priority 0 ; }'
nft add rule inet own input tcp dport 9999 drop
mkdir -p ${kubelet}/disk; mount -t tmpfs disk ${kubelet}/disk
ipset create OWN hash:ip`);
  run("ip", "netns", "add", "cni-theirs");
}

/** And some of somebody else's, made since: a container, and a network namespace with CNI's kind of name that he uses. */
function grow(): void {
  for (const id of ["pause", "app"]) container("k8s.io", id, ...stops);
  container("moby", "later", "sleep", "1000");
  sh(`ip link add cni0 type bridge; ip link add veth1 type veth peer name veth2; ip link set veth1 master cni0
ip link add flannel.1 type vxlan id 1 dev lo dstport 8472; ip link set lo up; ip link set cni0 up
ip addr add 172.30.4.1/24 dev cni0; ip route add 172.30.7.0/24 via 10.0.0.12 dev br0
for b in nft legacy; do
  iptables-$b -t nat -N KUBE-SERVICES; iptables-$b -t nat -N CNI-58f2
  iptables-$b -t nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
  iptables-$b -t nat -A POSTROUTING -s 172.30.4.2/32 -m comment --comment 'name: "cbr0" id: "58f2"' -j CNI-58f2
  iptables-$b -t nat -A CNI-58f2 ! -d 224.0.0.0/4 -j MASQUERADE
  iptables-$b -t nat -A POSTROUTING -s 172.30.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE
  iptables-$b -N FLANNEL-FWD; iptables-$b -A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
  iptables-$b -P FORWARD ACCEPT
done
ip6tables-nft -t mangle -N KUBE-KUBELET-CANARY
nft add table ip kube-proxy; nft add table ip6 kube-proxy
ipset create KUBE-LOOP-BACK hash:ip; ipset create KUBE-EMPTY hash:ip
mkdir -p ${pod}/volumes/kubernetes.io~secret/token ${pod}/volume-subpaths/a ${pod}/volumes/kubernetes.io~empty-dir/data ${scratch}/disk
mount -t tmpfs tmpfs ${pod}/volumes/kubernetes.io~secret/token
mount --bind ${scratch}/disk ${pod}/volume-subpaths/a
ip netns add cni-1; ip netns add cni-later
echo 10 > /proc/sys/net/ipv4/conf/all/arp_announce || true; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet`);
  spawn("ip", ["netns", "exec", "cni-later", "sleep", "999"], { stdio: "ignore" });
  place(`${scratch}/disk/precious`, "an operator's hostPath");
  place(`${pod}/volumes/kubernetes.io~secret/token/token`, "secret");
  place(`${pod}/volumes/kubernetes.io~empty-dir/data/file`, "data");
  place(`${kubelet}/cpu_manager_state`);
  place("/etc/kubernetes/kubelet.kubeconfig", "credential");
  place("/var/lib/cni/networks/cbr0/172.30.4.2");
  place("/var/log/pods/x/0.log");
  place("/run/flannel/subnet.env");
}

function mountLines(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8").split("\n");
}

/** Of other tests that run on this machine: they go when their folders do, here too. */
const covered = new Set(mountLines().map((line) => line.split(" ")[0] ?? ""));

function picture(): Picture {
  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const own = new Set([String(process.pid), String(process.ppid)]);
  const commands = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== "1" && !own.has(name))
    .map((pid) => (existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : ""));
  const saved = ["iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save"].flatMap((program) =>
    lines(run(program))
      .filter((line) => !line.startsWith("#"))
      .map((line) => `${program} ${line.replace(/ \[\d+:\d+\]/, "")}`),
  );
  return {
    processes: commands
      .map((text) => text.replaceAll("\0", " ").trim())
      .filter((text) => text !== "")
      .toSorted(),
    mounts: mountLines()
      .filter((line) => !covered.has(line.split(" ")[0] ?? ""))
      .map((line) => line.split(" ")[4] ?? "")
      .toSorted(),
    links: [
      ...lines(run("ip", "-brief", "link")).map((line) => line.split(/[@ ]/)[0] ?? ""),
      ...lines(run("ip", "route")),
    ],
    rules: [...saved, ...lines(run("nft", "list", "tables")), ...lines(run("ipset", "list", "-name"))],
    files: lines(
      sh("find /var/lib/kubelet /etc/kubernetes /var/lib/cni /var/log/pods /run -xdev 2>/dev/null | sort || true"),
    ),
    values: [readFileSync("/proc/sys/net/ipv4/conf/all/route_localnet", "utf8").trim()],
  };
}

async function main(): Promise<void> {
  // Nothing of the machine's own is changed: /etc is covered, and what else is written to is empty and forgotten.
  sh(`for d in /run /var/lib /var/log; do mount -t tmpfs tmpfs $d; done
mkdir -p /run/cover /var/lib/dpkg; mount -t tmpfs tmpfs /run/cover; mkdir /run/cover/up /run/cover/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/cover/up,workdir=/run/cover/work /etc
mkdir /run/groups; mount --rbind /sys/fs/cgroup /run/groups; mount -t sysfs sysfs /sys; mount --rbind /run/groups /sys/fs/cgroup
mkdir -p ${kubelet} /etc/containerd ${scratch}/rootfs/bin; cp /bin/busybox ${scratch}/rootfs/bin/`);
  writeFileSync("/etc/containerd/config.toml", 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const containerd = spawn("containerd", { stdio: "ignore" });
  while (!existsSync("/run/containerd/containerd.sock")) await sleep(50);
  foreign();
  const before = picture();

  const host = createLocalHost({ root: "/", contents: { stage: `${scratch}/stage`, before: `${scratch}/before` } });
  const journal = fileJournal(`${scratch}/journal`);
  const written = ["/etc/kubernetes/kubelet.kubeconfig"];
  const goals = [
    goal("grown-values", {}),
    goal("grown-files", { runtimes: [runtime], kubelet, written, own: [] }),
    goal("grown-interfaces", owner),
    goal("grown-rules", owner),
    goal("grown-mounts", { runtimes: [runtime], kubelet }),
    goal("grown-processes", { runtimes: [runtime], kubelet: true }),
    goal("grown-pods", { runtime, kubelet: true }),
  ];
  const plan = { phases: [{ name: "note", goals, gates: [] }] };
  const now = (): Date => new Date();
  const header = { made: [] as string[] } as unknown as Header;
  const changes = await inspectPlan(host, plan);
  const noted = begin(journal, header, plan, changes, now().toISOString());
  const quiet = { onEffect: () => {}, gate: async () => {}, interrupted: () => false, now };
  await apply({ host, journal, transaction: noted, changes, ...quiet });

  grow();
  await sleep(500);
  const grown = picture();
  if (kills) containerd.kill("SIGKILL");
  const [transaction] = transactions(journal.read());
  if (transaction === undefined) throw new Error("nothing was noted");
  const report = await undo({ host, journal, transaction, onEffect: () => {}, deleteData: false, now });
  const after = picture();
  const precious = readFileSync(`${scratch}/disk/precious`, "utf8");
  const secret = existsSync(`${pod}/volumes/kubernetes.io~secret`);
  process.stdout.write(`\n${JSON.stringify({ before, grown, after, report, precious, secret })}\n`);
  process.exit(0);
}

await main();
