/** A folder with one node's parts alone is enough for that node with --partial, and for nobody without it. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { openBundle, partsOfNode, readMember, verifyBundle } from "#bundle";
import { nodeFiles, writeNodeBundle } from "../../builders/node-bundle.ts";
import { runInstall } from "../../programs/command.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-parts-of-node-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const worker = { node: "n2", roles: ["worker"], platform: "linux/amd64" } as const;

/** The folder of a bundle with these members only. */
async function unpackOnly(tar: string, to: string, members: ReadonlySet<string>): Promise<string> {
  const { source } = await openBundle(tar);
  for (const member of source.members.values()) {
    if (!members.has(member.path)) continue;
    mkdirSync(dirname(join(to, member.path)), { recursive: true });
    writeFileSync(join(to, member.path), readMember(member, 1e9), { mode: member.mode });
  }
  return to;
}

test("a node's parts are the frames it takes a file of, its own secrets, and the installer of its platform", async () => {
  const tar = await writeNodeBundle(join(folder, "bundle.tar"));
  const { index } = await openBundle(tar);
  const [frame = ""] = Object.keys(index.blobs);
  const wide = {
    ...index,
    members: {
      ...index.members,
      "bin/install-linux-amd64": { digest: index.members["install"]?.digest, size: 1, mode: "0755" },
      "bin/install-linux-arm64": { digest: index.members["install"]?.digest, size: 1, mode: "0755" },
    } as typeof index.members,
  };
  const common = ["SHA256SUMS", "bin/install-linux-amd64", "bundle.json", "install"];
  assert.deepEqual([...partsOfNode(wide, worker)].toSorted(), [
    common[0],
    common[1],
    `blobs/sha256/${frame}`,
    ...common.slice(2),
    "secrets/n2.tar",
  ]);
  const none = { ...wide, files: wide.files.filter((file) => file.sensitive) };
  assert.deepEqual([...partsOfNode(none, worker)].toSorted(), [...common, "secrets/n2.tar"]);
});

test("--partial takes the folder for its node; anything of that node that lacks, or is another's, is refused", async () => {
  const tar = await writeNodeBundle(join(folder, "bundle.tar"), { files: nodeFiles });
  const bundle = await openBundle(tar);
  const parts = partsOfNode(bundle.index, worker);
  const carried = await unpackOnly(tar, join(folder, "carried"), parts);
  assert.deepEqual(readdirSync(join(carried, "secrets")), ["n2.tar"]);
  const root = join(folder, "root");
  mkdirSync(root);
  const install = (ip: string, ...more: string[]) =>
    runInstall(["--bundle", carried, "--role", "worker", "--ip", ip, "--root", root, "--dry-run", ...more]);

  const done = await install("10.0.0.12", "--partial");
  assert.equal(done.code, 0, done.err);
  const whole = await install("10.0.0.12");
  assert.equal(whole.code, 5, whole.out);
  assert.match(whole.err, /MEMBER_MISSING[\s\S]*secrets\/n1\.tar/);
  const other = await install("10.0.0.11", "--partial");
  assert.equal(other.code, 5, other.out);
  assert.match(other.err, /MEMBER_MISSING[\s\S]*secrets\/n1\.tar/);

  for (const part of parts) {
    if (["SHA256SUMS", "bundle.json"].includes(part)) continue;
    rmSync(join(carried, part));
    const problems = await verifyBundle(await openBundle(carried), { needed: parts });
    assert.deepEqual(
      problems.filter(({ member }) => member === part).map(({ code }) => code),
      ["MEMBER_MISSING"],
      part,
    );
    await unpackOnly(tar, carried, new Set([part]));
    assert.ok(existsSync(join(carried, part)));
  }
});
