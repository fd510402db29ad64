/**
 * etcd as every minor of Kubernetes is given it: a real one takes each unit's command line and certificates, and is healthy as
 * its health check asks. Where the distribution has no etcd of a series' own minor the nearest one is started, without the
 * flags that it does not have; that the series' own has every flag says the table of upstream's flags.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isSince } from "#formats/version";
import { readFlagTable } from "../../builder/config/flag-table.ts";
import type { TopologyNode } from "../../builder/config/topology.ts";
import { versionOf } from "../../builder/config/versions.ts";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { debOfSuite } from "../builders/debs.ts";
import { type FixtureCluster, fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { clusterOfMinor, minors } from "../builders/minors.ts";
import { below, commandLine, placeNode, textOf } from "../builders/placed-node.ts";
import { requirePackages } from "../programs/packages.ts";
import { makeHosts } from "../servers/namespaces.ts";

interface Etcd {
  /** `3.4.23` */
  readonly version: string;
  readonly server: string;
  readonly client: string;
}

const folder = mkdtempSync(join(tmpdir(), "kubeferry-minors-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const table = readFlagTable()["etcd"] ?? {};

/** The distribution's own, trixie's, and that of the folder which KUBEFERRY_KUBERNETES names, where it has one. */
async function programs(): Promise<Etcd[]> {
  requirePackages("etcd-server", "etcd-client");
  const later = join(folder, "trixie");
  for (const name of ["etcd-server", "etcd-client"])
    execFileSync("dpkg-deb", ["--extract", await debOfSuite(name, "trixie"), later]);
  const own = process.env["KUBEFERRY_KUBERNETES"];
  const folders = [
    "/usr/bin",
    join(later, "usr/bin"),
    ...(own !== undefined && existsSync(`${own}/etcd`) ? [own] : []),
  ];
  return folders.map((place) => {
    const server = join(place, "etcd");
    const said = execFileSync(server, ["--version"], { encoding: "utf8" });
    return { version: /(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? "", server, client: join(place, "etcdctl") };
  });
}

const minorOf = (version: string): number => Number(version.split(".")[1]);

function nearest(all: readonly Etcd[], wanted: string): Etcd {
  const distance = ({ version }: Etcd): number => Math.abs(minorOf(version) - minorOf(wanted));
  const [best] = all.toSorted((a, b) => distance(a) - distance(b));
  assert.ok(best !== undefined);
  return best;
}

/** Whether upstream's etcd of a version has the flag, given as `--name=value`. */
function knows(version: string, word: string): boolean {
  const entry = table[/^--([^=]+)/.exec(word)?.[1] ?? ""];
  if (entry === undefined) return false;
  const { added = "0.0", removed } = entry;
  return isSince(version, added) && (removed === undefined || !isSince(version, removed));
}

function membersOf({ topology }: FixtureCluster): readonly TopologyNode[] {
  return topology.nodes.filter(({ roles }) => roles.includes("etcd"));
}

/** What the members of a cluster are started with, by their names. */
function commandLines(cluster: FixtureCluster, rendered: Rendered): Map<string, string[]> {
  return new Map(
    membersOf(cluster).map(({ name }) => [
      name,
      commandLine(textOf(rendered, name, "/etc/systemd/system/etcd.service")).slice(1),
    ]),
  );
}

/** Starts all members and waits until each is healthy; fails at once with the log of one that ends. */
async function serve(name: string, cluster: FixtureCluster, etcd: Etcd): Promise<void> {
  // The nodes of all minors are the same, and so are their keys.
  const keys = join(folder, minors.includes(name) ? "minors.pki" : `${name}.pki`);
  const rendered = renderFixture(cluster, await openPki(keys, cluster.topology, new Date()));
  const lines = commandLines(cluster, rendered);
  const check = rendered.checks.find((one) => one.name === "etcd is healthy");
  assert.ok(check !== undefined);
  const addresses = membersOf(cluster).map((node) => [node.name, `${node.ip}/24`]);
  const hosts = makeHosts(`km${process.pid}`, Object.fromEntries(addresses));
  const members = new Map<string, ChildProcess>();
  try {
    const logOf = (node: string): string => join(folder, `${name}-${node}.log`);
    for (const [node, words] of lines) {
      const root = join(folder, name, node);
      placeNode(rendered, node, root);
      const taken = words.filter((word) => knows(etcd.version, word));
      const [program = "", ...rest] = hosts.on(node, [etcd.server, ...below(root, taken)]);
      const log = openSync(logOf(node), "w");
      members.set(node, spawn(program, rest, { stdio: ["ignore", log, log] }));
    }
    for (const [node, member] of members) {
      const argv = [etcd.client, ...below(join(folder, name, node), check.argv.slice(1))];
      await healthy(hosts.on(node, argv), check, member, () => readFileSync(logOf(node), "utf8"));
    }
  } finally {
    for (const member of members.values()) member.kill("SIGKILL");
    hosts.remove();
  }
}

async function healthy(
  argv: readonly string[],
  check: Pick<Rendered["checks"][number], "environment" | "matches">,
  member: ChildProcess,
  log: () => string,
): Promise<void> {
  const [program = "", ...rest] = argv;
  const env = { ...process.env, ...check.environment };
  let said = "";
  for (let turn = 0; turn < 120 && member.exitCode === null; turn += 1) {
    const { stdout, stderr } = spawnSync(program, rest, { encoding: "utf8", env });
    said = stdout + stderr;
    if (said.includes(check.matches ?? "")) return;
    await sleep(500);
  }
  assert.fail(`etcd is not healthy\n${said}\n${log().slice(-3000)}`);
}

test("a real etcd takes what every minor from 1.16 to 1.36 gives it, and what 1.6 and 1.11 do", async (t) => {
  const all = await programs();
  const golden = join(import.meta.dirname, "../golden/clusters");
  const before = ["1.6-docker-flannel", "1.11-vip"].map(
    async (name) => [name, await fixtureCluster(readFileSync(join(golden, name, "cluster.yaml"), "utf8"))] as const,
  );
  const onRoad = minors.map(async (minor) => [minor, await clusterOfMinor(minor)] as const);
  const judged = new Map<string, string[]>();
  for (const [name, cluster] of await Promise.all([...before, ...onRoad])) {
    const wanted = versionOf("etcd", cluster.manifest);
    assert.ok(wanted !== null);
    const lines = commandLines(cluster, renderFixture(cluster));
    const words = [...lines.values()].flat();
    assert.deepEqual(
      words.filter((word) => !knows(wanted, word)),
      [],
      `${name}: flags that etcd ${wanted} does not have`,
    );
    const etcd = nearest(all, wanted);
    const left = words.filter((word) => !knows(etcd.version, word));
    const same = minorOf(wanted) === minorOf(etcd.version) ? "" : `, in place of ${wanted}; its own flags by the table`;
    const how = `etcd ${etcd.version}${same}${left.length === 0 ? "" : `, without ${left.join(" ")}`}`;
    const key = JSON.stringify([how, ...lines]);
    const alike = judged.get(key);
    if (alike !== undefined) {
      alike.push(name);
      continue;
    }
    judged.set(key, [how, name]);
    await serve(name, cluster, etcd);
  }
  for (const [how = "", ...names] of judged.values()) t.diagnostic(`${names.join(", ")}: ${how}`);
});
