/** Preflight where a node of ours runs or ran: sockets that are the kernel's own, and data that a real etcd left. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { etcdData } from "../../installer/checks/preflight/etcd-data.ts";
import { ports } from "../../installer/checks/preflight/network.ts";
import type { PreflightInput } from "../../installer/checks/preflight/input.ts";
import type { HostReader } from "../../installer/host/host.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { goal } from "../../installer/resources/catalogue.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { commandLine, textOf } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-preflight-"));
const contents = { stage: join(folder, "stage"), before: join(folder, "before") };
const live = createLocalHost({ root: "/", contents });
let hosts: Hosts;
before(() => {
  requirePackages("etcd-server", "iproute2");
  hosts = makeHosts(`pf${process.pid}`, { n1: "10.64.3.1/24" });
});
after(() => {
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});

const own = (...names: string[]): PreflightInput["past"] =>
  [
    {
      state: "committed",
      header: { roles: ["worker"] },
      phases: [{ goals: names.map((name) => ({ resource: "unit", id: { name } })) }],
    },
  ] as unknown as PreflightInput["past"];

test("flannel's tunnel holds its port for the node that made it, and for nobody else", async () => {
  const on = (...words: string[]): string => {
    const [program = "", ...rest] = hosts.on("n1", words);
    return execFileSync(program, rest, { encoding: "utf8" });
  };
  const host: HostReader = {
    ...live,
    read: async (path) => (path.startsWith("/proc/net/") ? on("cat", path) : live.read(path)),
    list: (path) => live.list(path),
    stat: (path) => live.stat(path),
    query: (argv, options) => live.query(hosts.on("n1", argv), options),
  };
  const port = { port: "8472", protocol: "udp", for: { roles: ["worker"] } };
  const input = {
    host,
    bundle: { index: { host: { firewall: { ports: [port] } } } },
    selection: { roles: ["worker"], profile: { name: "n1" }, platform: "linux/amd64" },
  };
  const told = async (past: PreflightInput["past"]): Promise<string[]> =>
    (await ports({ ...input, past } as unknown as PreflightInput)).map(
      ({ severity, message }) => `${severity}: ${message}`,
    );
  assert.deepEqual(await told([]), ["ok: 1 are free or ours"]);
  on(
    "ip",
    "link",
    "add",
    "flannel.1",
    "type",
    "vxlan",
    "id",
    "1",
    "dstport",
    "8472",
    "nolearning",
    "local",
    "10.64.3.1",
  );
  on("ip", "link", "set", "flannel.1", "up");
  const taken = "error: port 8472/udp is taken by the kernel, for the interface";
  assert.deepEqual(await told([]), [`${taken} flannel.1`]);
  assert.deepEqual(await told(own("kubelet.service")), ["ok: 1 are free or ours"]);
  on("ip", "link", "set", "flannel.1", "down");
  on("ip", "link", "set", "flannel.1", "name", "strange0");
  on("ip", "link", "set", "strange0", "up");
  assert.deepEqual(await told(own("kubelet.service")), [`${taken} strange0`]);
});

const clusterYaml = (name: string): string => `name: ${name}
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane, worker] }
`;

test("data of this very member are its own, whoever left them; those of another cluster are refused", async () => {
  const mine = renderFixture(await fixtureCluster(clusterYaml("two")));
  const others = renderFixture(await fixtureCluster(clusterYaml("three")));
  const [root, empty] = [join(folder, "etcd"), join(folder, "empty")];
  await runEtcd(mine, root);
  const told = async (rendered: Rendered, below: string): Promise<string[]> => {
    const inside = (path: string): string => path.replace(/^\/var\/lib\/etcd/, below);
    const host: HostReader = {
      ...live,
      stat: (path) => live.stat(inside(path)),
      list: (path) => live.list(inside(path)),
      query: (argv, options) => live.query(argv.map(inside), options),
    };
    const data = { path: "/var/lib/etcd", mode: 0o700, owner: { uid: 0, gid: 0 }, implied: false };
    const input = {
      ...{ host, past: [], selection: { roles: ["etcd"], profile: rendered.nodes[0] } },
      plan: { phases: [{ name: "all", goals: [goal("directory", data)], gates: [] }] },
    };
    const findings = await etcdData(input as unknown as PreflightInput);
    return findings.map(({ severity, message }) => `${severity}: ${message}`);
  };
  assert.deepEqual(await told(mine, empty), ["ok: no data of an earlier etcd"]);
  assert.deepEqual(await told(mine, root), [
    "warning: data of an earlier installation of n1 in this cluster are here, and etcd goes on with them",
  ]);
  assert.deepEqual(await told(others, root), [
    "error: data of another etcd are here, and etcd would take them for its own",
  ]);
});

/** Starts the member that is rendered until it has written whose data these are; without TLS, on ports of its own. */
async function runEtcd(rendered: Rendered, data: string): Promise<void> {
  const words = commandLine(textOf(rendered, "n1", "/etc/systemd/system/etcd.service"));
  const identity = words.filter((word) => /^--(name|initial-[a-z-]+)=/.test(word));
  assert.equal(identity.length, 5, identity.join(" "));
  const urls = ["listen-client", "advertise-client", "listen-peer"].map(
    (name) => `--${name}-urls=http://10.64.3.1:${name === "listen-peer" ? 2380 : 2379}`,
  );
  const [program = "", ...rest] = hosts.on("n1", ["etcd", `--data-dir=${data}`, ...identity, ...urls]);
  const etcd = spawn(program, rest, { stdio: "ignore" });
  const ended = once(etcd, "exit");
  const logs = join(data, "member/wal");
  while (!existsSync(logs) || !readdirSync(logs).some((name) => name.endsWith(".wal"))) {
    assert.equal(etcd.exitCode, null, "etcd ended");
    await sleep(100);
  }
  etcd.kill("SIGTERM");
  await ended;
}
