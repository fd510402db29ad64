/**
 * The bundles of a road as an operator makes them: one command, cut short by kill -9 and given again, for a cluster that runs
 * already. Each is verified by its own ./install, and a host goes along. Programs of Kubernetes are stand-ins.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { digestFile } from "#bundle";
import { type RoadRecord, roadSchema } from "../../builder/road/record.ts";
import { dist, ensureBuilt } from "../builders/dist.ts";
import { writeStandInRelease } from "../fakes/stand-in-release.ts";
import { recordsOf } from "../programs/json-lines.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-upgrade-road-"));
const road = join(folder, "road");
const main = join(import.meta.dirname, "../../builder/main.ts");
const patches = ["1.22.17", "1.23.17", "1.24.17"] as const;
const network = ["--offline", "--cache", join(folder, "store"), "--installers", dist];
const line = ["plan-upgrade", "cluster.yaml", "--to", "1.24", "-o", "road", "--base", "base.tar", ...network, "--json"];

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(program: string, argv: readonly string[]): Ran {
  const ran = spawnSync(program, argv, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  return { code: ran.status, out: ran.stdout, err: ran.stderr };
}

function succeed(program: string, argv: readonly string[]): string {
  const { code, out, err } = run(program, argv);
  assert.equal(code, 0, `${program} ${argv.join(" ")}\n${out}${err}`);
  return out;
}

/** `1.22 kept` for each step. */
function statesOf(out: string): string[] {
  return recordsOf(out, 0).flatMap((one) => (one.type === "road-bundle" ? [`${one.to} ${one.state}`] : []));
}

const listed = (): RoadRecord => roadSchema.parse(JSON.parse(readFileSync(join(road, "road.json"), "utf8")));
const bundleOf = (patch: string): string => join(road, `plant-7-kubernetes-${patch}.tar`);
const names = (): string[] => readdirSync(folder, { recursive: true }).map(String).toSorted();

before(async () => {
  ensureBuilt();
  const releases = new Map<string, string>();
  for (const minor of ["1.21", "1.22", "1.23", "1.24"]) {
    mkdirSync(join(folder, minor));
    releases.set(
      minor,
      await writeStandInRelease(join(folder, minor), `kubernetes-${minor}`, { platform: "linux/amd64" }),
    );
    if (minor !== "1.21") line.push("--release", releases.get(minor) ?? "");
  }
  writeFileSync(
    join(folder, "cluster.yaml"),
    `name: plant-7
release: ${releases.get("1.21")}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
network: { plugin: calico }
certificates: { algorithm: ECDSA-P256 }
host: { provides: [/bin/sh] }
`,
  );
  succeed(process.execPath, [main, "build", "cluster.yaml", "-o", "base.tar", ...network]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The road, killed as soon as `is` says so. */
async function killedWhen(is: () => boolean): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [main, ...line], { cwd: folder, stdio: "ignore" });
  const ended = once(child, "close");
  while (child.exitCode === null && !is()) await sleep(2);
  child.kill("SIGKILL");
  assert.deepEqual(await ended, [null, "SIGKILL"], "it ended before it could be killed");
}

test("the dry run tells what is then made, also after kill -9, and makes nothing itself", async () => {
  const there = names();
  const foretold = succeed(process.execPath, [main, ...line, "--dry-run"]);
  assert.deepEqual(statesOf(foretold), ["1.22 to-make", "1.23 to-make", "1.24 to-make"]);
  assert.deepEqual(names(), there);

  const partial = /^\.plant-7-kubernetes-1\.2[34]\.17\.tar\.[0-9a-f]{8}\.partial$/;
  await killedWhen(() => existsSync(road) && readdirSync(road).some((name) => partial.test(name)));
  assert.ok(readdirSync(road).some((name) => partial.test(name)));
  const first = statSync(bundleOf("1.22.17")).mtimeMs;

  const again = statesOf(succeed(process.execPath, [main, ...line, "--dry-run"]));
  assert.deepEqual([again[0], again[2]], ["1.22 kept", "1.24 to-make"]);
  const out = succeed(process.execPath, [main, ...line]);
  assert.deepEqual(
    statesOf(out),
    again.map((one) => one.replace("to-make", "made")),
  );
  assert.equal(statSync(bundleOf("1.22.17")).mtimeMs, first);
  assert.deepEqual(
    readdirSync(road).toSorted(),
    [...patches.flatMap((patch) => [".lock", ".tar", ".tar.delta"].map((end) => `plant-7-kubernetes-${patch}${end}`))]
      .concat("road.json", "road.txt")
      .toSorted(),
  );
});

test("road.json and road.txt name each bundle in its order with its digest, and a delta gives the bundle", () => {
  const { steps } = listed();
  const text = readFileSync(join(road, "road.txt"), "utf8");
  let [at, base] = [0, join(folder, "base.tar")];
  for (const { bundle, made, delta, from, to } of steps) {
    const { digest } = digestFile(join(road, bundle));
    assert.deepEqual([made?.digest, delta?.base], [digest, digestFile(base).digest]);
    assert.ok(text.indexOf(`${from} → ${to}`) > at);
    at = text.indexOf(digest);
    assert.ok(at > 0);
    base = join(road, bundle);
  }
  const [first] = steps;
  const joined = join(folder, "joined.tar");
  const delta = join(road, first?.delta?.name ?? "");
  succeed(process.execPath, [main, "join", delta, "--base", join(folder, "base.tar"), "-o", joined]);
  assert.equal(digestFile(joined).digest, first?.made?.digest);
  assert.match(text, /1\.21 → 1\.22[^]*needs: a snapshot of etcd[^]*ends: networking\.k8s\.io\/v1beta1 Ingress/);
});

test("a step whose bundle is damaged is made anew, and only that", () => {
  const damaged = bundleOf("1.23.17");
  const bytes = readFileSync(damaged);
  bytes[bytes.length - 2000] = (bytes[bytes.length - 2000] ?? 0) ^ 1;
  writeFileSync(damaged, bytes);
  const out = succeed(process.execPath, [main, ...line]);
  assert.deepEqual(statesOf(out), ["1.22 kept", "1.23 made", "1.24 kept"]);
  assert.match(out, /its file is damaged/);
  assert.equal(listed().steps[2]?.delta?.base, digestFile(damaged).digest);
});

test("each bundle passes its own ./install verify, and a host goes from one to the next with its CA", () => {
  const root = join(folder, "root");
  mkdirSync(join(root, "var/lib"), { recursive: true });
  const key = ["--root", root, "--key", join(folder, "plant-7.keys/n1.key"), "--yes"];
  const unpack = (bundle: string): string => {
    const place = join(folder, "unpacked");
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
    succeed("tar", ["-xf", bundle, "-C", place]);
    succeed(join(place, "install"), ["verify"]);
    return join(place, "install");
  };
  succeed(unpack(join(folder, "base.tar")), ["apply", "--role", "etcd,master,worker", "--ip", "10.0.0.11", ...key]);
  const ca = readFileSync(join(root, "etc/kubernetes/cert/ca.pem"), "utf8");
  for (const patch of patches) {
    const install = unpack(bundleOf(patch));
    succeed(install, ["upgrade", ...key]);
    assert.match(succeed(install, ["status", "--root", root]), new RegExp(`kubernetes-${patch.slice(0, 4)}`));
    assert.equal(readFileSync(join(root, "etc/kubernetes/pki/ca.pem"), "utf8"), ca);
  }
  succeed(join(folder, "unpacked/install"), ["audit", "--root", root]);
});

test("what was changed is made anew, and what is none of the road's is not overwritten", () => {
  const own = readFileSync(join(folder, "cluster.yaml"), "utf8");
  writeFileSync(join(folder, "cluster-1.24.yaml"), `${own}flags: { kubelet: { max-pods: 90 } }\n`);
  const changed = succeed(process.execPath, [main, ...line, "--dry-run"]);
  assert.deepEqual(statesOf(changed), ["1.22 kept", "1.23 kept", "1.24 to-make"]);

  rmSync(join(road, "road.json"));
  const foreign = run(process.execPath, [main, ...line]);
  assert.equal(foreign.code, 2, foreign.out);
  assert.match(foreign.err, /none of the road's, and would be overwritten/);
});
