/**
 * A stolen worker: its disk, the stick that it was installed from, and its own key file. What that opens is tried with age
 * itself, against everything secret that the cluster has; docs/threat-model.md has the table.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { openKeys } from "../../builder/pack/keys.ts";
import { packSecrets } from "../../builder/pack/secrets.ts";
import { openPki } from "../../builder/pki/authority.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-stolen-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const pki = join(folder, "plant.pki");
const keys = join(folder, "plant.keys");
const stick = join(folder, "stick");
const stolen = "w1";
/** What the thief reads: the worker's secrets by path, and everything on the stick that is not sealed. */
const readable = new Map<string, string>();

before(async () => {
  requirePackages("age");
  const fixture = await fixtureCluster(`name: plant
release: kubernetes-1.36
nodes:
  - { name: m1, ip: 10.0.0.11, roles: [etcd, master] }
  - { name: m2, ip: 10.0.0.12, roles: [etcd, master] }
  - { name: m3, ip: 10.0.0.13, roles: [etcd, master] }
  - { name: w1, ip: 10.0.0.21, roles: [worker] }
  - { name: w2, ip: 10.0.0.22, roles: [worker] }
`);
  const rendered = renderFixture(fixture, await openPki(pki, fixture.topology, new Date("2026-11-21T00:00:00Z")));
  const nodes = rendered.nodes.map(({ name }) => name);
  const { members } = await packSecrets(rendered.nodes, rendered.files, await openKeys({ folder: keys, pki, nodes }));
  for (const member of members) {
    assert.ok("content" in member);
    mkdirSync(join(stick, dirname(member.path)), { recursive: true });
    writeFileSync(join(stick, member.path), member.content);
  }
  for (const file of rendered.files) {
    if (!file.sensitive && typeof file.content === "string") readable.set(file.path, file.content);
  }
  const opened = age(stolen);
  assert.equal(opened.status, 0, opened.stderr.toString());
  const disk = join(folder, "disk");
  mkdirSync(disk);
  assert.equal(spawnSync("tar", ["-xf", "-", "-C", disk], { input: opened.stdout }).status, 0);
  for (const entry of readdirSync(disk, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    readable.set(path.slice(disk.length), readFileSync(path, "utf8"));
  }
});

function age(node: string): ReturnType<typeof spawnSync> {
  return spawnSync("age", ["-d", "-i", join(keys, `${stolen}.key`), join(stick, `secrets/${node}.age`)]);
}

const everything = (): string => [...readable.values()].join("\n");
/** The lines of the private keys in a file; the certificate beside one is nobody's secret. */
const linesOf = (text: string): string[] =>
  [...text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]*)/g)].flatMap(([, key = ""]) => key.trim().split("\n"));

test("its key opens its own secrets, and those of no other node", () => {
  for (const name of readdirSync(join(stick, "secrets"))) {
    const node = basename(name, ".age");
    assert.equal(age(node).status === 0, node === stolen, node);
  }
});

test("of the cluster's private keys it has its own, and no CA's, no master's, no etcd's, no other node's", () => {
  const found = everything().replaceAll(/(?<=-key-data: )(\S+)/g, (data) => Buffer.from(data, "base64").toString());
  const held: string[] = [];
  let looked = 0;
  for (const entry of readdirSync(pki, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, "utf8");
    if (!text.includes("PRIVATE KEY") && !text.includes("AGE-SECRET-KEY")) continue;
    looked += 1;
    const lines = text.includes("AGE-SECRET-KEY") ? [text.trim()] : linesOf(text);
    if (lines.some((line) => found.includes(line))) held.push(path.slice(pki.length + 1));
  }
  assert.ok(looked > 10, `${looked} private keys were looked for`);
  assert.ok(held.length > 0, "the test sees what a worker does have");
  assert.deepEqual(
    held.filter((path) => !path.split(/[/.]/).includes(stolen)),
    [],
  );
  // No key but the worker's own in any form.
  assert.equal(
    [...readable].filter(([path, text]) => text.includes("PRIVATE KEY") && /ca[.-]?key|sa\.key|etcd/.test(path)).length,
    0,
  );
});

test("no token of another node and no password is among what it reads", () => {
  const tokens = readdirSync(join(pki), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /token/i.test(join(entry.parentPath, entry.name)))
    .map(
      (entry) =>
        [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), "utf8").trim()] as const,
    );
  const foreign = tokens.filter(([path]) => !path.includes(stolen));
  for (const [path, token] of foreign) assert.ok(token === "" || !everything().includes(token), path);
});
