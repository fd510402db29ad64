/** etcd's bad days with real members: a lost one, a lost quorum, all of them gone. A writer counts what was acknowledged. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { openPki } from "../../builder/pki/authority.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { requirePackages } from "../programs/packages.ts";
import { type EtcdHost, eventually, placeEtcdHost } from "../servers/etcd-hosts.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";

const names = ["n1", "n2", "n3"] as const;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-etcd-days-"));
const members: EtcdHost[] = [];
const acknowledged: string[] = [];
let hosts: Hosts | undefined;
let recipient: string;
let snapshot: string;
let inSnapshot: string[];

const member = (name: (typeof names)[number]): EtcdHost => {
  const found = members.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

before(async () => {
  requirePackages("etcd-server", "etcd-client", "age", "curl");
  hosts = makeHosts(`kd${process.pid}`, { n1: "10.0.0.11/24", n2: "10.0.0.12/24", n3: "10.0.0.13/24" });
  const cluster = await fixtureCluster(
    readFileSync(join(import.meta.dirname, "../golden/clusters/distro/cluster.yaml"), "utf8"),
  );
  const rendered = renderFixture(cluster, await openPki(join(folder, "pki"), cluster.topology, new Date()));
  const identity = await generateX25519Identity();
  writeFileSync(join(folder, "operator.key"), `${identity}\n`, { mode: 0o600 });
  recipient = await identityToRecipient(identity);
  for (const name of names) members.push(placeEtcdHost(rendered, name, join(folder, name), hosts));
  for (const one of members) {
    writeFileSync(join(one.root, "tmp/operator.key"), `${identity}\n`, { mode: 0o600 });
    await one.run("systemctl", "start", "--no-block", "etcd.service");
  }
  for (const one of members) await healthy(one);
});

after(() => {
  for (const one of members) one.kill();
  hosts?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function healthy(one: EtcdHost): Promise<void> {
  await eventually(() => one.etcdctl("endpoint", "health"), /is healthy/);
}

/** Puts one key after the other, and remembers each that etcd acknowledged. */
async function write(on: EtcdHost, from: number, count: number): Promise<void> {
  for (let number = from; number < from + count; number += 1) {
    const { code, said } = await on.etcdctl("put", `/writes/${number}`, `value ${number}`);
    if (code === 0 && said.includes("OK")) acknowledged.push(`/writes/${number}`);
  }
}

async function keysOn(one: EtcdHost): Promise<string[]> {
  const { said } = await one.etcdctl("get", "--prefix", "/writes/", "--keys-only");
  return said.split("\n").filter((line) => line.startsWith("/writes/"));
}

/** Each day begins where the one before ended. */
let days = 0;
function day(number: number): void {
  assert.equal(days, number - 1, "the day before went wrong");
}

function missing(found: readonly string[], wanted: readonly string[]): string[] {
  return wanted.filter((key) => !found.includes(key));
}

async function done(what: Promise<{ code: number | null; said: string }>): Promise<string> {
  const { code, said } = await what;
  assert.equal(code, 0, said);
  return said;
}

test("a snapshot is whole, sealed for the operator, private, and the oldest ones go", async () => {
  day(1);
  const n1 = member("n1");
  await write(n1, 0, 4);
  const refused = await n1.install("snapshot");
  assert.match(refused.said, /KEY_MISSING/, "nobody is known for whom it could be sealed");
  const dry = await done(n1.install("snapshot", "--recipient", recipient, "--dry-run"));
  assert.match(dry, /snapshot save/);
  const place = join(n1.root, "var/lib/kubeferry/snapshots");
  assert.throws(() => readdirSync(place), "a dry-run makes nothing");
  for (let turn = 0; turn < 2; turn += 1) {
    await done(n1.install("snapshot", "--json", "--recipient", recipient, "--keep", "2"));
    // Their names have seconds.
    await sleep(1000);
  }
  await write(n1, 4, 4);
  inSnapshot = [...acknowledged];
  const said = await done(n1.install("snapshot", "--recipient", recipient, "--keep", "2"));
  assert.match(said, /removed/);
  const files = readdirSync(place);
  assert.equal(files.length, 2, "and nothing open beside them");
  snapshot = files.at(-1) ?? "";
  assert.equal(statSync(join(place, snapshot)).mode & 0o777, 0o600);
  const sealed = readFileSync(join(place, snapshot));
  assert.ok(!sealed.includes("value 3"), "sealed");
  const open = execFileSync("age", ["-d", "-i", join(folder, "operator.key"), join(place, snapshot)], {
    maxBuffer: 1 << 28,
  });
  assert.ok(open.includes("value 3"), "age itself opens it");
  days = 1;
});

test("a member that lost its data joins the others again, and a rollback brings its own data back", async () => {
  day(2);
  const n3 = member("n3");
  n3.kill();
  rmSync(join(n3.root, "var/lib/etcd/member"), { recursive: true });
  await write(member("n1"), 8, 3);
  const dry = await done(n3.install("restore-etcd", "--initial-cluster-state", "existing", "--dry-run"));
  assert.match(dry, /member remove [0-9a-f]{13,16}/);
  assert.match(dry, /member add n3 --peer-urls=https:\/\/10\.0\.0\.13:2380/);
  assert.match(dry, /--initial-cluster-state=existing/);
  await done(n3.install("restore-etcd", "--json", "--initial-cluster-state", "existing", "--yes"));
  await healthy(n3);
  assert.deepEqual(missing(await keysOn(n3), acknowledged), []);
  const list = await done(member("n1").etcdctl("member", "list"));
  assert.equal(list.match(/started, n[123]/g)?.length, 3, list);
  days = 2;
});

test("most members are lost: a survivor becomes a cluster of one with all that it has, and the others join it", async () => {
  day(3);
  const [n1, n2, n3] = members as [EtcdHost, EtcdHost, EtcdHost];
  n2.kill();
  n3.kill();
  const stuck = await n1.etcdctl("put", "/lost", "quorum", "--command-timeout=3s");
  assert.notEqual(stuck.code, 0, "without a quorum nothing is written");
  await done(n1.install("restore-etcd", "--force-new-cluster", "--yes"));
  await healthy(n1);
  assert.deepEqual(missing(await keysOn(n1), acknowledged), []);
  assert.equal((await done(n1.etcdctl("member", "list"))).match(/started/g)?.length, 1);
  for (const other of [n2, n3]) {
    await done(other.install("restore-etcd", "--initial-cluster-state", "existing", "--yes"));
    await healthy(other);
  }
  assert.equal((await done(n1.etcdctl("member", "list"))).match(/started, n[123]/g)?.length, 3);
  await write(n3, 11, 2);
  assert.deepEqual(missing(await keysOn(n2), acknowledged), []);
  days = 3;
});

test("all members are gone: each from the same snapshot, with every write acknowledged before it", async () => {
  day(4);
  const lost = [...acknowledged].filter((key) => !inSnapshot.includes(key));
  assert.ok(lost.length > 0, "something was written after the snapshot");
  const [n1] = members as [EtcdHost];
  const sealed = readFileSync(join(n1.root, "var/lib/kubeferry/snapshots", snapshot));
  for (const one of members) {
    one.kill();
    writeFileSync(join(one.root, "tmp/snapshot.age"), sealed);
  }
  const words = ["restore-etcd", "--snapshot", "/tmp/snapshot.age", "--yes"];
  writeFileSync(join(n1.root, "tmp/other.key"), `${await generateX25519Identity()}\n`);
  assert.match((await n1.install(...words, "--key", "/tmp/other.key")).said, /KEY_WRONG/);
  for (const [at, one] of members.entries()) {
    const said = await done(one.install(...words, "--key", "/tmp/operator.key"));
    if (at === 0) assert.match(said, /Every other member: the same command/);
  }
  for (const one of members) {
    await healthy(one);
    assert.deepEqual(missing(await keysOn(one), inSnapshot), []);
    assert.equal((await keysOn(one)).length, inSnapshot.length);
    assert.deepEqual(
      readdirSync(join(one.root, "var/lib/kubeferry/snapshots")).filter((name) => name.includes("open")),
      [],
      "no open copy stays",
    );
  }
  days = 4;
});

test("a damaged snapshot is refused before anything is stopped, and a rollback brings the data of before back", async () => {
  day(5);
  const [n1, n2, n3] = members as [EtcdHost, EtcdHost, EtcdHost];
  const sealed = readFileSync(join(n1.root, "tmp/snapshot.age"));
  writeFileSync(join(n1.root, "tmp/cut.age"), sealed.subarray(0, sealed.length - 100));
  const cut = await n1.install("restore-etcd", "--snapshot", "/tmp/cut.age", "--key", "/tmp/operator.key", "--yes");
  assert.match(cut.said, /SECRETS_INVALID/);
  await healthy(n1);
  for (const one of [n1, n2, n3]) await done(one.install("rollback", "--yes"));
  for (const one of members) await healthy(one);
  assert.deepEqual(missing(await keysOn(n2), acknowledged), [], "with what was written after the snapshot too");
  days = 5;
});

test("an older state is restored on one member after the other, while those whose turn is to come still serve the newer one", async () => {
  day(6);
  const [n1] = members as [EtcdHost];
  const later = [...acknowledged].filter((key) => !inSnapshot.includes(key));
  assert.deepEqual(missing(await keysOn(n1), later), [], "all of them live, with what was written after the snapshot");
  const words = ["restore-etcd", "--snapshot", "/tmp/snapshot.age", "--key", "/tmp/operator.key", "--yes"];
  for (const one of members) await done(one.install(...words));
  for (const one of members) {
    await healthy(one);
    assert.deepEqual((await keysOn(one)).toSorted(), inSnapshot.toSorted(), one.name);
  }
  for (const one of members) await done(one.install("rollback", "--yes"));
  for (const one of members) await healthy(one);
  assert.deepEqual(missing(await keysOn(n1), acknowledged), []);
  days = 6;
});

test("a member whose etcd ends by itself is no member that waits for others: the restore fails, and its data are as before", async (t) => {
  day(7);
  const [n1, ...others] = members as [EtcdHost, ...EtcdHost[]];
  const words = ["restore-etcd", "--snapshot", "/tmp/snapshot.age", "--key", "/tmp/operator.key", "--yes"];
  await done(n1.run("systemctl", "stop", "etcd.service"));
  // The port for its peers is somebody else's.
  const listen = 'require("net").createServer().listen(2380, "10.0.0.11", () => process.stdout.write("."))';
  const [command = "", ...rest] = (hosts as Hosts).on("n1", [process.execPath, "-e", listen]);
  const squatter = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => squatter.kill());
  await once(squatter.stdout, "data");
  const { code, said } = await n1.install(...words);
  assert.equal(code, 7, said);
  assert.match(said, /APPLY_FAILED_RESTORED: etcd is healthy is not healthy: etcd\.service ended by itself/);
  squatter.kill();
  await once(squatter, "exit");
  await done(n1.run("systemctl", "start", "--no-block", "etcd.service"));
  for (const one of [n1, ...others]) await healthy(one);
  assert.deepEqual(missing(await keysOn(n1), acknowledged), [], "the data of before");
  days = 7;
});

test("remove-node takes a member out of etcd, and knows who is no member", async () => {
  day(8);
  // The first is a master besides, and its API server is not part of this.
  const n2 = member("n2");
  assert.match(await done(n2.install("remove-node", "n3", "--dry-run")), /member remove [0-9a-f]{13,16}/);
  const n3 = member("n3");
  assert.match(await done(n3.install("undo", "--dry-run")), /etcd goes on counting n3.*: \.\/install remove-node n3/);
  assert.match((await n2.install("remove-node", "n9", "--yes")).said, /USAGE: the cluster knows nothing of n9/);
  assert.match((await n2.install("remove-node", "n2", "--yes")).said, /this very host/);
  await done(n2.install("remove-node", "--json", "n3", "--yes"));
  const list = await done(n2.etcdctl("member", "list"));
  assert.equal(list.match(/started, n[12]/g)?.length, 2, list);
  assert.doesNotMatch(list, /n3/);
  assert.doesNotMatch(await done(n3.install("undo", "--dry-run")), /goes on counting/);
  days = 8;
});
