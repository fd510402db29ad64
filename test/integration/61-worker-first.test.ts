/**
 * A worker before its control plane, with a real kube-proxy: with nobody at the API's
 * address its check passes or waits, and never fails an installation.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Finding } from "#cli/finding";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import type { IsThere } from "../../installer/checks/awaited.ts";
import { checkUntilHealthy } from "../../installer/checks/health.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { renderFixture } from "../builders/fixture-cluster.ts";
import { clusterFor, kubernetesDaemons } from "../programs/kubernetes-daemons.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { checkNamed } from "../programs/node-checks.ts";
import { requirePackages } from "../programs/packages.ts";
import { below, commandLine, placeNode, textOf } from "../builders/placed-node.ts";

const found = await kubernetesDaemons();
const folder = mkdtempSync(join(tmpdir(), "kubeferry-worker-"));
const root = join(folder, "n2");
let hosts: Hosts | undefined;
let rendered: Rendered;
let proxy: ChildProcess | undefined;

before(async () => {
  requirePackages("iproute2", "iptables", "conntrack");
  hosts = makeHosts(`wf${process.pid}`, { n2: "10.64.3.2/24" });
  const text = `name: two
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane] }
  - { name: n2, ip: 10.64.3.2, roles: [worker] }
network: { plugin: flannel, proxyMode: iptables }
`;
  const cluster = await clusterFor(found, text, folder);
  rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
  placeNode(rendered, "n2", root);
  const unit = textOf(rendered, "n2", "/etc/systemd/system/kube-proxy.service");
  const words = below(root, commandLine(unit).slice(1));
  const path = join(root, "etc/kubernetes/kube-proxy.yaml");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll("/etc/kubernetes", join(root, "etc/kubernetes")));
  const log = openSync(join(folder, "kube-proxy.log"), "w");
  const [program = "", ...rest] = hosts.on("n2", [join(found.folder, "kube-proxy"), ...words]);
  proxy = spawn(program, rest, { stdio: ["ignore", log, log] });
});
after(() => {
  proxy?.kill("SIGKILL");
  hosts?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** As the installer asks, from this host. */
const isThere: IsThere = async (awaited) => {
  const module = join(import.meta.dirname, "../../installer/checks/awaited.ts");
  const script = `import(${JSON.stringify(module)}).then(({ isThere }) => isThere(${JSON.stringify(awaited)})).then(console.log)`;
  const [program = "", ...rest] = hosts?.on("n2", [process.execPath, "-e", script]) ?? [];
  return execFileSync(program, rest, { encoding: "utf8" }).trim() === "true";
};

async function gateOn(name: string, tries: number): Promise<Finding> {
  const local = createLocalHost({ root: "/", contents: { stage: "/nowhere", before: "/nowhere" } });
  const entry = checkNamed(rendered, "n2", name);
  const check = { ...entry, argv: hosts?.on("n2", entry.argv) ?? [] };
  const wait = (): Promise<void> => sleep(1000);
  const [finding] = await checkUntilHealthy({ host: local, checks: [check], alone: true, tries, wait, isThere });
  assert.ok(finding !== undefined);
  return finding;
}

test("kube-proxy waits for the API server, or is healthy without", async () => {
  const waits = "waits for an API server: 10.64.3.1:6443 does not answer yet";
  const own = await gateOn("kube-proxy is healthy", 120);
  const said = `${JSON.stringify(own)}\n${readFileSync(join(folder, "kube-proxy.log"), "utf8")}`;
  assert.ok(own.severity === "ok" || own.message === waits, said);
  const way = await gateOn("kube-proxy forwards the API service", 120);
  assert.deepEqual([way.severity, way.message], ["warning", waits]);
  assert.equal(proxy?.exitCode, null, said);
});
