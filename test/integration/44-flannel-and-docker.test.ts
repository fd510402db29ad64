/** flannel's network key in the v2 store of the rendered etcd, and docker's own judgement of its settings. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { below, commandLine, placeNode, textOf } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-flannel-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const load = (name: string): Promise<FixtureCluster> =>
  fixtureCluster(readFileSync(join(import.meta.dirname, "../golden/clusters", name, "cluster.yaml"), "utf8"));

test("flannel's key goes into the v2 store, and a worker's flanneld certificate reads it", async (t) => {
  requirePackages("etcd-server", "etcd-client");
  const hosts = makeHosts(`kk${process.pid}`, { n1: "10.64.3.1/24", n2: "10.64.3.2/24" });
  t.after(() => hosts.remove());
  const cluster = await load("1.16-docker");
  const rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
  for (const name of ["n1", "n2"]) placeNode(rendered, name, join(folder, name));
  const [, ...words] = commandLine(textOf(rendered, "n1", "/etc/systemd/system/etcd.service"));
  assert.ok(words.includes("--enable-v2=true"));
  const [program = "", ...rest] = hosts.on("n1", ["/usr/bin/etcd", ...below(join(folder, "n1"), words)]);
  const log = openSync(join(folder, "etcd.log"), "w");
  const etcd: ChildProcess = spawn(program, rest, { stdio: ["ignore", log, log] });
  t.after(() => etcd.kill("SIGKILL"));

  const object = rendered.objects.find(({ via }) => via === "etcd2");
  assert.ok(object?.key !== undefined);
  const value = readFileSync(join(folder, "n1", object.path ?? ""), "utf8");
  const etcdctl = (host: string, certificate: string, ...argv: string[]): string => {
    const pki = join(folder, host, "etc/etcd/cert");
    const tls = [
      `--ca-file=${pki}/ca.pem`,
      `--cert-file=${pki}/${certificate}.pem`,
      `--key-file=${pki}/${certificate}-key.pem`,
    ];
    const [command = "", ...words] = hosts.on(host, ["etcdctl", "--endpoints=https://10.64.3.1:2379", ...tls, ...argv]);
    const { stdout, stderr } = spawnSync(command, words, {
      encoding: "utf8",
      env: { ...process.env, ETCDCTL_API: "2" },
    });
    return stdout + stderr;
  };
  let made = "";
  for (let turn = 0; turn < 40 && !made.includes("Network"); turn += 1) {
    made = etcdctl("n1", "etcd", "mk", object.key, value);
    if (!made.includes("Network")) await sleep(250);
  }
  assert.match(made, /"Network":"172\.30\.0\.0\/16"/);
  assert.match(etcdctl("n1", "etcd", "mk", object.key, "other"), /Key already exists/);
  assert.deepEqual(JSON.parse(etcdctl("n2", "flanneld", "get", object.key)), {
    Network: "172.30.0.0/16",
    SubnetLen: 24,
    Backend: { Type: "vxlan" },
  });
  // What docs/threat-model.md says of a stolen worker: etcd has no users, and a certificate of its CA is enough.
  const [command = "", ...argv] = hosts.on("n2", [
    "etcdctl",
    "--endpoints=https://10.64.3.1:2379",
    ...["cacert=ca", "cert=flanneld", "key=flanneld-key"].map((pair) => {
      const [option = "", file = ""] = pair.split("=");
      return `--${option}=${join(folder, "n2/etc/etcd/cert", file)}.pem`;
    }),
    ...["put", "/registry/stolen", "yes"],
  ]);
  const { stdout } = spawnSync(command, argv, { encoding: "utf8", env: { ...process.env, ETCDCTL_API: "3" } });
  assert.equal(stdout, "OK\n");
});

/** What dockerd says of its settings before it looks for its containerd, which is not there. */
function dockerd(settings: string): string {
  const path = join(mkdtempSync(join(folder, "docker-")), "daemon.json");
  writeFileSync(path, settings.replace('"/var/lib/docker"', JSON.stringify(join(folder, "data"))));
  const argv = ["--config-file", path, "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid")];
  // What it mounts is gone with its mount namespace.
  const command = ["-m", "dockerd", ...argv, "--containerd=/none", "-H", `unix://${folder}/sock`];
  const { stdout, stderr } = spawnSync("unshare", command, {
    encoding: "utf8",
    timeout: 4000,
    killSignal: "SIGKILL",
  });
  return stdout + stderr;
}

test("dockerd takes its settings, and would not take others", async () => {
  requirePackages("docker.io");
  const settings = textOf(renderFixture(await load("distro-docker")), "n1", "/etc/docker/daemon.json");
  assert.doesNotMatch(dockerd(settings), /unable to configure|match any configuration/);
  assert.match(
    dockerd(settings.replace("live-restore", "live-restored")),
    /match any configuration option: live-restored/,
  );
});
