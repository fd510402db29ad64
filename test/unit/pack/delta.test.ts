import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openBundle, verifyBundle } from "#bundle";
import { applyDelta, writeDelta } from "../../../builder/pack/delta.ts";
import { pack } from "../../../builder/pack/pack.ts";
import { binaryOf, sampleCluster } from "../../builders/sample-cluster.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-delta-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Two bundles of one cluster: the newer one has another text, the same binary, and the same installer if no other is given. */
async function twoBundles(installer?: string): Promise<{ folder: string; older: string; newer: string }> {
  const folder = mkdtempSync(join(root, "x-"));
  const options = await sampleCluster(folder, { binary: Buffer.concat([binaryOf("a", 4000), randomLike(300_000)]) });
  const older = (await pack({ ...options, output: join(folder, "older.tar") })).path;
  const files = options.rendered.files.map((file) =>
    file.path === "/etc/etcd/shared.conf" ? { ...file, content: "listen: elsewhere\n" } : file,
  );
  const rendered = { ...options.rendered, files };
  if (installer !== undefined) writeFileSync(join(folder, "installers/install-linux-amd64"), installer);
  const newer = (await pack({ ...options, rendered, output: join(folder, "newer.tar") })).path;
  return { folder, older, newer };
}

/** Bytes that do not compress, always the same. */
function randomLike(size: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length: size }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    }),
  );
}

test("a delta leaves out what the older bundle has, and both together are the very bytes of the newer one", async () => {
  const { folder, older, newer } = await twoBundles();
  const { path, saved } = await writeDelta(newer, older, join(folder, "delta.tar"));
  assert.ok(saved > 200_000);
  assert.ok(statSync(path).size < statSync(newer).size - 200_000);
  await applyDelta(path, older, join(folder, "joined.tar"));
  assert.deepEqual(readFileSync(join(folder, "joined.tar")), readFileSync(newer));
});

test("an unchanged installer stays at home, another one travels", async () => {
  const installer = "bin/install-linux-amd64";
  for (const [other, travels] of [
    [undefined, false],
    ["a newer stand-in\n", true],
  ] as const) {
    const { folder, older, newer } = await twoBundles(other);
    const { path } = await writeDelta(newer, older, join(folder, "delta.tar"));
    assert.equal((await openBundle(path)).source.members.has(installer), travels);
    await applyDelta(path, older, join(folder, "joined.tar"));
    assert.deepEqual(readFileSync(join(folder, "joined.tar")), readFileSync(newer));
  }
});

test("an older bundle whose installer is another one is no base", async () => {
  const { folder, older, newer } = await twoBundles();
  const { path } = await writeDelta(newer, older, join(folder, "delta.tar"));
  const { newer: other } = await twoBundles("a newer stand-in\n");
  await assert.rejects(applyDelta(path, other, join(folder, "joined.tar")), {
    code: "MEMBER_MISSING",
    where: "bin/install-linux-amd64",
  });
});

test("a delta alone does not verify, and names each blob and installer that the older bundle has", async () => {
  const { folder, older, newer } = await twoBundles();
  const { path } = await writeDelta(newer, older, join(folder, "delta.tar"));
  const common = [...(await openBundle(newer)).source.members.keys()].filter((name) => /^(blobs|bin)\//.test(name));
  const old = (await openBundle(older)).source.members;
  const problems = await verifyBundle(await openBundle(path));
  assert.deepEqual(
    problems.map(({ code, member }) => `${code} ${member}`).toSorted(),
    common
      .filter((name) => old.has(name))
      .map((name) => `MEMBER_MISSING ${name}`)
      .toSorted(),
  );
});

test("a delta with another older bundle is refused, and nothing is written", async () => {
  const { folder, older, newer } = await twoBundles();
  const { path } = await writeDelta(newer, older, join(folder, "delta.tar"));
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  const other = await pack(await sampleCluster(elsewhere));
  const output = join(folder, "joined.tar");
  await assert.rejects(applyDelta(path, other.path, output), { code: "MEMBER_MISSING" });
  assert.equal(statSync(output, { throwIfNoEntry: false }), undefined);
});
