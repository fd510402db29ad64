/**
 * Every health check that asks more than whether a daemon answers, with the command that a node is given: once where
 * all is well and once where it is not. etcd, iptables, nft, ip, ping, dnsmasq and kubectl are real; the API server
 * behind kubectl is a stand-in.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckEntry } from "#bundle";
import type { Finding } from "#cli/finding";
import type { Pki } from "../../builder/components/credentials.ts";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { type ApiObject, type ApiStandIn, startApiStandIn } from "../fakes/api-stand-in.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { requireKubectl } from "../programs/kubectl.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { checkNamed, checksOfNode, runCheck } from "../programs/node-checks.ts";
import { requirePackages } from "../programs/packages.ts";
import { below, commandLine, placeNode, textOf } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-health-"));
const running = new Set<ChildProcess>();
let hosts: Hosts;

before(() => {
  requirePackages("etcd-server", "etcd-client", "iproute2", "iptables", "nftables", "iputils-ping", "dnsmasq-base");
  hosts = makeHosts(`kc${process.pid}`, { n1: "10.64.3.1/24", n2: "10.64.3.2/24", n3: "10.64.3.3/24" });
});
after(() => {
  for (const child of running) child.kill("SIGKILL");
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface Cluster {
  readonly rendered: Rendered;
  readonly pki: Pki;
}

let made = 0;
async function load(text: string): Promise<Cluster> {
  const cluster = await fixtureCluster(text);
  made += 1;
  const pki = await openPki(join(folder, `${made}.pki`), cluster.topology, new Date());
  return { rendered: renderFixture(cluster, pki), pki };
}

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../golden/clusters", name, "cluster.yaml"), "utf8");

function on(host: string, ...argv: string[]): string {
  const [program = "", ...words] = hosts.on(host, argv);
  return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function start(host: string, argv: readonly string[]): ChildProcess {
  const [program = "", ...words] = hosts.on(host, argv);
  made += 1;
  const log = openSync(join(folder, `${made}.log`), "w");
  const child = spawn(program, words, { stdio: ["ignore", log, log] });
  running.add(child);
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  running.delete(child);
}

function isWell({ severity, message, found }: Finding): void {
  assert.equal(severity, "ok", `${message}: ${found}`);
}

function isSick({ severity, found, hint }: Finding, pattern: RegExp, as: Finding["severity"] = "error"): void {
  assert.equal(severity, as);
  assert.match(found ?? "", pattern);
  assert.notEqual(hint ?? "", "");
}

async function eventually(ask: () => Promise<Finding>): Promise<void> {
  let finding = await ask();
  for (let turn = 0; turn < 120 && finding.severity !== "ok"; turn += 1) {
    await sleep(250);
    finding = await ask();
  }
  isWell(finding);
}

/** A check on a host of the test, with the distribution's etcdctl and the node's own files. */
function asker(host: string, root: string) {
  const place = (word: string): string =>
    word === "/usr/local/bin/etcdctl" ? "/usr/bin/etcdctl" : word.replace(/(?<==)(?=\/etc\/)/, root);
  return (check: CheckEntry) => runCheck(check, place, (argv) => hosts.on(host, argv));
}

const threeMembers = `name: three
release: kubernetes-1.16
runtime: docker
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: 10.64.3.2, roles: [etcd, worker] }
  - { name: n3, ip: 10.64.3.3, roles: [etcd] }
network: { plugin: flannel-etcd, proxyMode: iptables }
`;

function member(rendered: Rendered, name: string, root: string): ChildProcess {
  const [, ...words] = commandLine(textOf(rendered, name, "/etc/systemd/system/etcd.service"));
  return start(name, ["/usr/bin/etcd", ...below(root, words)]);
}

test("etcd: one leader over all members, flannel's network and every worker's subnet, through the API that each version has", async () => {
  const three = await load(threeMembers);
  const single = await load(`${golden("1.36-single-node")}network: { plugin: flannel-etcd }\n`);
  for (const [{ rendered }, names, api] of [
    [three, ["n1", "n2", "n3"], "2"],
    [single, ["n1"], "3"],
  ] as const) {
    const roots = new Map(names.map((name) => [name as string, mkdtempSync(join(folder, `${name}-`))]));
    for (const [name, root] of roots) placeNode(rendered, name, root);
    const members = [...roots].map(([name, root]) => member(rendered, name, root));
    const root = roots.get("n1") ?? "";
    const ask = asker("n1", root);
    const named = (name: string): CheckEntry => checkNamed(rendered, "n1", name);
    await eventually(() => ask(named("etcd is healthy")));
    await eventually(() => ask(named("etcd has one leader over all members")));

    const network = named("flannel's network is in etcd");
    const put = (key: string, value: string): string => {
      const client = network.argv
        .slice(0, network.argv.indexOf("get"))
        .map((word) => word.replace(/(?<==)(?=\/etc\/)/, root));
      const verb = api === "2" ? "set" : "put";
      return on("n1", "env", `ETCDCTL_API=${api}`, "/usr/bin/etcdctl", ...client.slice(1), verb, key, value);
    };
    isSick(await ask(network), api === "2" ? /Key not found/ : /^$/);
    put("/kubernetes/network/config", '{"Network":"10.9.0.0/16"}');
    isSick(await ask(network), /10\.9/);
    put("/kubernetes/network/config", '{"Network":"172.30.0.0/16","SubnetLen":24}');
    isWell(await ask(network));

    const subnets = named("every worker has a subnet of flannel's in etcd");
    const lease = (ip: string): string => `{"PublicIP":"${ip}","BackendType":"vxlan"}`;
    isSick(await ask(subnets), /no subnet for 10\.64\.3\.1/, "warning");
    put("/kubernetes/network/subnets/172.30.5.0-24", lease("10.64.3.1"));
    if (api === "2") {
      isSick(await ask(subnets), /^no subnet for 10\.64\.3\.2$/, "warning");
      // One address is no beginning of another.
      put("/kubernetes/network/subnets/172.30.6.0-24", lease("10.64.3.22"));
      isSick(await ask(subnets), /^no subnet for 10\.64\.3\.2$/, "warning");
      put("/kubernetes/network/subnets/172.30.7.0-24", lease("10.64.3.2"));
    }
    isWell(await ask(subnets));

    const last = members.at(-1);
    if (last !== undefined) await stop(last);
    isSick(
      await ask(named("etcd has one leader over all members")),
      /deadline|refused|connection|0 of \d members lead/,
    );
    if (api === "2") isWell(await ask(named("etcd is healthy")));
    for (const one of members.slice(0, -1)) await stop(one);
  }
});

test("etcd: the leader is found in the columns of old and new versions, and two leaders are no leader", async () => {
  const { rendered } = await load(threeMembers);
  const check = checkNamed(rendered, "n1", "etcd has one leader over all members");
  const said = async (text: string): Promise<Finding> => {
    const program = join(folder, "etcdctl-stand-in");
    writeFileSync(program, `#!/bin/bash\n[[ \${*: -2} == "endpoint status" ]] || exit 2\ncat <<'E'\n${text}\nE\n`);
    chmodSync(program, 0o755);
    return runCheck(check, (word) => (word.endsWith("/etcdctl") ? program : word));
  };
  const old = (leads: boolean): string => `https://10.64.3.1:2379, 8e9e05c52164694d, 3.1.6, 25 kB, ${leads}, 2, 8`;
  const late = (leads: boolean): string =>
    `https://10.64.3.1:2379, 8e9e05c52164694d, 3.6.5, 3.6.0, 20 kB, 16 kB, 20%, 2.1 GB, ${leads}, false, 2, 8, 8, , `;
  for (const line of [old, late]) {
    isWell(await said([line(false), line(true), line(false)].join("\n")));
    isSick(await said([line(false), line(false)].join("\n")), /0 of 2 members lead/);
    isSick(await said([line(true), line(true)].join("\n")), /2 of 2 members lead/);
  }
});

test("flannel's interface and docker's bridge are in the subnet that flannel wrote, or it is told", async () => {
  const { rendered } = await load(threeMembers);
  const file = join(folder, "subnet.env");
  const ask = (name: string): Promise<Finding> =>
    runCheck(
      checkNamed(rendered, "n1", name),
      (word) => (word === "/run/flannel/subnet.env" ? file : word),
      (argv) => hosts.on("n1", argv),
    );
  const [link, bridge] = ["flannel's interface is in its subnet", "docker is in flannel's subnet"] as const;
  isSick(await ask(link), /No such file/);
  isSick(await ask(bridge), /No such file/);
  writeFileSync(file, "FLANNEL_NETWORK=172.30.0.0/16\nFLANNEL_SUBNET=172.30.5.1/24\nFLANNEL_MTU=1450\n");
  isSick(await ask(link), /no interface flannel\.1/);
  isSick(await ask(bridge), /docker0 has no network/);
  on("n1", "ip", "link", "add", "flannel.1", "type", "vxlan", "id", "1", "dstport", "8472", "dev", "eth0");
  on("n1", "ip", "addr", "add", "172.30.9.0/32", "dev", "flannel.1");
  on("n1", "ip", "link", "set", "flannel.1", "up", "mtu", "1450");
  isSick(await ask(link), /has not 172\.30\.5\.0, the first of subnet 172\.30\.5\.1\/24/);
  on("n1", "ip", "addr", "add", "172.30.5.0/32", "dev", "flannel.1");
  isWell(await ask(link));
  on("n1", "ip", "link", "set", "flannel.1", "mtu", "1400");
  isSick(await ask(link), /MTU 1400, flannel wants 1450/);

  on("n1", "ip", "link", "add", "docker0", "type", "bridge");
  on("n1", "ip", "addr", "add", "172.17.0.1/16", "dev", "docker0");
  on("n1", "ip", "link", "set", "docker0", "up");
  isSick(await ask(bridge), /docker0 is in 172\.17\.0\.0, flannel's subnet is 172\.30\.5\.1\/24/);
  on("n1", "ip", "addr", "flush", "dev", "docker0");
  // Around the subnet is not inside it.
  on("n1", "ip", "addr", "add", "172.30.5.1/16", "dev", "docker0");
  isSick(await ask(bridge), /docker0 is in 172\.30\.0\.0/);
  on("n1", "ip", "addr", "flush", "dev", "docker0");
  on("n1", "ip", "addr", "add", "172.30.5.1/24", "dev", "docker0");
  isWell(await ask(bridge));
});

test("the API's address: answered by nobody, held here, elsewhere, by two, and reached from workers", async () => {
  const { rendered } = await load(`name: vip
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane] }
  - { name: n2, ip: 10.64.3.2, roles: [control-plane] }
  - { name: n3, ip: 10.64.3.3, roles: [worker] }
api: { endpoint: vip, vip: { address: 10.64.3.100, interface: eth0 } }
`);
  const ask = (host: string, name: string): Promise<Finding> =>
    runCheck(checkNamed(rendered, host, name), undefined, (argv) => hosts.on(host, argv));
  const answers = (host: string): Promise<Finding> => ask(host, "the API's address answers");
  const held = (host: string): Promise<Finding> => ask(host, "the API's address is held by one master");
  const reached = (): Promise<Finding> => ask("n3", "the API is reached");
  const vip = (host: string, verb: "add" | "del"): string =>
    on(host, "ip", "addr", verb, "10.64.3.100/32", "dev", "eth0");
  isSick(await answers("n1"), /No route|refused|timed out/);
  isSick(await reached(), /No route|refused|timed out/);
  const listener = "require('net').createServer((s) => s.end()).listen(8443, '0.0.0.0')";
  const servers = ["n1", "n2"].map((host) => start(host, [process.execPath, "-e", listener]));
  vip("n1", "add");
  for (const ask of [() => answers("n1"), () => answers("n2"), reached]) await eventually(ask);
  isWell(await held("n1"));
  isWell(await held("n2"));
  vip("n2", "add");
  isSick(await held("n1"), /held here, and by 10\.64\.3\.2 as well/, "warning");
  isSick(await held("n2"), /held here, and by 10\.64\.3\.1 as well/, "warning");
  vip("n2", "del");
  isWell(await held("n1"));
  for (const server of servers) await stop(server);
  isSick(await answers("n1"), /refused/);
});

test("kube-proxy's rules for the API's service, by mode", async () => {
  const clusterOf = (mode: string): Promise<Cluster> =>
    load(`${golden("1.36-single-node")}network: { proxyMode: ${mode} }\n`);
  const check = async (mode: string): Promise<CheckEntry> =>
    checkNamed((await clusterOf(mode)).rendered, "n1", "kube-proxy forwards the API service");
  const there = (entry: CheckEntry): Promise<Finding> => runCheck(entry, undefined, (argv) => hosts.on("n1", argv));

  const iptables = await check("iptables");
  isSick(await there(iptables), /No chain|does not exist|incompatible/);
  on("n1", "iptables", "-t", "nat", "-N", "KUBE-SERVICES");
  on("n1", "iptables", "-t", "nat", "-N", "KUBE-SVC-NPX46M4PTMTKRN6Y");
  isSick(await there(iptables), /-N KUBE-SERVICES/);
  const rule = ["-p", "tcp", "-m", "comment", "--comment", "default/kubernetes:https cluster IP", "-m", "tcp"];
  const lead = (ip: string): string =>
    on(
      "n1",
      "iptables",
      "-t",
      "nat",
      "-A",
      "KUBE-SERVICES",
      "-d",
      `${ip}/32`,
      ...rule,
      "--dport",
      "443",
      "-j",
      "KUBE-SVC-NPX46M4PTMTKRN6Y",
    );
  lead("10.254.0.10");
  isSick(await there(iptables), /10\.254\.0\.10/);
  lead("10.254.0.1");
  isWell(await there(iptables));

  const nftables = await check("nftables");
  isSick(await there(nftables), /No such file|does not exist|list table/);
  on("n1", "nft", "add table ip kube-proxy");
  on("n1", "nft", "add chain ip kube-proxy service-ULMVA6XW-default/kubernetes/tcp/https");
  on("n1", "nft", "add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }");
  isSick(await there(nftables), /./);
  const element = "10.254.0.1 . tcp . 443 : goto service-ULMVA6XW-default/kubernetes/tcp/https";
  on("n1", "nft", `add element ip kube-proxy service-ips { ${element} }`);
  isWell(await there(nftables));

  // As the kernel writes it; not every kernel that runs this test has the balancer.
  const ipvs = await check("ipvs");
  const table = join(folder, "ip_vs");
  const balancer = (...lines: string[]): Promise<Finding> => {
    const head = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n";
    const columns = "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";
    writeFileSync(table, `${head}${columns}${lines.join("\n")}\n`);
    return runCheck(ipvs, (word) => (word === "/proc/net/ip_vs" ? table : word));
  };
  const master = "  -> 0A400301:192B      Masq    1      1          0";
  isSick(await runCheck(ipvs, (word) => (word === "/proc/net/ip_vs" ? "/nowhere/ip_vs" : word)), /is not forwarded/);
  isSick(await balancer("TCP  0AFE0001:01BB rr"), /10\.254\.0\.1:443 is not forwarded/);
  isSick(await balancer("TCP  0AFE0001:01BB rr", "TCP  0AFE0002:0035 rr", master), /is not forwarded/);
  isSick(await balancer("TCP  0AFE000A:01BB rr", master), /is not forwarded/);
  isWell(await balancer("TCP  0AFE0002:0035 rr", "TCP  0AFE0001:01BB rr", master));
});

test("the cluster's DNS knows the API's service", async () => {
  const { rendered } = await load(golden("1.36-single-node"));
  const check = checkNamed(rendered, "n1", "the cluster's DNS answers");
  const ask = (): Promise<Finding> => runCheck(check, undefined, (argv) => hosts.on("n1", argv));
  on("n1", "ip", "addr", "add", "10.254.0.2/32", "dev", "lo");
  const serve = (...words: string[]): ChildProcess =>
    start("n1", [
      "dnsmasq",
      "-k",
      "-C",
      "/dev/null",
      "-R",
      "-h",
      "--pid-file=",
      "--user=root",
      "-a",
      "10.254.0.2",
      ...words,
    ]);
  isSick(await ask(), /nobody answers at 10\.254\.0\.2/);
  const right = serve("--address=/kubernetes.default.svc.cluster.local/10.254.0.1");
  await eventually(ask);
  await stop(right);
  const wrong = serve("--address=/kubernetes.default.svc.cluster.local/10.254.0.7");
  let finding = await ask();
  for (let turn = 0; turn < 40 && /nobody/.test(finding.found ?? ""); turn += 1) finding = await ask();
  isSick(finding, /kubernetes\.default\.svc\.cluster\.local is not 10\.254\.0\.1 there/);
  await stop(wrong);
});

test("with IPv6 alone the rules, the balancer's table, the DNS and the API's address are asked by IPv6", async (t) => {
  const six = makeHosts(`k6${process.pid}`, { n1: "fd00:64:3::1/64", n2: "fd00:64:3::2/64" });
  t.after(() => six.remove());
  const [service, dns, vip] = ["fd00:10:254::1", "fd00:10:254::2", "fd00:64:3::100"];
  const clusterOf = async (mode: string): Promise<Rendered> => {
    const text = `name: six
release: kubernetes-1.36
nodes:
  - { name: n1, ip: fd00:64:3::1, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: fd00:64:3::2, roles: [control-plane] }
network: { plugin: flannel, proxyMode: ${mode}, pods: fd00:172:30::/56, services: fd00:10:254::/112 }
api: { endpoint: vip, vip: { address: "${vip}", interface: eth0 } }
`;
    return (await load(text)).rendered;
  };
  const table = join(folder, "ip_vs6");
  const place = (word: string): string => (word === "/proc/net/ip_vs" ? table : word);
  const run = (...argv: string[]): string => {
    const [program = "", ...words] = six.on("n1", argv);
    return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };
  const begin = (host: string, argv: readonly string[]): ChildProcess => {
    const [program = "", ...words] = six.on(host, argv);
    const child = spawn(program, words, { stdio: "ignore" });
    running.add(child);
    return child;
  };
  const asked = (rendered: Rendered, name: string): Promise<Finding> =>
    runCheck(checkNamed(rendered, "n1", name), place, (argv) => six.on("n1", argv));
  const [iptables, nftables, ipvs] = [
    await clusterOf("iptables"),
    await clusterOf("nftables"),
    await clusterOf("ipvs"),
  ];
  const forwards = (rendered: Rendered): Promise<Finding> => asked(rendered, "kube-proxy forwards the API service");

  run("ip6tables", "-t", "nat", "-N", "KUBE-SERVICES");
  run("ip6tables", "-t", "nat", "-N", "KUBE-SVC-NPX46M4PTMTKRN6Y");
  isSick(await forwards(iptables), /-N KUBE-SERVICES/);
  const rule = ["-p", "tcp", "--dport", "443", "-j", "KUBE-SVC-NPX46M4PTMTKRN6Y"];
  run("ip6tables", "-t", "nat", "-A", "KUBE-SERVICES", "-d", `${service}/128`, ...rule);
  isWell(await forwards(iptables));

  run("nft", "add table ip6 kube-proxy");
  isSick(await forwards(nftables), /./);
  run("nft", "add chain ip6 kube-proxy service-ULMVA6XW-default/kubernetes/tcp/https");
  run("nft", "add map ip6 kube-proxy service-ips { type ipv6_addr . inet_proto . inet_service : verdict ; }");
  const element = `${service} . tcp . 443 : goto service-ULMVA6XW-default/kubernetes/tcp/https`;
  run("nft", `add element ip6 kube-proxy service-ips { ${element} }`);
  isWell(await forwards(nftables));

  // As the kernel writes it: in full.
  const other = "TCP  [fd00:0010:0254:0000:0000:0000:0000:000a]:01BB rr";
  const master = "  -> [fd00:0064:0003:0000:0000:0000:0000:0001]:192B      Masq    1      1          0";
  const api = "TCP  [fd00:0010:0254:0000:0000:0000:0000:0001]:01BB rr";
  writeFileSync(table, `IP Virtual Server version 1.2.1 (size=4096)\n${api}\n${other}\n${master}\n`);
  isSick(await forwards(ipvs), /fd00:10:254::1:443 is not forwarded/);
  writeFileSync(table, `IP Virtual Server version 1.2.1 (size=4096)\n${other}\n${api}\n${master}\n`);
  isWell(await forwards(ipvs));

  run("ip", "addr", "add", `${dns}/128`, "dev", "lo");
  const answers = (): Promise<Finding> => asked(iptables, "the cluster's DNS answers");
  isSick(await answers(), /nobody answers at fd00:10:254::2|refused/);
  for (const [address, pattern] of [
    ["fd00:10:254::7", /kubernetes\.default\.svc\.cluster\.local is not fd00:10:254::1 there/],
    [service, null],
  ] as const) {
    const words = ["-k", "-C", "/dev/null", "-R", "-h", "--pid-file=", "--user=root", "-a", dns];
    const server = begin("n1", ["dnsmasq", ...words, `--address=/kubernetes.default.svc.cluster.local/${address}`]);
    if (pattern === null) {
      await eventually(answers);
      // The next datagram is lost, and no other.
      run("nft", "add table ip6 lost");
      run("nft", "add chain ip6 lost input { type filter hook input priority 0 ; }");
      run("nft", "add rule ip6 lost input udp dport 53 limit rate 1/hour burst 1 packets drop");
      isWell(await answers());
      run("nft", "delete table ip6 lost");
    } else {
      let finding = await answers();
      for (let turn = 0; turn < 40 && !pattern.test(finding.found ?? ""); turn += 1) finding = await answers();
      isSick(finding, pattern);
    }
    await stop(server);
  }

  const held = (): Promise<Finding> => asked(iptables, "the API's address is held by one master");
  const address = (host: string, verb: "add" | "del"): void => {
    // As keepalived has it: nobody's source address, though it is nearer to the other than the host's own.
    const more = verb === "add" ? ["nodad", "preferred_lft", "0"] : [];
    const [program = "", ...words] = six.on(host, ["ip", "addr", verb, `${vip}/128`, "dev", "eth0", ...more]);
    execFileSync(program, words);
  };
  isWell(await held());
  address("n1", "add");
  const listener = "require('net').createServer((s) => s.end()).listen(8443, '::')";
  const server = begin("n1", [process.execPath, "-e", listener]);
  await eventually(() => asked(iptables, "the API's address answers"));
  isWell(await held());
  address("n2", "add");
  isSick(await held(), /held here, and by fd00:64:3::2 as well/, "warning");
  address("n2", "del");
  isWell(await held());
  await stop(server);
});

test("the kubelet's certificates and the pods' network are files that others bring about", async () => {
  const root = mkdtempSync(join(folder, "worker-"));
  for (const [name, client, serving] of [
    ["1.6-docker-flannel", "/etc/kubernetes/ssl/kubelet-client.crt", null],
    [
      "1.36-static-routes",
      "/var/lib/kubelet/pki/kubelet-client-current.pem",
      "/var/lib/kubelet/pki/kubelet-server-current.pem",
    ],
  ] as const) {
    const { rendered } = await load(golden(name));
    const ask = (what: string): Promise<Finding> =>
      runCheck(checkNamed(rendered, "n2", what), (word) =>
        word.startsWith("/etc/") || word.startsWith("/var/") ? root + word : word,
      );
    const write = (path: string): void => {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), "a certificate\n");
    };
    isSick(await ask("the kubelet has its client certificate"), new RegExp(`there is no .*${client}`));
    write(client);
    isWell(await ask("the kubelet has its client certificate"));
    if (serving === null) {
      const names = checksOfNode(rendered, "n2").map((check) => check.name);
      assert.ok(
        !names.includes("the kubelet has its serving certificate") &&
          !names.includes("the pods' network is configured"),
      );
      continue;
    }
    isSick(await ask("the kubelet has its serving certificate"), /there is no/, "warning");
    write(serving);
    isWell(await ask("the kubelet has its serving certificate"));
    isSick(await ask("the pods' network is configured"), /no configuration in .*\/etc\/cni\/net\.d/, "warning");
    write("/etc/cni/net.d/10-bridge.conflist");
    isWell(await ask("the pods' network is configured"));
  }
});

let kubectl = "";

/** A master's checks through kubectl, and the stand-in that they ask. */
async function master(t: TestContext, text: string) {
  kubectl = kubectl === "" ? requireKubectl(folder) : kubectl;
  const { rendered, pki } = await load(text);
  const root = mkdtempSync(join(folder, "master-"));
  placeNode(rendered, "n1", root);
  const path = rendered.certificates.find(({ path: one }) => one.endsWith("/kube-apiserver.pem"))?.path ?? "";
  const read = (name: string): string => readFileSync(join(root, name), "utf8");
  const authority = pki.authorities.find(({ name }) => name === "kubernetes")?.certificate ?? "";
  const api = await startApiStandIn({
    certificate: read(path),
    key: read(path.replace(".pem", "-key.pem")),
    authority,
  });
  t.after(() => api.close());
  const { port } = api;
  const place = (word: string): string => {
    if (word === "/usr/local/bin/kubectl") return kubectl;
    if (word.startsWith("--server=")) return `--server=https://127.0.0.1:${port}`;
    return word.replace(/(?<=^--kubeconfig=)(?=\/)/, root);
  };
  return { api, ask: (name: string) => runCheck(checkNamed(rendered, "n1", name), place) };
}

type Fields = Record<string, unknown>;
function put(
  api: ApiStandIn,
  kind: string,
  name: string,
  rest: Fields,
  more: Partial<ApiObject["metadata"]> = {},
): void {
  const versions: Record<string, string> = {
    Lease: "coordination.k8s.io/v1",
    Deployment: "apps/v1",
    DaemonSet: "apps/v1",
  };
  api.put({ apiVersion: versions[kind] ?? "v1", kind, metadata: { name, ...more }, ...rest });
}
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

test("a controller leads: by a Lease, and before by an annotation; it has to say so still", async (t) => {
  const late = await master(t, golden("1.36-single-node"));
  const old = await master(t, threeMembers);
  for (const name of ["kube-controller-manager", "kube-scheduler"]) {
    const what = `a ${name} leads`;
    isSick(await late.ask(what), /NotFound/);
    const lease = (spec: Fields): void => put(late.api, "Lease", name, { spec }, { namespace: "kube-system" });
    lease({ leaseDurationSeconds: 15 });
    isSick(await late.ask(what), /nobody leads/);
    lease({ holderIdentity: "n1_5e0c", renewTime: ago(600).replace("Z", "000Z") });
    isSick(await late.ask(what), /n1_5e0c led, and has not said so for 6\d\d s/);
    lease({ holderIdentity: "n1_5e0c", renewTime: ago(2).replace("Z", "000Z") });
    isWell(await late.ask(what));

    const endpoints = (annotations: Record<string, string>): void =>
      put(old.api, "Endpoints", name, {}, { namespace: "kube-system", annotations });
    const record = (renewTime: string): Record<string, string> => ({
      "control-plane.alpha.kubernetes.io/leader": JSON.stringify({
        holderIdentity: "n1_7a",
        leaseDurationSeconds: 15,
        renewTime,
      }),
    });
    endpoints({});
    isSick(await old.ask(what), /nobody leads/);
    endpoints(record(ago(600).replace(/\.\d+/, "")));
    isSick(await old.ask(what), /n1_7a led/);
    endpoints(record(ago(2).replace(/\.\d+/, "")));
    isWell(await old.ask(what));
  }
});

test("what kubelets need of a master: the right to ask, and an answer", async (t) => {
  const { api, ask } = await master(t, golden("1.36-single-node"));
  isSick(await ask("kubelets may ask for certificates"), /"kubeferry:kubelet-bootstrap" not found/);
  api.put({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "kubeferry:kubelet-bootstrap" },
  });
  isWell(await ask("kubelets may ask for certificates"));
  const requests = "no kubelet waits for a certificate";
  isWell(await ask(requests));
  const request = (name: string, status?: Fields): void =>
    api.put({
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name },
      spec: {},
      ...(status === undefined ? {} : { status }),
    });
  request("csr-a", { conditions: [{ type: "Approved" }] });
  isWell(await ask(requests));
  request("csr-b", {});
  request("csr-c");
  isSick(await ask(requests), /^undecided: csr-b csr-c/, "warning");
});

test("nodes are Ready, each of those that are named", async (t) => {
  const text = golden("1.36-single-node").replace("nodes:", "nodes:\n  - { name: n2, ip: 10.64.3.2, roles: [worker] }");
  const { api, ask } = await master(t, text);
  const node = (name: string, status: string, message = "kubelet is posting ready status"): void =>
    put(api, "Node", name, {
      status: {
        conditions: [
          { type: "MemoryPressure", status: "False" },
          { type: "Ready", status, message },
        ],
      },
    });
  isSick(await ask("the node is Ready"), /"n1" not found/);
  isSick(await ask("every node is Ready"), /not Ready: n2 \(has not joined\) n1 \(has not joined\)/, "warning");
  node("n1", "False", "cni plugin not initialized");
  isSick(await ask("the node is Ready"), /False: cni plugin not initialized/);
  isSick(await ask("every node is Ready"), /not Ready: n1 n2 \(has not joined\)/, "warning");
  node("n1", "True");
  node("n2", "True");
  isWell(await ask("the node is Ready"));
  isWell(await ask("every node is Ready"));
  node("w9", "Unknown");
  isSick(await ask("every node is Ready"), /^not Ready: w9$/, "warning");
});

test("addons are available, and the metrics API answers", async (t) => {
  const { api, ask } = await master(t, golden("1.36-single-node"));
  const deployment = (name: string, status: Fields): void =>
    put(api, "Deployment", name, { spec: { replicas: 2 }, status }, { namespace: "kube-system" });
  for (const name of ["coredns", "metrics-server"]) {
    isSick(await ask(`${name} is available`), /not found/, "warning");
    deployment(name, {});
    isSick(await ask(`${name} is available`), /<no value> of 2/, "warning");
    deployment(name, { availableReplicas: 1 });
    isSick(await ask(`${name} is available`), /1 of 2/, "warning");
    deployment(name, { availableReplicas: 2 });
    isWell(await ask(`${name} is available`));
  }
  put(api, "Namespace", "kube-flannel", {});
  const flannel = (numberAvailable: number): void => {
    const status = { numberAvailable, desiredNumberScheduled: 12 };
    put(api, "DaemonSet", "kube-flannel-ds", { status }, { namespace: "kube-flannel" });
  };
  flannel(1);
  isSick(await ask("kube-flannel-ds is available"), /1 of 12/, "warning");
  flannel(12);
  isWell(await ask("kube-flannel-ds is available"));
  isWell(await ask("the metrics API answers"));
  await api.close();
  isSick(await ask("the metrics API answers"), /refused/, "warning");
  assert.ok(!existsSync(".kube"), "kubectl left a cache");
});
