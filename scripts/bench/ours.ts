/**
 * One piece of ours in a process of its own, called by bench.ts: `ours.ts <what> <arguments>` prints the seconds that it
 * took and the peak of its memory. Loading its own code is not part of it: `start` tells what that takes.
 */
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Digest, digestFile, openBundle, verifyBundle, writeTar } from "#bundle";
import { createReporter } from "#cli/reporter";
import { fetchRelease } from "../../builder/sources/fetch.ts";
import { HttpClient } from "../../builder/http/client.ts";
import { Store } from "../../builder/store/store.ts";
import type { LockedArtifact } from "../../builder/lock/lock.ts";
import { loadClusterAndRelease } from "../../builder/config/load.ts";
import { topology } from "../../builder/config/topology.ts";
import { openPki } from "../../builder/pki/authority.ts";
import { pullImage, resolveImage } from "../../builder/sources/oci/pull.ts";
import { compressGroups } from "../../builder/pack/compress.ts";
import { type Content, inFrames } from "../../builder/pack/groups.ts";
import { filesBelow } from "./material.ts";

const nowhere = { write: () => true };
const reporter = createReporter({ out: nowhere, err: nowhere });
type Work = () => Promise<void>;

/** Every content of a bundle into files, verified and durable. */
async function extract(where: string, folder: string): Promise<Work> {
  const bundle = await openBundle(where);
  const wanted = new Set(Object.keys(bundle.index.contents) as Digest[]);
  return () => bundle.extract(wanted, (digest) => join(folder, digest));
}

/** Every byte of a bundle; with a second word also what the frames hold. */
async function verify(where: string, contents?: string): Promise<Work> {
  return async () => {
    const problems = await verifyBundle(await openBundle(where), { contents: contents !== undefined });
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
  };
}

/** Frames of a folder's folders, each a group as a component is, and the tar of them. */
async function pack(folder: string, storeFolder: string, output: string): Promise<Work> {
  const store = await Store.open(storeFolder);
  const groups = new Map<string, Content[]>();
  for (const path of filesBelow(folder)) {
    const content = digestFile(join(folder, path));
    const place = store.path(content.digest);
    mkdirSync(dirname(place), { recursive: true });
    if (!existsSync(place)) symlinkSync(join(folder, path), place);
    groups.set(dirname(path), [...(groups.get(dirname(path)) ?? []), content]);
  }
  const named = [...groups].flatMap(([name, contents]) => inFrames(name, contents));
  return async () => {
    const frames = await compressGroups(named, { store, level: 3, reporter });
    const member = (digest: Digest, size: number) => ({
      path: digest,
      mode: 0o644,
      file: store.path(digest),
      size,
      digest,
    });
    writeTar(
      output,
      frames.map(({ digest, size }) => member(digest, size)),
    );
  };
}

/** Every `suffix` file of a folder, from where `base` serves that folder, into a new store; `members` of each are taken. */
async function fetch(
  base: string,
  folder: string,
  storeFolder: string,
  suffix: string,
  members: string,
): Promise<Work> {
  const store = await Store.open(storeFolder);
  const artifacts = filesBelow(folder)
    .filter((name) => name.endsWith(suffix))
    .map((name): LockedArtifact => {
      const { digest, size } = digestFile(join(folder, name));
      const patterns = members.replaceAll("%", name.slice(0, -suffix.length)).split(",");
      const url = `${base}/${name}`;
      return {
        component: name,
        version: "1",
        platform: "linux/amd64",
        from: url,
        resolved: url,
        mirrors: [],
        digest: `sha256:${digest}`,
        size,
        pinnedBy: "release",
        files: Object.fromEntries(patterns.map((pattern) => [pattern, pattern.endsWith("*") ? "*" : pattern])),
      };
    });
  const empty = { manifest: "", locked: "2026-01-01", images: [], packages: [], requests: [] };
  const lock = { version: 1 as const, release: "bench", platforms: ["linux/amd64" as const], ...empty, artifacts };
  return async () => void (await fetchRelease({ lock, store, mirrors: [], offline: false, reporter }));
}

/** An image of a layout, every blob of it verified, into a new store. */
async function image(layout: string, storeFolder: string): Promise<Work> {
  const store = await Store.open(storeFolder);
  const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
  const options = { from: `oci:${layout}:large`, mirrors: {}, store, http: new HttpClient() };
  return async () => void (await pullImage(await resolveImage("example.test/large:large", platform, options), options));
}

/** All keys and certificates of a cluster, into a new folder. */
async function certificates(config: string, folder: string): Promise<Work> {
  const { cluster, manifest } = await loadClusterAndRelease(config);
  return async () => void (await openPki(folder, topology(cluster, manifest), new Date()));
}

const kinds: Readonly<Record<string, (...words: string[]) => Promise<Work>>> = {
  extract,
  verify,
  pack,
  fetch,
  image,
  certificates,
};
void (async () => {
  const [what = "", ...words] = process.argv.slice(2);
  const work = await kinds[what]?.(...words);
  const from = performance.now();
  await work?.();
  const seconds = (performance.now() - from) / 1000;
  process.stdout.write(JSON.stringify({ seconds, memory: process.resourceUsage().maxRSS * 1024 }));
})();
