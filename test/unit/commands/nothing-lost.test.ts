/** What a command of `kubeferry` must leave alone: files that are there, and folders that it was only to look into. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestFile } from "#bundle";
import { runKubeferry } from "../../programs/command.ts";
import { standInCluster, type StandInCluster } from "../../fakes/stand-in-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-nothing-lost-"));
let cluster: StandInCluster;
before(async () => {
  cluster = await standInCluster(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function build(...extra: string[]): Promise<{ code: number; out: string; err: string }> {
  return await runKubeferry(["build", cluster.config, ...cluster.store, ...cluster.installers, ...extra]);
}

test("render makes neither keys nor certificates, and the same files with and without them", async () => {
  const render = async (to: string): Promise<Record<string, string>> => {
    const ran = await runKubeferry(["render", cluster.config, ...cluster.store, "-o", to]);
    assert.equal(ran.code, 0, ran.err);
    const names = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return Object.fromEntries(
      names.map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(to.length), readFileSync(path, "utf8")];
      }),
    );
  };
  const without = await render(join(folder, "rendered-1"));
  assert.equal(existsSync(join(folder, "plant-7.pki")), false);
  assert.ok(Object.keys(without).some((path) => path.endsWith("/kubelet.service")));
  assert.ok(!Object.keys(without).some((path) => path.endsWith(".pem")));
  const built = await build("-o", join(folder, "first.tar"));
  assert.equal(built.code, 0, built.err);
  const kept = readdirSync(join(folder, "plant-7.pki"), { recursive: true }).toSorted();
  const withThem = await render(join(folder, "rendered-2"));
  assert.deepEqual(Object.keys(withThem), Object.keys(without));
  for (const [path, text] of Object.entries(withThem)) assert.equal(text, without[path], path);
  assert.deepEqual(readdirSync(join(folder, "plant-7.pki"), { recursive: true }).toSorted(), kept);
  const onFile = await runKubeferry(["render", cluster.config, ...cluster.store, "-o", cluster.config]);
  assert.equal(onFile.code, 2);
});

test("build refuses to write over what it reads, also with --force, and under another name of it", async () => {
  const lock = join(folder, "cluster.lock");
  for (const input of [
    cluster.config,
    lock,
    join(folder, "plant-7.keys/n1.key"),
    `${folder}/installers/../cluster.yaml`,
  ]) {
    const text = readFileSync(input, "utf8");
    const ran = await build("-o", input, "--force");
    assert.equal(ran.code, 2, `${input}: ${ran.out}${ran.err}`);
    assert.match(ran.err, /must not be .* itself/);
    assert.equal(readFileSync(input, "utf8"), text);
  }
});

test("build overwrites no file without --force", async () => {
  const bundle = join(folder, "first.tar");
  const { digest } = digestFile(bundle);
  const refused = await build("-o", bundle);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /would be overwritten[\s\S]*first\.tar[\s\S]*--force/);
  assert.equal(digestFile(bundle).digest, digest);
  const own = join(folder, "thesis.txt");
  writeFileSync(own, "years of work");
  assert.equal((await build("-o", own)).code, 2);
  assert.equal(readFileSync(own, "utf8"), "years of work");
  assert.equal((await build("-o", bundle, "--force")).code, 0);
});

test("in a folder a bundle is named by its content, and made again; join overwrites nothing without --force", async () => {
  const out = join(folder, "bundles");
  mkdirSync(out);
  for (const time of [1, 2]) assert.equal((await build("-o", out)).code, 0, `time ${time}`);
  const [bundle = ""] = readdirSync(out).map((name) => join(out, name));
  const split = await runKubeferry(["split", bundle, "--size", "100kB", "-o", out]);
  assert.equal(split.code, 0, split.err);
  const parts = readdirSync(out)
    .filter((name) => /\.part/.test(name))
    .map((name) => join(out, name));
  const joined = await runKubeferry(["join", ...parts, "-o", bundle]);
  assert.equal(joined.code, 2, joined.err);
  assert.equal((await runKubeferry(["join", ...parts, "-o", bundle, "--force"])).code, 0);
});

test("store list, verify and gc make nothing where there is no store", async () => {
  const none = join(folder, "nonexist");
  for (const command of ["list", "verify", "gc"]) {
    const ran = await runKubeferry(["store", command, "--cache", none]);
    assert.equal(ran.code, 2, ran.err);
    assert.match(ran.err, /there is no store here[\s\S]*nonexist/);
    assert.equal(existsSync(none), false);
  }
});
