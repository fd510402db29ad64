/** The archive in real runtimes: containerd and dockerd take it, the digest is the lock's, undo takes it out again. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isExpected } from "#cli/errors";
import { HttpClient } from "../../builder/http/client.ts";
import { type PulledImage, pullImage, resolveImage } from "../../builder/sources/oci/pull.ts";
import { writeImageArchive } from "../../builder/pack/images.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { image, type ImageId } from "../../installer/resources/image.ts";
import { Store } from "../../builder/store/store.ts";
import { writeLayout } from "../builders/image-layout.ts";
import { requirePackages } from "../programs/packages.ts";
import { bringing, seen, takingBack } from "../fakes/states.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-import-"));
const http = new HttpClient();
const store = await Store.open(join(folder, "store"));
const host = createLocalHost({ root: "/", contents: { stage: join(folder, "stage"), before: join(folder, "before") } });
const ctr = ["ctr", "--address", join(folder, "containerd.sock")];
const docker = ["docker", "--host", `unix://${join(folder, "docker.sock")}`];
const name = "registry.example/team/hello:1.0";
const children: ChildProcess[] = [];

before(async () => {
  requirePackages("containerd", "docker.io", "runc");
  await startContainerd();
  await startDocker();
});
after(async () => {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null) continue;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

test("containerd imports the archive under the lock's digest, pins it, and undo removes it", async () => {
  const { spec, pulled } = await packed("1", ctr, "containerd");
  const found = await seen(image, host, spec);
  assert.deepEqual(found, { found: null, pinned: false, identified: false });
  for (const effect of bringing(image, spec, found)) await host.perform(effect);
  const now = await seen(image, host, spec);
  assert.deepEqual(now, { found: `sha256:${pulled.manifest.digest}`, pinned: true, identified: false });
  assert.deepEqual(bringing(image, spec, await seen(image, host, spec)), []);
  for (const layer of pulled.layers) {
    const listed = execFileSync("ctr", [...ctr.slice(1), "-n", "k8s.io", "content", "ls", "-q"], { encoding: "utf8" });
    assert.ok(listed.includes(layer.digest));
  }
  for (const effect of await takingBack(image, host, spec, found)) await host.perform(effect);
  assert.deepEqual(await seen(image, host, spec), found);
  // A second undo, as after a crash, changes nothing and does not fail.
  for (const effect of await takingBack(image, host, spec, found)) await host.perform(effect);
});

test("an image that had the name before has it again after undo, also when the power went in the import", async () => {
  const first = await packed("first", ctr, "containerd");
  await bring(first.spec);
  const second = await packed("second", ctr, "containerd");
  const before = await seen(image, host, second.spec);
  assert.equal(before.found, first.spec.digest);
  // Twice: what a crash left is done again from the start.
  for (const effect of [...bringing(image, second.spec, before), ...bringing(image, second.spec, before)]) {
    await host.perform(effect);
  }
  assert.equal((await seen(image, host, second.spec)).found, second.spec.digest);
  for (const effect of await takingBack(image, host, second.spec, before)) await host.perform(effect);
  assert.equal((await seen(image, host, second.spec)).found, first.spec.digest);
  const names = execFileSync("ctr", [...ctr.slice(1), "-n", "k8s.io", "images", "ls", "-q"], { encoding: "utf8" });
  assert.equal(names.trim(), name);
});

test("an archive that holds another image than the index says is refused after the import", async () => {
  const { spec } = await packed("right", ctr, "containerd");
  const { spec: other } = await packed("wrong", ctr, "containerd");
  const effects = bringing(image, { ...spec, path: other.path }, { found: null, pinned: false });
  await assert.rejects(
    (async () => {
      for (const effect of effects) await host.perform(effect);
    })(),
    (error) => isExpected(error, "APPLY_FAILED") && (error.found ?? "").includes(other.digest),
  );
});

test("docker loads the very same archive under the lock's configuration digest, and undo removes it", async () => {
  const { spec, pulled } = await packed("1", docker, "docker");
  const found = await seen(image, host, spec);
  for (const effect of bringing(image, spec, found)) await host.perform(effect);
  assert.equal((await seen(image, host, spec)).found, `sha256:${pulled.config.digest}`);
  assert.deepEqual(bringing(image, spec, await seen(image, host, spec)), []);
  for (const effect of await takingBack(image, host, spec, found)) await host.perform(effect);
  assert.deepEqual(await seen(image, host, spec), found);
});

async function bring(spec: ImageId): Promise<void> {
  for (const effect of bringing(image, spec, await seen(image, host, spec))) await host.perform(effect);
}

async function packed(
  variant: string,
  client: readonly string[],
  runtime: ImageId["runtime"],
): Promise<{ spec: ImageId; pulled: PulledImage }> {
  const layout = join(folder, `layout-${variant}`);
  const layers = [{ "base.txt": "shared\n" }, { "variant.txt": `${variant}\n` }];
  writeLayout(layout, "1.0", [
    { platform: "linux/amd64", layers },
    { platform: "linux/arm64", layers },
  ]);
  const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
  const locked = await resolveImage(name, platform, { http, store, from: `oci:${layout}:1.0` });
  const pulled = await pullImage(locked, { http, store });
  const { digest } = await writeImageArchive([pulled], store);
  const config = `sha256:${pulled.config.digest}`;
  return {
    pulled,
    spec: { runtime, name, digest: locked.digest, config, path: store.path(digest), client },
  };
}

async function startContainerd(): Promise<void> {
  const config = join(folder, "containerd.toml");
  const path = (below: string): string => JSON.stringify(join(folder, below));
  writeFileSync(
    config,
    `version = 2
root = ${path("containerd")}
state = ${path("containerd-state")}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${path("containerd.sock")}
[plugins."io.containerd.internal.v1.opt"]
path = ${path("opt")}
`,
  );
  children.push(spawn("containerd", ["--config", config, "--log-level", "error"], { stdio: "ignore" }));
  await answering([...ctr, "version"]);
}

async function startDocker(): Promise<void> {
  mkdirSync(join(folder, "docker"));
  const options = {
    host: docker[2] ?? "",
    "data-root": join(folder, "docker"),
    "exec-root": join(folder, "docker-exec"),
    pidfile: join(folder, "docker.pid"),
    containerd: join(folder, "containerd.sock"),
    "storage-driver": "vfs",
    bridge: "none",
    iptables: "false",
    "ip-forward": "false",
    "ip-masq": "false",
    "log-level": "error",
  };
  const config = join(folder, "daemon.json");
  writeFileSync(config, "{}");
  const argv = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  children.push(spawn("dockerd", [...argv, "--config-file", config], { stdio: "ignore" }));
  await answering([...docker, "version"]);
}

async function answering(argv: readonly string[]): Promise<void> {
  const [program = "", ...rest] = argv;
  const child = children.at(-1);
  for (;;) {
    if (child?.exitCode !== null) throw new Error(`the daemon for ${program} ended with ${child?.exitCode}`);
    try {
      execFileSync(program, rest, { stdio: "ignore" });
      return;
    } catch {
      await sleep(200);
    }
  }
}
