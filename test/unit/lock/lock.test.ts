import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestOf } from "#bundle";
import { isExpected } from "#cli/errors";
import { createReporter } from "#cli/reporter";
import { clusterSchema } from "../../../builder/config/cluster.ts";
import { releaseManifest } from "../../../builder/config/release.ts";
import { fetchRelease } from "../../../builder/sources/fetch.ts";
import { Store } from "../../../builder/store/store.ts";
import { diffLocks, encodeLock, readLock, writeLock } from "../../../builder/lock/lock-file.ts";
import type { Lock, LockedArtifact } from "../../../builder/lock/lock.ts";
import { neededComponents } from "../../../builder/lock/needed.ts";
import { resolveLock } from "../../../builder/sources/resolve.ts";
import { checkLock, packagesAsked } from "../../../builder/lock/stale.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-lock-"));
after(() => rmSync(folder, { recursive: true }));
const warned: string[] = [];
const reporter = createReporter({ out: { write: () => true }, err: { write: (text) => warned.push(text) } });

const hex = (digit: string): string => digit.repeat(64);
const artifact: LockedArtifact = {
  component: "etcd",
  version: "3.6",
  platform: "linux/amd64",
  from: "https://example.invalid/etcd.tar.gz",
  resolved: "https://example.invalid/etcd.tar.gz",
  mirrors: [],
  digest: `sha256:${hex("a")}`,
  size: null,
  pinnedBy: "release",
  files: { "x/etcdctl": "etcdctl", "x/etcd": "etcd" },
};
const lock: Lock = {
  version: 1,
  release: "test",
  manifest: hex("b"),
  platforms: ["linux/amd64"],
  locked: "2026-11-21",
  artifacts: [{ ...artifact, component: "zeta" }, artifact],
  images: [],
  packages: [],
  requests: [],
};

function cluster(extra: object = {}) {
  const nodes = [{ name: "n1", ip: "10.0.0.11", roles: ["etcd", "worker"] }];
  return clusterSchema.parse({ name: "t", release: "test", nodes, ...extra });
}

function release(components: object[]) {
  return releaseManifest.parse({
    release: "test",
    description: "x",
    generation: "distro",
    kubernetes: null,
    components,
  });
}

function resolveWith(
  components: object[],
  options: { trustFirstUse?: boolean; offline?: boolean; cache?: string; cluster?: object } = {},
): Promise<Lock> {
  return resolveLock({
    cluster: cluster(options.cluster),
    manifest: release(components),
    manifestDigest: hex("b"),
    now: new Date("2026-11-21T23:00:00Z"),
    cache: options.cache ?? join(folder, "cache"),
    mirrors: [],
    offline: options.offline ?? true,
    trustFirstUse: options.trustFirstUse ?? false,
    reporter,
  });
}

const tool = join(folder, "tool");
writeFileSync(tool, "the tool");
const component = (artifacts: object[], extra: object = {}): object => ({
  name: "tool",
  version: "1",
  roles: ["worker"],
  artifacts,
  ...extra,
});
const plain = { platform: "linux/amd64", from: `file:${tool}`, files: { ".": "tool" } };

test("a lock is written in a stable order, as a whole, and read back", async () => {
  const path = join(folder, "cluster.lock");
  await writeLock(path, lock);
  const text = readFileSync(path, "utf8");
  assert.ok(text.indexOf("component: etcd") < text.indexOf("component: zeta"));
  assert.ok(text.indexOf("x/etcd: etcd") < text.indexOf("x/etcdctl"));
  assert.equal(encodeLock({ ...lock, artifacts: lock.artifacts.toReversed() }), text);
  const read = await readLock(path);
  assert.ok(read !== null);
  assert.equal(encodeLock(read), text);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("cluster.lock.")),
    [],
  );
  assert.equal(await readLock(join(folder, "none.lock")), null);
});

test("what is not a lock is LOCK_INVALID with its place", async () => {
  const path = join(folder, "bad.lock");
  writeFileSync(path, encodeLock(lock).replaceAll(`sha256:${hex("a")}`, "sha256:short"));
  await assert.rejects(readLock(path), (error: { code?: string; message?: string }) => {
    assert.equal(error.code, "LOCK_INVALID");
    assert.match(error.message ?? "", /bad\.lock:\d+:\d+: /);
    return true;
  });
});

const digest = `sha256:${hex("a")}`;
const staleRelease = release([
  component([{ ...plain, digest, from: "https://example.invalid/containerd" }], {
    name: "containerd",
    when: { runtime: "containerd" },
  }),
  component([{ ...plain, digest, from: "https://example.invalid/docker" }], {
    name: "docker",
    when: { runtime: "docker" },
  }),
]);
const fitting: Lock = {
  ...lock,
  artifacts: [
    {
      ...artifact,
      component: "containerd",
      from: "https://example.invalid/containerd",
      resolved: "https://example.invalid/containerd",
    },
  ],
};

/** `WHERE: MESSAGE` of every difference that makes a lock stale; none: it fits. */
async function staleness(held: Lock, extra: object = {}, manifestDigest = hex("b")): Promise<string[]> {
  const target = { cluster: cluster(extra), manifest: staleRelease, digest: manifestDigest };
  const error: unknown = await checkLock(held, target, "x.lock", "x.yaml").then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error === null) return [];
  assert.ok(isExpected(error, "LOCK_STALE"));
  assert.equal(error.hint?.endsWith("kubeferry lock --update x.yaml"), true);
  return error.problems.map(({ where, message }) => `${where}: ${message}`);
}

test("a lock of another release, manifest or platforms is stale, and says all that differs", async () => {
  assert.deepEqual(await staleness(fitting), []);
  assert.deepEqual(await staleness(fitting, { platforms: ["linux/arm64", "linux/amd64"] }, hex("c")), [
    `release manifest: asked for ${hex("c")}, in the lock ${hex("b")}`,
    "platforms: asked for linux/amd64, linux/arm64, in the lock linux/amd64",
  ]);
});

test("edits to runtime, images and packages after a lock was made are each named", async () => {
  assert.deepEqual(await staleness(fitting, { runtime: "docker" }), [
    "docker linux/amd64 https://example.invalid/docker: asked for, not in the lock",
    "containerd linux/amd64 https://example.invalid/containerd: in the lock, no longer asked for",
  ]);
  assert.deepEqual(await staleness(fitting, { images: [{ name: "registry.example/app:1" }] }), [
    "image registry.example/app:1 linux/amd64: asked for, not in the lock",
  ]);
  const image = { ...plain, name: "registry.example/app:1", digest, resolved: digest, pinnedBy: "upstream" as const };
  const { name, platform, pinnedBy } = image;
  const withImage: Lock = {
    ...fitting,
    images: [{ name, platform: platform as "linux/amd64", digest, resolved: digest, pinnedBy }],
  };
  assert.deepEqual(await staleness(withImage, { images: [{ name, from: "oci:./app" }] }), [
    "image registry.example/app:1 linux/amd64: asked for from oci:./app, in the lock",
  ]);
  assert.deepEqual(await staleness(withImage), [
    "image registry.example/app:1 linux/amd64: in the lock, no longer asked for",
  ]);
});

test("edits to packages, their repositories and the content of their base are each named", async () => {
  const base = join(folder, "base.txt");
  writeFileSync(base, "bash 5.2\n");
  const packages = [{ distribution: "debian 12", names: ["socat"], base }];
  const held: Lock = { ...fitting, requests: await packagesAsked(cluster({ packages })) };
  assert.deepEqual(await staleness(held, { packages }), []);
  const repositories = [{ url: "https://mirror.example/debian", suite: "bookworm", components: ["main"] }];
  writeFileSync(base, "bash 5.3\n");
  assert.deepEqual(
    (await staleness(held, { packages: [{ ...packages[0], names: ["conntrack"], repositories }] })).map((line) =>
      line.replaceAll(/sha256:\w+/g, "sha256"),
    ),
    [
      "package conntrack of debian 12: asked for, not in the lock",
      "repositories of debian 12: asked for https://mirror.example/debian bookworm main, in the lock this machine's own sources",
      "base of debian 12: asked for sha256, in the lock sha256",
      "package socat of debian 12: in the lock, no longer asked for",
    ],
  );
});

test("a diff of locks shows what goes and what comes, and nothing but that", () => {
  assert.deepEqual(diffLocks(lock, { ...lock, locked: "2027-01-01", artifacts: lock.artifacts.toReversed() }), []);
  const changed = { ...lock, artifacts: [{ ...artifact, version: "3.7", digest: `sha256:${hex("c")}` }] };
  const lines = diffLocks(lock, changed);
  assert.equal(lines.length, 5);
  assert.match(lines[0] ?? "", /^ {2}artifact etcd linux\/amd64/);
  assert.match(lines[1] ?? "", /^- {3}3\.6, .*aaaa/);
  assert.match(lines[2] ?? "", /^\+ {3}3\.7, .*cccc/);
  assert.match(lines[4] ?? "", /^- /);
});

test("a lock keeps who signed, and a diff says it", async () => {
  const list = "https://example.invalid/SHA256SUMS";
  const signedBy = { fingerprint: "A".repeat(40), name: "Up Stream <up@example>", signed: "2026-11-22", list };
  const signed = { ...lock, artifacts: [{ ...artifact, signedBy }] };
  const path = join(folder, "signed.lock");
  await writeLock(path, signed);
  assert.deepEqual(await readLock(path), signed);
  const [, before = "", after = ""] = diffLocks({ ...lock, artifacts: [artifact] }, signed);
  assert.doesNotMatch(before, /signed/);
  assert.match(after, /pinned by release, signed by A{40} \(Up Stream <up@example>\)/);
});

test("components are those whose role the cluster has and whose condition holds", () => {
  const manifest = release([
    component([plain], { name: "for-masters", roles: ["master"] }),
    component([plain], { name: "for-docker", when: { runtime: "docker" } }),
    component([plain], { name: "for-all" }),
  ]);
  assert.deepEqual(
    neededComponents(cluster(), manifest).map(({ name }) => name),
    ["for-all"],
  );
  assert.deepEqual(
    neededComponents(cluster({ runtime: "docker" }), manifest).map(({ name }) => name),
    ["for-docker", "for-all"],
  );
});

test("a digest of the release is taken, and needs no network", async () => {
  const digest = `sha256:${digestOf("the tool")}`;
  const made = await resolveWith([component([{ ...plain, digest }])]);
  assert.equal(made.locked, "2026-11-21");
  assert.deepEqual(
    made.artifacts.map((one) => [one.digest, one.pinnedBy, one.resolved]),
    [[digest, "operator", `file:${tool}`]],
  );
});

test("artifacts without a digest are all named at once, with how to pin them", async () => {
  const missing = { ...plain, pin: "missing" };
  await assert.rejects(
    resolveWith([component([missing]), component([{ ...missing, from: "https://example.invalid/b" }], { name: "b" })]),
    (error: { code?: string; message?: string; hint?: string }) => {
      assert.equal(error.code, "PIN_MISSING");
      assert.match(error.message ?? "", /tool linux\/amd64[\s\S]*b linux\/amd64[\s\S]*example\.invalid\/b/);
      assert.match(error.hint ?? "", /--trust-first-use/);
      assert.match(error.hint ?? "", /digest: sha256/);
      return true;
    },
  );
});

test("a published checksum file pins, and one that does not name the file does not", async () => {
  const list = join(folder, "SHA256SUMS");
  writeFileSync(list, `${digestOf("other")}  other\n${digestOf("the tool")} *./tool\n`);
  const made = await resolveWith([component([{ ...plain, checksum: `file:${list}` }])]);
  assert.deepEqual(
    made.artifacts.map((one) => [one.digest, one.pinnedBy]),
    // Both lie here: whoever made them vouches for them. Upstream's list is one that is fetched.
    [[`sha256:${digestOf("the tool")}`, "operator"]],
  );
  writeFileSync(list, `${digestOf("other")}  other\n`);
  await assert.rejects(resolveWith([component([{ ...plain, checksum: `file:${list}` }])]), { code: "PIN_MISSING" });
  await assert.rejects(resolveWith([component([{ ...plain, checksum: `file:${list}.none` }])]), {
    code: "PIN_MISSING",
  });
});

test("trust on first use pins what came, names it so, and warns", async () => {
  const cache = join(folder, "trust");
  const made = await resolveWith([component([{ ...plain, pin: "missing" }])], { trustFirstUse: true, cache });
  assert.deepEqual(
    made.artifacts.map((one) => [one.digest, one.size, one.pinnedBy]),
    [[`sha256:${digestOf("the tool")}`, 8, "first-use"]],
  );
  assert.ok(warned.some((text) => text.includes("on trust")));
  const store = await Store.open(cache);
  const [file] = await fetchRelease({ lock: made, store, mirrors: [], offline: true, reporter });
  assert.equal(file?.origin.pinnedBy, "first-use");
});

test("a platform that the release lacks is refused with the release's own reason", async () => {
  const digest = `sha256:${digestOf("the tool")}`;
  const parts = [component([{ ...plain, digest }], { unavailable: { "linux/arm64": "upstream built none" } })];
  await assert.rejects(resolveWith(parts, { cluster: { platforms: ["linux/amd64", "linux/arm64"] } }), {
    code: "PIN_MISSING",
    message: /tool linux\/arm64: upstream built none/,
  });
});

test("packages of the distribution cannot be resolved offline", async () => {
  await assert.rejects(resolveWith([component([{ ...plain, from: "apt:etcd-server" }])]), { code: "OFFLINE" });
});
