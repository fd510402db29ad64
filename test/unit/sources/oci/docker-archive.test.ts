import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Header } from "tar/header";
import { type Digest, digestOf } from "#bundle";
import { isExpected } from "#cli/errors";
import { HttpClient } from "../../../../builder/http/client.ts";
import { pullImage, resolveImage } from "../../../../builder/sources/oci/pull.ts";
import { Store } from "../../../../builder/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-archive-"));
const http = new HttpClient();
after(() => rmSync(folder, { recursive: true }));

interface Member {
  readonly path: string;
  readonly content?: string;
  readonly link?: string;
}

const layer = "the bytes of a layer";
const config = JSON.stringify({
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: [`sha256:${digestOf(layer)}`] },
});
const manifest = JSON.stringify([{ Config: "config.json", RepoTags: ["x.io/a:1"], Layers: ["one/layer.tar"] }]);
const good: Member[] = [
  { path: "one/layer.tar", content: layer },
  { path: "config.json", content: config },
  { path: "manifest.json", content: manifest },
];

function archive(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ path, content = "", link }) => {
    const block = Buffer.alloc(512);
    const type = link === undefined ? "File" : "SymbolicLink";
    const size = Buffer.byteLength(content);
    new Header({ path, size, mode: 0o644, type, ...(link === undefined ? {} : { linkpath: link }) }).encode(block);
    return [block, Buffer.from(content), Buffer.alloc((512 - (size % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

async function pull(bytes: Buffer, name = "x.io/a:1"): Promise<Digest> {
  const file = join(folder, "saved.tar");
  writeFileSync(file, bytes);
  const store = await Store.open(mkdtempSync(join(folder, "store-")));
  const locked = await resolveImage(name, "linux/amd64", { http, store, from: `docker-archive:${file}` });
  return (await pullImage(locked, { http, store })).config.digest;
}

test("an archive of docker save is read, its layers checked against the configuration", async () => {
  assert.equal(await pull(archive(good)), digestOf(config));
});

test("a layer that is a link to another, as old versions of docker write it, is followed within the archive", async () => {
  const members = good.map((one) =>
    one.path === "one/layer.tar" ? { path: one.path, link: "../two/layer.tar" } : one,
  );
  assert.equal(await pull(archive([{ path: "two/layer.tar", content: layer }, ...members])), digestOf(config));
});

test("hostile archives are refused, each by its own code", async () => {
  const replace = (path: string, content: string): Member[] =>
    good.map((one) => (one.path === path ? { ...one, content } : one));
  const rows: [string, Buffer, string][] = [
    ["another layer of the same length", archive(replace("one/layer.tar", "THE BYTES OF A LAYER")), "DIGEST_MISMATCH"],
    [
      "a configuration of another machine",
      archive(replace("config.json", config.replace("amd64", "arm64"))),
      "PLATFORM_MISMATCH",
    ],
    ["a configuration without layers", archive(replace("config.json", "{}")), "FORMAT_INVALID"],
    ["a list of images that is not JSON", archive(replace("manifest.json", "[")), "FORMAT_INVALID"],
    ["a list of no image", archive(replace("manifest.json", "[]")), "NOT_FOUND"],
    [
      "a layer outside the archive",
      archive(replace("manifest.json", manifest.replace("one/layer.tar", "../../etc/passwd"))),
      "MEMBER_MISSING",
    ],
    [
      "more layers than the configuration",
      archive(replace("manifest.json", manifest.replace('"one/', '"one/layer.tar","one/'))),
      "FORMAT_INVALID",
    ],
    ["no list of images", archive(good.slice(0, 2)), "MEMBER_MISSING"],
    ["a member that leaves the archive", archive([{ path: "../evil", content: "x" }, ...good]), "PATH_ESCAPES"],
    ["an absolute member", archive([{ path: "/etc/evil", content: "x" }, ...good]), "PATH_ESCAPES"],
    ["a member twice", archive([...good, ...good.slice(0, 1)]), "MEMBER_DUPLICATE"],
    ["a cut archive", archive(good).subarray(0, 700), "TRUNCATED"],
    ["bytes that are no tar", Buffer.alloc(2048, 7), "ARCHIVE_INVALID"],
  ];
  for (const [name, bytes, code] of rows) {
    await assert.rejects(pull(bytes), (error) => {
      assert.ok(isExpected(error), `${name}: ${String(error)}`);
      assert.equal(error.code, code, `${name}: ${error.message}`);
      return true;
    });
  }
});

test("of several images the one with the name is taken, and a name that none has is refused", async () => {
  const two = JSON.stringify([{ Config: "nothing", RepoTags: ["x.io/b:1"], Layers: [] }, ...JSON.parse(manifest)]);
  const members = good.map((one) => (one.path === "manifest.json" ? { ...one, content: two } : one));
  assert.equal(await pull(archive(members)), digestOf(config));
  await assert.rejects(pull(archive(members), "x.io/c:1"), (error) => isExpected(error, "NOT_FOUND"));
});
