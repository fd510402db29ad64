/** CNI plugins run with the rendered configuration: a namespace that stands for a pod gets an address of its node's pods. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { textOf } from "../builders/placed-node.ts";

const plugins = "/usr/lib/cni";
const folder = mkdtempSync(join(tmpdir(), "kubeferry-cni-"));
const pods: string[] = [];
let hosts: Hosts;
let rendered: Rendered;
let dual: Rendered;
/** Hosts with IPv6 alone, and what is rendered for them. */
let hosts6: Hosts;
let alone: Rendered;
const addresses6 = { n2: "fd00:64:3::2", n3: "fd00:64:3::3" } as const;

before(async () => {
  requirePackages("containernetworking-plugins", "iproute2", "iptables", "iputils-ping");
  hosts = makeHosts(`kc${process.pid}`, { n2: "10.64.3.2/24", n3: "10.64.3.3/24" });
  const text = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-static-routes/cluster.yaml"), "utf8");
  rendered = renderFixture(await fixtureCluster(text));
  const both = text
    .replace("ip: 10.64.3.2", `ip: [10.64.3.2, ${addresses6.n2}]`)
    .replace("ip: 10.64.3.3", `ip: [10.64.3.3, ${addresses6.n3}]`)
    .replace(
      "network: { ",
      "network: { pods: [172.30.0.0/16, fd00:172:30::/56], services: [10.254.0.0/16, fd00:10:254::/112], ",
    );
  dual = renderFixture(await fixtureCluster(both));
  hosts6 = makeHosts(`k6${process.pid}`, { n2: `${addresses6.n2}/64`, n3: `${addresses6.n3}/64` });
  const six = text
    .replaceAll("ip: 10.64.3.", "ip: fd00:64:3::")
    .replace("network: { ", "network: { pods: fd00:172:30::/56, services: fd00:10:254::/112, ");
  alone = renderFixture(await fixtureCluster(six));
});

after(() => {
  for (const pod of pods) execFileSync("ip", ["netns", "del", pod]);
  hosts.remove();
  hosts6.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface List {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly Record<string, unknown>[];
}

/** What a runtime does for a pod: every plugin of the list in turn, each with the result of the one before. */
function addPod(node: string, name: string, of = rendered, at = hosts): { ips: { address: string }[] } {
  const pod = `kc${process.pid}-${name}`;
  execFileSync("ip", ["netns", "add", pod]);
  pods.push(pod);
  const list = JSON.parse(textOf(of, node, "/etc/cni/net.d/10-bridge.conflist")) as List;
  let result: unknown;
  for (const plugin of list.plugins) {
    const ipam = plugin["ipam"] as Record<string, unknown> | undefined;
    const input = {
      ...plugin,
      ...(ipam === undefined ? {} : { ipam: { ...ipam, dataDir: join(folder, node) } }),
      name: list.name,
      cniVersion: list.cniVersion,
      ...(result === undefined ? {} : { prevResult: result }),
    };
    const [command = "", ...rest] = at.on(node, [join(plugins, String(plugin["type"]))]);
    const output = execFileSync(command, rest, {
      input: JSON.stringify(input),
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: name,
        CNI_NETNS: `/run/netns/${pod}`,
        CNI_IFNAME: "eth0",
        CNI_PATH: plugins,
      },
    });
    result = JSON.parse(output);
  }
  return result as { ips: { address: string }[] };
}

function onHost(node: string, ...argv: string[]): string {
  const [command = "", ...rest] = hosts.on(node, argv);
  return execFileSync(command, rest, { encoding: "utf8" });
}

test("a pod gets an address of its node's range, and pods of two nodes reach each other by the rendered routes", async (t) => {
  const [first] = addPod("n2", "a").ips;
  const [second] = addPod("n3", "b").ips;
  assert.match(first?.address ?? "", /^172\.30\.0\.\d+\/24$/);
  assert.match(second?.address ?? "", /^172\.30\.1\.\d+\/24$/);

  for (const node of ["n2", "n3"]) {
    onHost(node, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    const unit = textOf(rendered, node, "/etc/systemd/system/kubeferry-routes.service");
    for (const [, words = ""] of unit.matchAll(/^ExecStart=-?\/sbin\/(.*)$/gm)) onHost(node, ...words.split(" "));
  }
  const target = second?.address.split("/")[0] ?? "";
  const pinged = execFileSync("ip", ["netns", "exec", `kc${process.pid}-a`, "ping", "-c1", "-W5", target], {
    encoding: "utf8",
  });
  assert.match(pinged, /1 received/);
  // The other pod sees the pod itself, and not its node.
  const answer = 'require("net").createServer((s) => s.end(s.remoteAddress)).listen(8080, "0.0.0.0")';
  const server = spawn("ip", ["netns", "exec", `kc${process.pid}-b`, process.execPath, "-e", answer]);
  t.after(() => server.kill("SIGKILL"));
  assert.equal(await read("a", target, 8080), first?.address.split("/")[0]);
});

/** What a connection from the pod `from` says; tried while whoever listens is starting. */
async function read(from: string, address: string, port: number): Promise<string> {
  for (let turn = 0; turn < 100; turn += 1) {
    const argv = ["netns", "exec", `kc${process.pid}-${from}`, "bash", "-c", `cat </dev/tcp/${address}/${port}`];
    const { stdout } = spawnSync("ip", argv, { encoding: "utf8" });
    if (stdout !== "") return stdout;
    await sleep(100);
  }
  return "";
}

test("in dual stack a pod has an address of each family, and reaches pods of the other node by both", async (t) => {
  const [first, second] = [addPod("n2", "c", dual).ips, addPod("n3", "d", dual).ips];
  assert.match(first.map(({ address }) => address).join(), /^172\.30\.0\.\d+\/24,fd00:172:30::[\da-f]+\/64$/);
  assert.match(second.map(({ address }) => address).join(), /^172\.30\.1\.\d+\/24,fd00:172:30:1::[\da-f]+\/64$/);
  for (const node of ["n2", "n3"] as const) {
    onHost(node, "ip", "addr", "add", `${addresses6[node]}/64`, "dev", "eth0", "nodad");
    for (const { key, value } of dual.host.sysctls.filter(
      ({ key }) => key.endsWith("forward") || key.endsWith("forwarding"),
    ))
      onHost(node, "sysctl", "-qw", `${key}=${value}`);
    const unit = textOf(dual, node, "/etc/systemd/system/kubeferry-routes.service");
    for (const [, words = ""] of unit.matchAll(/^ExecStart=-?\/sbin\/(.*)$/gm)) onHost(node, ...words.split(" "));
  }
  const answer = 'require("net").createServer((s) => s.end(s.remoteAddress)).listen(8080, "::")';
  const server = spawn("ip", ["netns", "exec", `kc${process.pid}-d`, process.execPath, "-e", answer]);
  t.after(() => server.kill("SIGKILL"));
  for (const [at, { address }] of second.entries()) {
    const seen = await read("c", address.split("/")[0] ?? "", 8080);
    assert.equal(
      seen.replace("::ffff:", ""),
      first[at]?.address.split("/")[0],
      "the other pod sees the pod, not its node",
    );
  }
  // A service of IPv6, from a host with no default route.
  const pod = second[1]?.address ?? "";
  const forward = [
    "-d",
    "fd00:10:254::5",
    "-p",
    "tcp",
    "--dport",
    "80",
    "-j",
    "DNAT",
    "--to",
    `[${pod.split("/")[0]}]:8080`,
  ];
  onHost("n2", "ip6tables", "-t", "nat", "-A", "OUTPUT", ...forward);
  assert.equal(onHost("n2", "bash", "-c", "cat </dev/tcp/fd00:10:254::5/80"), addresses6.n2);
  const stops = [
    ...textOf(dual, "n2", "/etc/systemd/system/kubeferry-routes.service").matchAll(/^ExecStop=-\/sbin\/(.*)$/gm),
  ];
  for (const [, words = ""] of stops) onHost("n2", ...words.split(" "));
  assert.doesNotMatch(onHost("n2", "ip", "-6", "route", "show", "table", "all"), /fd00:10:254|fd00:172:30:1:/);
});

test("with IPv6 alone pods have no other address, and reach each other and a service by it", async (t) => {
  const on = (node: string, ...argv: string[]): string => {
    const [command = "", ...rest] = hosts6.on(node, argv);
    return execFileSync(command, rest, { encoding: "utf8" });
  };
  const unit = (node: string): string => textOf(alone, node, "/etc/systemd/system/kubeferry-routes.service");
  const [first, second] = [addPod("n2", "e", alone, hosts6).ips, addPod("n3", "f", alone, hosts6).ips];
  assert.match(first.map(({ address }) => address).join(), /^fd00:172:30::[\da-f]+\/64$/);
  assert.match(second.map(({ address }) => address).join(), /^fd00:172:30:1::[\da-f]+\/64$/);
  const forwarding = alone.host.sysctls.filter(({ key }) => /forward/.test(key));
  assert.deepEqual(
    forwarding.map(({ key }) => key),
    ["net.ipv6.conf.all.forwarding"],
  );
  for (const node of ["n2", "n3"]) {
    for (const { key, value } of forwarding) on(node, "sysctl", "-qw", `${key}=${value}`);
    for (const [, words = ""] of unit(node).matchAll(/^ExecStart=-?\/sbin\/(.*)$/gm)) on(node, ...words.split(" "));
  }
  const answer = 'require("net").createServer((s) => s.end(s.remoteAddress)).listen(8080, "::")';
  const server = spawn("ip", ["netns", "exec", `kc${process.pid}-f`, process.execPath, "-e", answer]);
  t.after(() => server.kill("SIGKILL"));
  const [target = "", own] = [second[0]?.address.split("/")[0], first[0]?.address.split("/")[0]];
  assert.equal(await read("e", target, 8080), own, "the other pod sees the pod, not its node");
  const service = ["-d", "fd00:10:254::5", "-p", "tcp", "--dport", "80", "-j", "DNAT", "--to", `[${target}]:8080`];
  on("n2", "ip6tables", "-t", "nat", "-A", "OUTPUT", ...service);
  assert.equal(on("n2", "bash", "-c", "cat </dev/tcp/fd00:10:254::5/80"), addresses6.n2);
  for (const [, words = ""] of unit("n2").matchAll(/^ExecStop=-\/sbin\/(.*)$/gm)) on("n2", ...words.split(" "));
  assert.doesNotMatch(on("n2", "ip", "-6", "route", "show", "table", "all"), /fd00:10:254|fd00:172:30:1:/);
});

test("the loopback configuration brings up a pod's lo", () => {
  const config = textOf(rendered, "n2", "/etc/cni/net.d/99-loopback.conf");
  const pod = `kc${process.pid}-a`;
  execFileSync(join(plugins, "loopback"), {
    input: config,
    env: {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: "a",
      CNI_NETNS: `/run/netns/${pod}`,
      CNI_IFNAME: "lo",
      CNI_PATH: plugins,
    },
  });
  assert.match(execFileSync("ip", ["-n", pod, "link", "show", "lo"], { encoding: "utf8" }), /[<,]UP[,>]/);
});
