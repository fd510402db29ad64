/** `push-images` against the distribution's own registry: what it gets, what it is not sent twice, and what goes wrong. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer, connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { digestOf, openBundle } from "#bundle";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type ImageBundle, writeImageBundle } from "../builders/image-bundle.ts";
import { makeOwnCa, type OwnCa } from "../builders/own-ca.ts";
import { type Ran, runKubeferry } from "../programs/command.ts";
import { placeHosts, startContainerd } from "../servers/containerd.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";
import { startTokenService } from "../servers/token-service.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-push-images-"));
const path = (name: string): string => join(folder, name);
const user = { name: "pusher", password: "air:gap 1" };
const size = 3_000_000;
const [base, app] = ["quay.example/team/base:1.0", "quay.example/team/app:2.0"] as const;
let images: ImageBundle["images"];
let bundle: string;
let ca: OwnCa;
let closed: Registry;
let plain: Registry;

before(async () => {
  for (const name of ["bundle", "closed", "plain"]) mkdirSync(path(name));
  const shared = { "shared.bin": randomBytes(size) };
  ({ path: bundle, images } = await writeImageBundle(path("bundle"), {
    [base]: [shared],
    [app]: [shared, { "app.txt": "an app\n" }],
    "registry.k8s.io/pause:3.10": [{ "pause.txt": "a pause\n" }],
  }));
  ca = makeOwnCa(path("ca"));
  closed = await startRegistry(path("closed"), { tls: ca.tls, user });
  plain = await startRegistry(path("plain"));
  writeFileSync(path("push.login"), `${user.name}:${user.password}\n`, { mode: 0o600 });
});
after(async () => {
  await closed.stop();
  await plain.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function push(to: string, ...options: string[]): Promise<Ran> {
  return await runKubeferry(["push-images", bundle, "--to", to, "--cache", path("cache"), "--json", ...options]);
}

function records(ran: Ran, type: string): Record<string, unknown>[] {
  const all = ran.out.trimEnd().split("\n");
  return all.map((line) => JSON.parse(line) as Record<string, unknown>).filter((one) => one["type"] === type);
}

const only = (ran: Ran, type: string): Record<string, unknown> => {
  const found = records(ran, type);
  assert.equal(found.length, 1, `${type}: ${ran.out}${ran.err}`);
  return found[0] ?? {};
};

const signedIn = (): string[] => ["--credentials", path("push.login"), "--ca", ca.ca];

test("a dry run asks and sends nothing; then all images come, a shared layer once; a second run sends 0 bytes", async () => {
  const to = `https://${closed.host}`;
  const dry = await push(to, ...signedIn(), "--dry-run");
  assert.equal(dry.code, 0, dry.err);
  const first = await push(to, ...signedIn());
  assert.equal(first.code, 0, first.err);
  assert.deepEqual(
    records(first, "image").map(({ image, digest }) => [image, digest]),
    images.map(({ name, digest }) => [name, digest]).toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
  );
  const { bytes, lacking } = only(first, "images-pushed");
  assert.equal(lacking, images.length);
  assert.deepEqual([only(dry, "images-pushed")["bytes"], only(dry, "images-pushed")["lacking"]], [bytes, lacking]);
  assert.ok(Number(bytes) > size && Number(bytes) < 2 * size, `${String(bytes)} bytes for a layer of ${size}`);
  for (const { name, digest } of images) {
    const at = `docker://${closed.host}/${name.slice(name.indexOf("/") + 1)}`;
    const credentials = `--creds=${user.name}:${user.password}`;
    const raw = skopeo("inspect", "--raw", "--tls-verify=false", credentials, at);
    assert.equal(`sha256:${digestOf(raw)}`, digest);
  }
  skopeo(
    "copy",
    "--src-tls-verify=false",
    `--src-creds=${user.name}:${user.password}`,
    `docker://${closed.host}/team/app:2.0`,
    `oci:${path("pulled")}:2.0`,
  );
  const second = await push(to, ...signedIn());
  assert.deepEqual([only(second, "images-pushed")["bytes"], only(second, "images-pushed")["lacking"]], [0, 0]);
  assert.ok(records(second, "image").every(({ state }) => state === "there"));
});

test("what it prints for cluster.yaml names every registry of the images, the CA, and never the password", async () => {
  const ran = await push(`https://${closed.host}`, ...signedIn());
  const snippet = ran.err.slice(ran.err.indexOf("registries:"));
  const { registries } = parse(snippet) as { registries: Record<string, Record<string, unknown>> };
  assert.deepEqual(registries, only(ran, "images-pushed")["registries"]);
  assert.deepEqual(registries["quay.example"], { mirrors: [`https://${closed.host}`] });
  assert.deepEqual(registries["registry.k8s.io"], { mirrors: [`https://${closed.host}`] });
  assert.deepEqual(registries[closed.host], { ca: ca.ca, credentials: "pull.login" });
  assert.ok(!`${ran.out}${ran.err}`.includes(user.password));
});

test("below a prefix; a tag that led elsewhere is replaced, and that is told", async () => {
  const first = await push(`${plain.host}/plant/seven`);
  assert.equal(first.code, 0, first.err);
  const at = `${plain.host}/plant/seven/${base.slice(base.indexOf("/") + 1)}`;
  const digest = records(first, "image").find(({ image }) => image === base)?.["digest"];
  skopeo("copy", "--dest-tls-verify=false", `oci:${path("bundle/layout-1")}:1`, `docker://${at}`);
  const second = await push(`${plain.host}/plant/seven`);
  const replaced = records(second, "image").filter((one) => one["replaced"] !== null);
  assert.deepEqual(
    replaced.map(({ image, to, digest: now }) => [image, to, now]),
    [[base, at, digest]],
  );
  assert.equal(only(second, "images-pushed")["lacking"], 1);
});

test("two platforms under one name, below a prefix: containerd pulls by upstream's name with the `registries:` printed", async () => {
  mkdirSync(path("platforms"));
  const name = "quay.example/team/both:1.0";
  const both = await writeImageBundle(path("platforms"), { [name]: [{ "a.txt": "a\n" }] }, [
    "linux/amd64",
    "linux/arm64",
  ]);
  const ran = await runKubeferry([
    ...["push-images", both.path, "--to", `${plain.host}/plant/eight`, "--cache", path("cache"), "--json"],
  ]);
  assert.equal(ran.code, 0, ran.err);
  for (const { digest, for: to } of both.images) {
    const [, architecture = ""] = to.platforms?.[0]?.split("/") ?? [];
    const copy = `oci:${path(`both-${architecture}`)}:1`;
    const from = `docker://${plain.host}/plant/eight/team/both:1.0`;
    skopeo(`--override-arch=${architecture}`, "copy", "--src-tls-verify=false", from, copy);
    assert.equal(`sha256:${digestOf(skopeo("inspect", "--raw", copy))}`, digest);
  }
  const registries = only(ran, "images-pushed")["registries"];
  assert.deepEqual(registries, { "quay.example": { mirrors: [`http://${plain.host}/v2/plant/eight`] } });
  const cluster = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-single-node/cluster.yaml"), "utf8");
  const config = await fixtureCluster(`${cluster}registries: ${JSON.stringify(registries)}\n`);
  const containerd = await startContainerd(folder);
  try {
    const hosts = placeHosts(renderFixture(config), "n1", path("hosts"));
    assert.deepEqual(containerd.pull(hosts, name), { code: 0, said: "" });
  } finally {
    await containerd.stop();
  }
});

test("a connection that is cut: the blob is sent again; what was whole is not", async () => {
  // The first upload of the large layer is cut in its middle.
  const once = await throughCuts([1_500_000]);
  const ran = await push(`${once.host}/cut-once`);
  once.close();
  assert.equal(ran.code, 0, ran.err);
  assert.match(
    records(ran, "warning")
      .map(({ message }) => message)
      .join(),
    /transfer failed/,
  );
  const always = await throughCuts([1_500_000, 1_500_000, 1_500_000, 1_500_000, 1_500_000, 1_500_000]);
  const failed = await push(`${always.host}/cut-always`);
  always.close();
  assert.equal(failed.code, 4, failed.err);
  assert.deepEqual([only(failed, "error")["code"], only(failed, "error")["exitCode"]], ["UNREACHABLE", 4]);
  const came = records(failed, "image").filter(({ state }) => state === "sent");
  const then = await push(`${plain.host}/cut-always`);
  assert.equal(then.code, 0, then.err);
  const there = records(then, "image").filter(({ state }) => state === "there");
  assert.deepEqual(
    there.map(({ image }) => image),
    came.map(({ image }) => image),
  );
});

test("a wrong password, none, a file that others may read, a CA that is not trusted: each is told with what to do", async () => {
  const to = `https://${closed.host}`;
  writeFileSync(path("wrong.login"), `${user.name}:another\n`, { mode: 0o600 });
  writeFileSync(path("open.login"), `${user.name}:${user.password}\n`, { mode: 0o644 });
  const said = async (...options: string[]): Promise<unknown[]> => {
    const ran = await push(to, ...options);
    assert.ok(!`${ran.out}${ran.err}`.includes(user.password));
    const { code, message, where, hint } = only(ran, "error");
    assert.ok(String(where).startsWith(to) || String(where).startsWith(folder), String(where));
    return [ran.code, code, message, hint];
  };
  const credentials = "--credentials FILE, of mode 0600, with one line user:password";
  assert.deepEqual(await said("--credentials", path("wrong.login"), "--ca", ca.ca), [
    4,
    "UNAUTHORIZED",
    "the registry refuses the credentials (401)",
    credentials,
  ]);
  assert.deepEqual(await said("--ca", ca.ca), [
    4,
    "UNAUTHORIZED",
    "the registry wants credentials and there are none for it",
    credentials,
  ]);
  assert.deepEqual((await said("--credentials", path("open.login"), "--ca", ca.ca)).slice(0, 2), [6, "DENIED"]);
  const [code, name, message, hint] = await said("--credentials", path("push.login"));
  assert.deepEqual([code, name], [4, "UNREACHABLE"]);
  assert.match(String(message), /certificate is not trusted/);
  assert.match(String(hint), /--ca FILE/);
});

test("TLS where there is none, and none where there is: what to do", async () => {
  for (const [to, message, next] of [
    [`https://${plain.host}`, /^the server does not speak TLS$/, /^http:\/\/ instead of https/],
    [`http://${closed.host}`, /^the registry answered 400$/, /^https:\/\/ instead of http/],
  ] as const) {
    const { code, message: said, hint } = only(await push(to), "error");
    assert.equal(code, "UNREACHABLE", to);
    assert.match(String(said), message);
    assert.match(String(hint), next);
  }
});

test("a registry with a token service: a token for each thing to do, and none for who may only pull", async () => {
  mkdirSync(path("tokens"));
  const service = await startTokenService(ca, { "pusher:push": ["pull", "push"], "puller:pull": ["pull"] });
  const registry = await startRegistry(path("tokens"), { tokens: service });
  try {
    for (const [login, code, name] of [
      ["puller:pull", 4, "UNAUTHORIZED"],
      ["pusher:wrong", 4, "UNAUTHORIZED"],
      ["pusher:push", 0, undefined],
    ] as const) {
      writeFileSync(path("token.login"), login, { mode: 0o600 });
      const ran = await push(registry.host, "--credentials", path("token.login"));
      assert.deepEqual([ran.code, records(ran, "error")[0]?.["code"]], [code, name], ran.err);
    }
    // The registry names the actions of a scope in any order.
    const pushes = service.asked.flatMap((scope) => /^repository:(.+):(?:pull,push|push,pull)$/.exec(scope)?.[1] ?? []);
    assert.deepEqual([...new Set(pushes)].toSorted(), ["pause", "team/app", "team/base"]);
  } finally {
    await registry.stop();
    service.stop();
  }
});

test(
  "a registry whose disk is full is told as that, and goes on where it was when there is room",
  { skip: process.getuid?.() !== 0 },
  async () => {
    const small = path("small");
    mkdirSync(join(small, "registry"), { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", join(small, "registry")]);
    let registry = await startRegistry(small);
    try {
      const ran = await push(registry.host);
      const { code, message, hint } = only(ran, "error");
      assert.deepEqual([ran.code, code, message], [6, "NO_SPACE", "the registry has no space left"]);
      assert.match(String(hint), /make room .* run this again/);
      execFileSync("mount", ["-o", "remount,size=64m", join(small, "registry")]);
      const then = await push(registry.host);
      assert.equal(then.code, 0, then.err);
    } finally {
      await registry.stop();
      execFileSync("umount", [join(small, "registry")]);
    }
  },
);

test("a damaged bundle pushes nothing", async () => {
  const other = path("damaged.tar");
  copyFileSync(bundle, other);
  const { source, index } = await openBundle(bundle);
  const largest = Object.entries(index.blobs).toSorted(([, a], [, b]) => b.size - a.size)[0]?.[0] ?? "";
  const at = (source.members.get(`blobs/sha256/${largest}`)?.offset ?? 0) + 1000;
  const fd = openSync(other, "r+");
  writeSync(fd, "damaged", at);
  closeSync(fd);
  const argv = ["push-images", other, "--to", `${plain.host}/damaged`, "--cache", path("fresh"), "--json"];
  const ran = await runKubeferry(argv);
  assert.deepEqual([ran.code, only(ran, "error")["code"]], [5, "DIGEST_MISMATCH"]);
  assert.deepEqual(records(ran, "image"), []);
});

test("where it shall go must be a registry's name", async () => {
  for (const to of ["", "plant", "registry.plant.local/Team", "https://", "a b.c"]) {
    const ran = await push(to);
    assert.deepEqual([ran.code, only(ran, "error")["code"]], [2, "USAGE"], to);
  }
});

/** The plain registry behind a wire that ends, once for each number, behind so many bytes to it. */
async function throughCuts(cuts: number[]): Promise<{ host: string; close(): void }> {
  const [name = "", port = ""] = plain.host.split(":");
  const server = createServer((client) => {
    const upstream = connect(Number(port), name);
    let passed = 0;
    client.on("data", (chunk: Buffer) => {
      passed += chunk.length;
      const limit = cuts[0];
      if (limit !== undefined && passed > limit) {
        cuts.shift();
        client.resetAndDestroy();
        upstream.destroy();
      } else upstream.write(chunk);
    });
    upstream.pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
