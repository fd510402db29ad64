/** A bundle as an OCI artifact: through a real registry by skopeo and back, the same bytes; nothing of a damaged one. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestOf } from "#bundle";
import { writeLayout } from "../builders/image-layout.ts";
import { standInCluster } from "../fakes/stand-in-cluster.ts";
import { type Ran, runKubeferry } from "../programs/command.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-artifact-"));
const path = (name: string): string => join(folder, name);
const bundle = path("plant-7.tar");
const layout = path("plant-7-oci");
let registry: Registry;

before(async () => {
  for (const name of ["cluster", "registry"]) mkdirSync(path(name));
  const { config, store, installers } = await standInCluster(path("cluster"));
  const ran = await runKubeferry(["build", config, ...store, ...installers, "-o", bundle]);
  assert.equal(ran.code, 0, ran.err);
  const exported = await runKubeferry(["export", "oci", bundle, "--out", layout, "--json"]);
  assert.equal(exported.code, 0, exported.err);
  assert.match(exported.out, /"type":"artifact"/);
  registry = await startRegistry(path("registry"));
});
after(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const joined = async (from: string, to: string): Promise<Ran> => await runKubeferry(["join", from, "-o", to]);

test("by skopeo into a registry and back, then joined: the very bundle", async () => {
  const name = `docker://${registry.host}/plant/seven:1`;
  skopeo("copy", "--dest-tls-verify=false", `oci:${layout}`, name);
  skopeo("copy", "--src-tls-verify=false", name, `oci:${path("back")}:1`);
  const ran = await joined(path("back"), path("back.tar"));
  assert.equal(ran.code, 0, ran.err);
  assert.ok(readFileSync(path("back.tar")).equals(readFileSync(bundle)));
});

test("the same bundle gives the same layout, and a folder that is there is left alone", async () => {
  assert.equal((await runKubeferry(["export", "oci", bundle, "--out", path("again")])).code, 0);
  const all = (of: string): string[] => readdirSync(of, { recursive: true, encoding: "utf8" }).toSorted();
  assert.deepEqual(all(path("again")), all(layout));
  assert.equal(
    readFileSync(join(path("again"), "index.json"), "utf8"),
    readFileSync(join(layout, "index.json"), "utf8"),
  );
  const ran = await runKubeferry(["export", "oci", bundle, "--out", layout]);
  assert.deepEqual([ran.code, /error ([A-Z_]+)/.exec(ran.err)?.[1]], [2, "USAGE"]);
});

interface Manifest {
  artifactType?: string;
  layers: { digest: string; annotations: Record<string, string> }[];
}

/** A copy of the layout with another manifest, or with other files. */
function copy(name: string, edit: (manifest: Manifest, blob: (digest: string) => string) => void): string {
  const to = path(name);
  cpSync(layout, to, { recursive: true });
  const blob = (digest: string): string => join(to, "blobs/sha256", digest.replace("sha256:", ""));
  const index = JSON.parse(readFileSync(join(to, "index.json"), "utf8")) as { manifests: { digest: string }[] };
  const [entry] = index.manifests;
  assert.ok(entry);
  const manifest = JSON.parse(readFileSync(blob(entry.digest), "utf8")) as Manifest;
  edit(manifest, blob);
  const bytes = Buffer.from(JSON.stringify(manifest));
  entry.digest = `sha256:${digestOf(bytes)}`;
  writeFileSync(blob(entry.digest), bytes);
  writeFileSync(join(to, "index.json"), JSON.stringify(index));
  return to;
}

const damages: Record<string, [code: string, edit: Parameters<typeof copy>[1]]> = {
  "another byte in a blob": [
    "DIGEST_MISMATCH",
    ({ layers }, blob) => {
      const at = blob(layers.at(-1)?.digest ?? "");
      const bytes = readFileSync(at);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(at, bytes);
    },
  ],
  "a blob less": ["MEMBER_MISSING", ({ layers }, blob) => rmSync(blob(layers.at(-1)?.digest ?? ""))],
  "a member less": ["MEMBER_MISSING", ({ layers }) => void layers.pop()],
  "a path out of the folder": [
    "PATH_ESCAPES",
    ({ layers: [layer] }) => void (layer && (layer.annotations["org.opencontainers.image.title"] = "../escaped")),
  ],
  "another artifact": ["FORMAT_INVALID", (manifest) => void (manifest.artifactType = "application/vnd.example")],
};
for (const [what, [code, edit]] of Object.entries(damages)) {
  test(`${what}: ${code}, and no bundle`, async () => {
    const output = path(`${code}-${what.length}.tar`);
    const ran = await joined(copy(`damaged-${code}-${what.length}`, edit), output);
    assert.deepEqual([ran.code, /error ([A-Z_]+)/.exec(ran.err)?.[1]], [5, code], ran.err);
    assert.ok(!existsSync(output));
  });
}

test("an image is no bundle", async () => {
  const image = path("image");
  writeLayout(image, "1", [{ platform: "linux/amd64", layers: [{ "a.txt": "a\n" }] }]);
  const ran = await joined(image, path("image.tar"));
  assert.deepEqual([ran.code, /error ([A-Z_]+)/.exec(ran.err)?.[1]], [5, "FORMAT_INVALID"], ran.err);
});
