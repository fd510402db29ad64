/** What is rendered, judged by the programs that will read it: systemd, haproxy, keepalived, containerd, docker, kubectl. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { clusterOfMinor, minors } from "../builders/minors.ts";
import { makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { contentOf, filesOf, placeNode, textOf } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-accept-"));
const golden = join(import.meta.dirname, "../golden/clusters");
const clusters = new Map<string, { cluster: FixtureCluster; rendered: Rendered }>();

before(async () => {
  for (const name of readdirSync(golden)) {
    const cluster = await fixtureCluster(readFileSync(join(golden, name, "cluster.yaml"), "utf8"));
    const pki = await openPki(join(folder, `${name}.pki`), cluster.topology, new Date());
    clusters.set(name, { cluster, rendered: renderFixture(cluster, pki) });
  }
});

after(() => rmSync(folder, { recursive: true, force: true }));

function rendered(name: string): Rendered {
  const found = clusters.get(name);
  if (found === undefined) throw new Error(`no cluster ${name}`);
  return found.rendered;
}

function run(argv: readonly string[]): { code: number | null; output: string } {
  const [program = "", ...rest] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: "utf8" });
  return { code: error === undefined ? status : 127, output: stdout + stderr };
}

/** Puts one file below a folder of its own and gives its path. */
function put(name: string, text: string): string {
  const path = join(mkdtempSync(join(folder, "file-")), name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Holds every unit of a node against systemd-analyze, with each program that one names as an empty executable. */
function verifyUnits(name: string, node: string, rendered: Rendered): void {
  const root = join(folder, "root", name, node);
  const units = join(root, "etc/systemd/system");
  mkdirSync(units, { recursive: true });
  mkdirSync(join(root, "usr/lib/systemd/system"), { recursive: true });
  for (const target of [
    "network",
    "network-online",
    "multi-user",
    "local-fs",
    "sysinit",
    "basic",
    "shutdown",
    "sockets",
    "timers",
    "paths",
    "slices",
    "remote-fs",
  ]) {
    writeFileSync(join(root, `usr/lib/systemd/system/${target}.target`), "[Unit]\nDescription=target\n");
  }
  const files = unitsOf(rendered, node);
  for (const file of files) writeFileSync(join(root, file.path), contentOf(file));
  // Every program that a unit names, as an empty executable below the root: whether it is in the bundle is the closure's business.
  const programs = files.flatMap((file) => contentOf(file).match(/(?<=^Exec\w+=-?)\/[\w./-]+/gm) ?? []);
  for (const program of programs) {
    mkdirSync(join(root, program, ".."), { recursive: true });
    writeFileSync(join(root, program), "", { mode: 0o755 });
  }
  const paths = files.map(({ path }) => path);
  const { code, output } = run(["systemd-analyze", "verify", "--man=no", `--root=${root}`, ...paths]);
  assert.deepEqual({ code, output }, { code: 0, output: "" }, `${name} ${node}`);
}

function unitsOf(rendered: Rendered, node: string): ReturnType<typeof filesOf> {
  return filesOf(rendered, node).filter((file) => file.path.startsWith("/etc/systemd/system/"));
}

test("systemd-analyze verify has nothing to say about any unit of any cluster", () => {
  requirePackages("systemd");
  for (const [name, { cluster, rendered }] of clusters)
    for (const { name: node } of cluster.topology.nodes) verifyUnits(name, node, rendered);
});

test("nor about any of any minor from 1.16 to 1.36; containerd reads what is written for its second version", async () => {
  requirePackages("systemd", "containerd");
  const seen = new Set<string>();
  const isNew = (text: string): boolean => seen.size < seen.add(text).size;
  for (const minor of minors) {
    const rendered = renderFixture(await clusterOfMinor(minor));
    for (const node of ["m1", "w1"]) {
      const units = unitsOf(rendered, node).map((file) => file.path + contentOf(file));
      if (isNew(units.join(""))) verifyUnits(minor, node, rendered);
    }
    const text = textOf(rendered, "w1", "/etc/containerd/config.toml");
    if (!text.startsWith("version = 2") || !isNew(text)) continue;
    const { code, output } = run(["containerd", "--config", put("config.toml", text), "config", "dump"]);
    assert.equal(code, 0, output);
  }
});

test("systemd-analyze verify would say something about a wrong unit", () => {
  const root = join(folder, "wrong");
  mkdirSync(join(root, "etc/systemd/system"), { recursive: true });
  writeFileSync(join(root, "etc/systemd/system/bad.service"), "[Service]\nExecStart=/bin/none\nRestart=on\n");
  assert.match(
    run(["systemd-analyze", "verify", "--man=no", `--root=${root}`, "/etc/systemd/system/bad.service"]).output,
    /Restart|none/,
  );
});

/** Its configuration names its certificate, and the CA that signed the API servers': it reads both. */
function acceptedByHaproxy(name: string, node: string): void {
  const root = join(folder, "haproxy", name, node);
  placeNode(rendered(name), node, root);
  const text = textOf(rendered(name), node, "/etc/kubernetes/haproxy.cfg");
  const { code, output } = run(["haproxy", "-c", "-f", put("haproxy.cfg", text.replaceAll(" /etc/", ` ${root}/etc/`))]);
  assert.equal(code, 0, `${node} of ${name}: ${output}`);
  assert.doesNotMatch(output, /WARNING/);
}

test("haproxy accepts the local proxy's configuration on every node", () => {
  requirePackages("haproxy");
  for (const { name } of rendered("1.16-local-proxy").nodes) acceptedByHaproxy("1.16-local-proxy", name);
});

test("haproxy and keepalived accept the VIP's configuration on every master", (t) => {
  requirePackages("haproxy", "keepalived", "psmisc");
  const hosts = makeHosts(`kv${process.pid}`, { m1: "10.64.3.1/24", m2: "10.64.3.2/24", m3: "10.64.3.3/24" });
  t.after(() => hosts.remove());
  const six = makeHosts(`kw${process.pid}`, { m1: "fd00:64:3::1/64", m2: "fd00:64:3::2/64" });
  t.after(() => six.remove());
  for (const [name, nodes, network] of [
    ["1.11-vip", ["m1", "m2", "m3"], hosts],
    ["1.36-etcd-apart", ["m1", "m2"], hosts],
    ["1.36-ipv6", ["m1", "m2"], six],
  ] as const) {
    for (const node of nodes) {
      acceptedByHaproxy(name, node);
      // On a host that has the interface and the address: keepalived looks for both.
      const path = put("keepalived.conf", textOf(rendered(name), node, "/etc/keepalived/keepalived.conf"));
      const keepalived = run(network.on(node, ["keepalived", "-t", "-f", path]));
      assert.equal(keepalived.code, 0, `${node}: ${keepalived.output}`);
    }
  }
});

test("masters have different priorities for the VIP, the first the highest", () => {
  const priorities = ["m1", "m2", "m3"].map((node) =>
    Number(/priority (\d+)/.exec(textOf(rendered("1.11-vip"), node, "/etc/keepalived/keepalived.conf"))?.[1]),
  );
  assert.equal(new Set(priorities).size, 3);
  assert.equal(Math.max(...priorities), priorities[0]);
});

test("containerd reads its configuration, and what it reads is what was meant", () => {
  requirePackages("containerd");
  for (const [name, node] of [
    ["distro", "worker"],
    ["1.16-local-proxy", "k8s-node01"],
  ] as const) {
    const path = put("config.toml", textOf(rendered(name), node, "/etc/containerd/config.toml"));
    const { code, output } = run(["containerd", "--config", path, "config", "dump"]);
    assert.equal(code, 0, output);
    assert.match(output, /bin_dir = "\/opt\/cni\/bin"/);
    assert.match(output, /BinaryName = "\/usr\/local\/bin\/runc"/);
    assert.doesNotMatch(output, /"\/opt\/containerd"/, "its plugins' folder is among its own data");
  }
});

test("containerd takes what cluster.yaml says of it, whole numbers as whole numbers", async () => {
  requirePackages("containerd");
  const fields = `
containerd:
  oom_score: -500
  debug: { level: warn }
  plugins:
    io.containerd.grpc.v1.cri:
      max_container_log_line_size: 8192
      containerd: { runtimes: { runc: { options: { SystemdCgroup: false } } } }
`;
  const cluster = await fixtureCluster(`${readFileSync(join(golden, "distro/cluster.yaml"), "utf8")}${fields}`);
  const path = put("config.toml", textOf(renderFixture(cluster), "worker", "/etc/containerd/config.toml"));
  const { code, output } = run(["containerd", "--config", path, "config", "dump"]);
  assert.equal(code, 0, output);
  for (const line of [
    "oom_score = -500",
    'level = "warn"',
    "max_container_log_line_size = 8192",
    "SystemdCgroup = false",
  ])
    assert.ok(output.includes(line), `${line} is not in ${output}`);
  assert.match(output, /BinaryName = "\/usr\/local\/bin\/runc"/, "what is not said stays ours");
});

test("kubectl reads every kubeconfig, with certificate and key in it", () => {
  if (!existsSync("/usr/bin/kubectl")) requirePackages("kubernetes-client");
  for (const [name, { cluster, rendered }] of clusters) {
    for (const { name: node } of cluster.topology.nodes) {
      for (const file of filesOf(rendered, node).filter(({ path }) => path.endsWith("kubeconfig"))) {
        const path = put("kubeconfig", contentOf(file));
        const { code, output } = run(["kubectl", "--kubeconfig", path, "config", "view", "--flatten", "-o", "json"]);
        assert.equal(code, 0, `${name} ${node} ${file.path}: ${output}`);
        assert.match(output, /"server": "https:\/\/([0-9.]+|\[[0-9a-f:]+\]):(6443|8443)"/);
        assert.match(output, /"current-context": "[a-z:-]+"/);
      }
    }
  }
});
