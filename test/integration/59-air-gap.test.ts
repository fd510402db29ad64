/**
 * Hosts behind a real air gap: no default route, no nameserver. Each is seen failing first, without what is rendered.
 * CoreDNS and flanneld are run where they are at hand: `coredns` and `flanneld` in KUBEFERRY_KUBERNETES or on the PATH.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, parseAllDocuments } from "yaml";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { textOf } from "../builders/placed-node.ts";

const clusterYaml = `
name: gap
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: 10.64.3.2, roles: [worker] }
network: { plugin: flannel, proxyMode: iptables }
`;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-gap-"));
const running: ChildProcess[] = [];
let hosts: Hosts;
let rendered: Rendered;

before(async () => {
  requirePackages("iproute2", "iptables", "curl");
  hosts = makeHosts(`kg${process.pid}`, { n1: "10.64.3.1/24", n2: "10.64.3.2/24" });
  rendered = renderFixture(await fixtureCluster(clusterYaml));
});

after(() => {
  for (const child of running) child.kill("SIGKILL");
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Output and exit code of a command on a host. */
function on(node: string, ...argv: string[]): { said: string; status: number | null } {
  const [command = "", ...rest] = hosts.on(node, argv);
  const { stdout, stderr, status } = spawnSync(command, rest, { encoding: "utf8" });
  return { said: stdout + stderr, status };
}

/** Starts a program on a host, with a file of its own for /etc/resolv.conf; its output goes to `<name>.log`. */
function start(node: string, name: string, resolv: string, argv: readonly string[]): () => string {
  const log = join(folder, `${name}.log`);
  const file = join(folder, `${name}.resolv`);
  writeFileSync(file, resolv);
  const bound = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file, ...argv];
  const [command = "", ...rest] = hosts.on(node, bound);
  const output = openSync(log, "w");
  running.push(spawn(command, rest, { stdio: ["ignore", output, output] }));
  return () => readFileSync(log, "utf8");
}

async function eventually(what: () => string, pattern: RegExp): Promise<void> {
  let seen = "";
  for (let turn = 0; turn < 60; turn += 1) {
    seen = what();
    if (pattern.test(seen)) return;
    await sleep(250);
  }
  assert.match(seen, pattern);
}

function program(name: string): string | undefined {
  const folders = [process.env["KUBEFERRY_KUBERNETES"] ?? "", ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders
    .filter(Boolean)
    .map((one) => join(one, name))
    .find((path) => existsSync(path));
}

/** A command that a unit runs, as words. */
function commandsOf(unit: string, setting: string): string[][] {
  return [...unit.matchAll(new RegExp(`^${setting}=-?(.*)$`, "gm"))].map(([, line = ""]) => line.split(" "));
}

test("a host with no default route reaches services, which kube-proxy's rules send elsewhere, by the rendered route", async () => {
  assert.doesNotMatch(on("n2", "ip", "route").said, /default/);
  const rule = [
    "-d",
    "10.254.0.1/32",
    "-p",
    "tcp",
    "--dport",
    "443",
    "-j",
    "DNAT",
    "--to-destination",
    "10.64.3.1:6443",
  ];
  assert.equal(on("n2", "iptables", "-t", "nat", "-A", "OUTPUT", ...rule).status, 0);
  start("n1", "api", "", [process.execPath, "-e", 'require("net").createServer((s) => s.end("answer")).listen(6443)']);
  await eventually(() => on("n2", "bash", "-c", "cat </dev/tcp/10.64.3.1/6443").said, /^answer/);
  const ask = (): string => on("n2", "bash", "-c", "cat </dev/tcp/10.254.0.1/443").said;
  assert.match(ask(), /Network is unreachable/);

  const unit = textOf(rendered, "n2", "/etc/systemd/system/kubeferry-routes.service");
  for (const command of commandsOf(unit, "ExecStart")) assert.equal(on("n2", ...command).status, 0, command.join(" "));
  assert.equal(ask(), "answer");
  for (const command of commandsOf(unit, "ExecStop")) assert.equal(on("n2", ...command).status, 0, command.join(" "));
  assert.match(ask(), /Network is unreachable/);
});

const coredns = program("coredns");

test(
  "the cluster's DNS starts on a host without a nameserver, and forwards to those that cluster.yaml names",
  { skip: coredns === undefined ? "there is no coredns here" : false },
  async () => {
    const corefile = async (yaml: string): Promise<string> => {
      const text = textOf(renderFixture(await fixtureCluster(yaml)), "n1", "/etc/kubernetes/kubeferry/coredns.yaml");
      const maps = parseAllDocuments(text).map((one) => one.toJS() as { kind: string; data?: { Corefile?: string } });
      const found = maps.find(({ kind }) => kind === "ConfigMap")?.data?.Corefile ?? "";
      // The API is not under test, and 53 may be taken.
      return found
        .replace(/kubernetes [^{]*\{[^}]*\}/, "hosts {\n 10.9.9.9 inside.test\n fallthrough\n}")
        .replace(".:53", ".:1053");
    };
    const run = async (name: string, text: string): Promise<() => string> => {
      writeFileSync(join(folder, name), text);
      return start("n2", `coredns-${name}`, "# nobody\n", [coredns ?? "", "-conf", join(folder, name)]);
    };
    const plain = await corefile(clusterYaml);
    const old = await run("old", plain.replace("cache 30", "forward . /etc/resolv.conf\n cache 30"));
    await eventually(old, /no valid upstream addresses found/);

    const log = await run("plain", plain);
    await eventually(log, /CoreDNS-1|linux\/amd64/);
    assert.doesNotMatch(log(), /no valid upstream/);
    const named = await corefile(clusterYaml.replace("plugin:", "nameservers: [10.0.0.53, 10.0.0.54], plugin:"));
    assert.match(named, /^ *forward \. 10\.0\.0\.53 10\.0\.0\.54$/m);
  },
);

const flanneld = program("flanneld");

test(
  "flanneld starts on a host with no default route, by the address of its node",
  { skip: flanneld === undefined ? "there is no flanneld here" : false },
  async () => {
    const text = textOf(rendered, "n1", "/etc/kubernetes/kubeferry/flannel.yaml");
    const sets = parseAllDocuments(text).map(
      (one) =>
        one.toJS() as {
          kind: string;
          spec?: { template: { spec: { containers: { args: string[]; env: { name: string; value?: string }[] }[] } } };
        },
    );
    const [container] = sets.find(({ kind }) => kind === "DaemonSet")?.spec?.template.spec.containers ?? [];
    assert.ok(container !== undefined);
    const own = container.args.map((word) => word.replace("$(NODE_IP)", "10.64.3.2"));
    // Its network comes from etcd here, since there is no API server.
    requirePackages("etcd-server", "etcd-client");
    const etcd = "http://10.64.3.1:2379";
    start("n1", "etcd", "", [
      ...["/usr/bin/etcd", `--data-dir=${join(folder, "etcd")}`],
      ...[`--listen-client-urls=${etcd}`, `--advertise-client-urls=${etcd}`],
    ]);
    const config = '{"Network":"172.30.0.0/16","Backend":{"Type":"host-gw"}}';
    const put = ["etcdctl", `--endpoints=${etcd}`, "put", "/coreos.com/network/config", config];
    await eventually(() => on("n1", "env", "ETCDCTL_API=3", ...put).said, /^OK/);
    const run = (name: string, args: readonly string[]): (() => string) =>
      start("n2", name, "", [
        flanneld ?? "",
        ...args.filter((word) => word !== "--kube-subnet-mgr"),
        `--etcd-endpoints=${etcd}`,
        `--subnet-file=${join(folder, "subnet.env")}`,
      ]);
    await eventually(
      run(
        "flannel-old",
        own.filter((word) => !word.startsWith("--iface")),
      ),
      /[Uu]nable to find default route|failed to get default/,
    );
    await eventually(
      run("flannel-new", own),
      /Using interface with name eth0 and address 10\.64\.3\.2|Defaulting external address to interface address \(10\.64\.3\.2\)/,
    );
    const api = Object.fromEntries(
      container.env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    );
    assert.deepEqual([api["KUBERNETES_SERVICE_HOST"], api["KUBERNETES_SERVICE_PORT"]], ["10.64.3.1", "6443"]);
  },
);

test("pods are given the nameservers of cluster.yaml and never the host's own, which may lead back to the cluster", async () => {
  const yaml = clusterYaml.replace("plugin:", "nameservers: [10.0.0.53], plugin:");
  const named = renderFixture(await fixtureCluster(yaml));
  for (const [nodes, wanted] of [
    [rendered, []],
    [named, ["10.0.0.53"]],
  ] as const) {
    const { resolvConf } = parse(textOf(nodes, "n2", "/etc/kubernetes/kubelet-config.yaml")) as { resolvConf: string };
    const text = textOf(nodes, "n2", resolvConf);
    assert.deepEqual(
      [...text.matchAll(/^nameserver (\S+)$/gm)].map(([, server]) => server),
      wanted,
    );
  }
});

test("no unit fails where a host lacks iptables", () => {
  for (const { path, content } of rendered.files) {
    if (typeof content !== "string" || !path.endsWith(".service")) continue;
    assert.doesNotMatch(content, /^Exec\w+=(?!-).*iptables/m, path);
    assert.doesNotMatch(content, /-P FORWARD/, path);
  }
});
