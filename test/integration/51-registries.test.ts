/** `registries:` of cluster.yaml, tried by containerd: it pulls from a real registry with what was rendered, and only with it. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { writeLayout } from "../builders/image-layout.ts";
import { makeOwnCa, type OwnCa } from "../builders/own-ca.ts";
import { filesOf, textOf } from "../builders/placed-node.ts";
import { requirePackages } from "../programs/packages.ts";
import { type Containerd, placeHosts, startContainerd } from "../servers/containerd.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-registries-"));
const golden = join(import.meta.dirname, "../golden/clusters");
const user = { name: "puller", password: "air:gap 1" };
const login = join(folder, "login");
const path = (name: string): string => join(folder, name);
let closed: Registry;
let plain: Registry;
let ca: OwnCa;
let containerd: Containerd;

before(async () => {
  requirePackages("openssl", "perl-base");
  ca = makeOwnCa(path("ca"));
  writeFileSync(login, `${user.name}:${user.password}\n`, { mode: 0o600 });
  for (const name of ["closed", "plain"]) mkdirSync(path(name));
  closed = await startRegistry(path("closed"), { tls: ca.tls, user });
  plain = await startRegistry(path("plain"));
  writeLayout(path("layout"), "1.0", [{ platform: "linux/amd64", layers: [{ "hello.txt": "hello\n" }] }]);
  const from = `oci:${path("layout")}:1.0`;
  const credentials = `--dest-creds=${user.name}:${user.password}`;
  skopeo("copy", "--all", "--dest-tls-verify=false", credentials, from, `docker://${closed.host}/team/hello:1.0`);
  skopeo("copy", "--all", "--dest-tls-verify=false", from, `docker://${plain.host}/team/hello:1.0`);
  containerd = await startContainerd(folder);
});
after(async () => {
  await containerd.stop();
  await closed.stop();
  await plain.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("containerd pulls from a registry with a CA of its own and credentials, by its name and as a mirror", async () => {
  const own = `"${closed.host}": { ca: ${ca.ca}, credentials: ${login} }`;
  const mirrors = `"docker.io": { mirrors: ["https://${closed.host}"] }\n  "*": { mirrors: ["https://${closed.host}"] }`;
  const rendered = await render("1.36-single-node", `${own}\n  ${mirrors}`);
  const hosts = hostsOf(rendered, "both");
  for (const name of [`${closed.host}/team/hello:1.0`, "docker.io/team/hello:1.0", "quay.example/team/hello:1.0"]) {
    assert.deepEqual(containerd.pull(hosts, name), { code: 0, said: "" }, name);
  }
  for (const file of filesOf(rendered, "n1").filter(({ path }) => path.endsWith("/hosts.toml"))) {
    assert.deepEqual([file.mode, file.sensitive], ["0600", true], file.path);
  }
});

test("without the CA it is not trusted, and without the credentials nothing is given", async () => {
  const noCa = hostsOf(await render("1.36-single-node", `"${closed.host}": { credentials: ${login} }`), "no-ca");
  assert.match(containerd.pull(noCa, `${closed.host}/team/hello:1.0`).said, /x509|certificate/);
  const noUser = hostsOf(await render("1.36-single-node", `"${closed.host}": { ca: ${ca.ca} }`), "no-user");
  assert.match(containerd.pull(noUser, `${closed.host}/team/hello:1.0`).said, /401|[Uu]nauthorized|authorization/);
});

test("insecure takes any certificate, and plain HTTP", async () => {
  const any = await render("1.36-single-node", `"${closed.host}": { insecure: true, credentials: ${login} }`);
  assert.deepEqual(containerd.pull(hostsOf(any, "any"), `${closed.host}/team/hello:1.0`), { code: 0, said: "" });
  const open = await render("1.36-single-node", `"${plain.host}": { insecure: true }`);
  assert.deepEqual(containerd.pull(hostsOf(open, "open"), `${plain.host}/team/hello:1.0`), { code: 0, said: "" });
});

test("dockerd takes its part, and the kubelet what it logs in with", async () => {
  requirePackages("docker.io");
  const own = `"registry.plant:5000": { ca: ${ca.ca}, credentials: ${login} }\n  "open.plant": { insecure: true }`;
  const rendered = await render("1.16-docker", `${own}\n  "docker.io": { mirrors: ["http://10.0.0.9:5000"] }`);
  const text = textOf(rendered, "n2", "/etc/docker/daemon.json");
  const settings = JSON.parse(text) as Record<string, unknown>;
  const told = await dockerInfo(settings);
  assert.deepEqual(told.Mirrors, ["http://10.0.0.9:5000/"]);
  for (const name of ["open.plant", "10.0.0.9:5000"]) assert.equal(told.IndexConfigs[name]?.Secure, false, name);
  assert.equal(textOf(rendered, "n2", "/etc/docker/certs.d/registry.plant:5000/ca.crt"), readFileSync(ca.ca, "utf8"));
  const file = filesOf(rendered, "n2").find((one) => one.path.endsWith("/config.json"));
  assert.deepEqual([file?.path, file?.mode, file?.sensitive], ["/var/lib/kubelet/config.json", "0600", true]);
  const auth = Buffer.from(`${user.name}:${user.password}`).toString("base64");
  assert.deepEqual(JSON.parse(textOf(rendered, "n2", "/var/lib/kubelet/config.json")), {
    auths: { "registry.plant:5000": { auth } },
  });
});

interface RegistryConfig {
  readonly Mirrors: readonly string[];
  readonly IndexConfigs: Readonly<Record<string, { readonly Secure: boolean }>>;
}

/** What a dockerd says of registries that was started with `settings`, its data and network apart. */
async function dockerInfo(settings: Record<string, unknown>): Promise<RegistryConfig> {
  const own = {
    "data-root": path("docker"),
    "exec-opts": [],
    "storage-driver": "vfs",
    "deprecated-key-path": undefined,
  };
  writeFileSync(path("daemon.json"), JSON.stringify({ ...settings, ...own }));
  const socket = `unix://${path("docker.sock")}`;
  const options = {
    host: socket,
    "config-file": path("daemon.json"),
    "exec-root": path("docker-exec"),
    pidfile: path("docker.pid"),
    containerd: path("containerd.sock"),
    bridge: "none",
    iptables: "false",
    "ip-forward": "false",
    "ip-masq": "false",
  };
  const words = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  const child = spawn("dockerd", words, { stdio: "ignore" });
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`dockerd ended with ${child.exitCode}`);
      const info = ["--host", socket, "info", "--format", "{{json .RegistryConfig}}"];
      const { status, stdout } = spawnSync("docker", info, { encoding: "utf8" });
      if (status === 0 && stdout.includes("IndexConfigs")) return JSON.parse(stdout) as RegistryConfig;
      await sleep(200);
    }
  } finally {
    const ended = once(child, "exit");
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await ended;
    }
  }
}

async function render(name: string, registries: string): Promise<Rendered> {
  const text = readFileSync(join(golden, name, "cluster.yaml"), "utf8");
  return renderFixture(await fixtureCluster(`${text}registries:\n  ${registries}\n`));
}

/** The node's certs.d in a folder of the test. */
function hostsOf(rendered: Rendered, name: string): string {
  return placeHosts(rendered, "n1", path(`hosts-${name}`));
}
