/** The whole road as an operator types it, with the executables of `npm run build` and the distribution's real packages. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
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
import { digestFile } from "#bundle";
import { ensureBuilt, kubeferry } from "../builders/dist.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-road-"));
const config = join(folder, "cluster.yaml");
const bundle = join(folder, "road.tar");
const unpacked = join(folder, "unpacked");
const install = join(unpacked, "install");
const cluster = `name: road
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
  - { name: n2, ip: 10.0.0.12, roles: [etcd, worker] }
  - { name: n3, ip: 10.0.0.13, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Ran {
  const env = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/root", ...options.env };
  const result = spawnSync(program, args, { ...options, env, encoding: "utf8", maxBuffer: 1 << 28 });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

function succeed(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Ran {
  const ran = run(program, args, options);
  assert.equal(ran.code, 0, `${program} ${args.join(" ")}\n${ran.out}${ran.err}`);
  return ran;
}

before(() => {
  ensureBuilt();
  writeFileSync(config, cluster);
  succeed(kubeferry, ["build", config, "-o", bundle]);
  mkdirSync(unpacked);
  succeed("tar", ["-xf", bundle, "-C", unpacked]);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("GNU tar unpacks it, sha256sum -c passes, and so does kubeferry verify on tar and folder", () => {
  succeed("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: unpacked });
  for (const where of [bundle, unpacked])
    assert.match(succeed(kubeferry, ["verify", where]).out, /are what they should be/);
});

test("a flipped byte in any member is found by sha256sum and by kubeferry verify, which names it", () => {
  const members = readdirSync(unpacked, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(unpacked.length + 1));
  assert.ok(members.length > 10, members.join(" "));
  for (const member of members) {
    const path = join(unpacked, member);
    const bytes = readFileSync(path);
    const at = Math.floor(bytes.length / 2);
    const original = bytes[at] ?? 0;
    bytes[at] = original ^ 1;
    writeFileSync(path, bytes);
    const sums = run("sha256sum", ["--check", "--strict", "--status", "SHA256SUMS"], { cwd: unpacked });
    const verify = run(kubeferry, ["verify", unpacked]);
    bytes[at] = original;
    writeFileSync(path, bytes);
    assert.notEqual(sums.code, 0, member);
    assert.equal(verify.code, 5, `${member}\n${verify.out}${verify.err}`);
    if (member === "SHA256SUMS") continue;
    assert.ok(verify.err.includes(member), `${member} is not named:\n${verify.err}`);
    assert.match(verify.err, /expected: \S+[\s\S]*found: \S+/);
  }
  succeed(kubeferry, ["verify", unpacked]);
});

test("one lock and one PKI give the same bytes in another folder, time zone, umask, store and order of files", () => {
  const build = (name: string, shell: string, cache: string, env: Record<string, string>): string => {
    const place = join(folder, name);
    mkdirSync(place);
    copyFileSync(config, join(place, "cluster.yaml"));
    copyFileSync(join(folder, "cluster.lock"), join(place, "cluster.lock"));
    // Copied in reverse, so that the folder's own order differs.
    mkdirSync(join(place, "road.pki"), { mode: 0o700 });
    const names = readdirSync(join(folder, "road.pki")).toSorted();
    for (const one of name === "a" ? names : names.toReversed()) {
      cpSync(join(folder, "road.pki", one), join(place, "road.pki", one), { recursive: true });
    }
    const line = `${shell}; exec "$0" build cluster.yaml -o out.tar --plaintext-secrets --cache "$1"`;
    succeed("sh", ["-c", line, kubeferry, cache], { cwd: place, env });
    return digestFile(join(place, "out.tar")).digest;
  };
  const usual = join(process.env["HOME"] ?? "/root", ".cache/kubeferry");
  const one = build("a", "umask 022", usual, { TZ: "UTC", LC_ALL: "C" });
  const other = build("b", "umask 077", join(folder, "cache"), { TZ: "Pacific/Auckland", LC_ALL: "C.UTF-8" });
  assert.equal(one, other);
});

test("--dry-run prints exactly the effects that the same line performs, and changes nothing", () => {
  const root = join(folder, "root");
  mkdirSync(root);
  const before = statSync(root).mtimeMs;
  const line = ["--role", "worker", "--ip", "10.0.0.9", "--root", root, "--key", join(folder, "road.keys"), "--json"];
  const effects = ({ out }: Ran): string[] => out.split("\n").filter((text) => text.includes('"type":"effect"'));
  const planned = effects(succeed(install, [...line, "--dry-run"]));
  assert.deepEqual([readdirSync(root), statSync(root).mtimeMs], [[], before]);
  const performed = effects(succeed(install, [...line, "--yes"]));
  assert.ok(planned.length > 20);
  assert.deepEqual(performed, planned);
  assert.match(readFileSync(join(root, "etc/hosts"), "utf8"), /10\.0\.0\.11 n1/);
  succeed(install, ["audit", "--root", root]);
  succeed(install, ["undo", "--root", root, "--yes"]);
  assert.deepEqual(readdirSync(root), []);
});

test("what an operator gets wrong is one clear error with its exit code, and never a stack", () => {
  const bad = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const release = (name: string, from: string): string =>
    bad(
      name,
      `release: other\ndescription: one file\ngeneration: distro\nkubernetes: null\ncomponents:\n  - name: etcd\n    version: "3.4.0"\n    roles: [etcd]\n    artifacts:\n      - platform: linux/amd64\n        from: ${from}\n        digest: sha256:${"0".repeat(64)}\n        files: { .: etcd }\n`,
    );
  const etcdOnly = cluster.replaceAll(", worker]", "]").replace(/^workers:[\s\S]*/m, "");
  const using = (path: string): string => bad(`using-${path.split("/").at(-1)}`, etcdOnly.replace("distro", path));
  const truncated = join(folder, "truncated.tar");
  writeFileSync(truncated, readFileSync(bundle).subarray(0, 5_000_000));
  const newer = join(folder, "newer");
  cpSync(unpacked, newer, { recursive: true });
  const index = join(newer, "bundle.json");
  writeFileSync(index, readFileSync(index, "utf8").replace('"format": 1,', '"format": 2,'));
  const sum = digestFile(index).digest;
  const sums = join(newer, "SHA256SUMS");
  writeFileSync(sums, readFileSync(sums, "utf8").replace(/^\w{64}(?= [ *]bundle\.json$)/m, sum));
  const wrong = bad("wrong.bin", "not what was pinned\n");
  const build = (path: string, ...more: string[]): string[] => [
    "build",
    path,
    "-o",
    join(folder, "never.tar"),
    ...more,
  ];

  const cases: [string, string, string[], number, RegExp][] = [
    [
      "unknown key",
      kubeferry,
      build(bad("key.yaml", `${cluster}wrokers: {}\n`)),
      3,
      /key\.yaml:9:1: .*wrokers.*workers/,
    ],
    ["bad CIDR", kubeferry, build(bad("cidr.yaml", cluster.replace("/24", "/44"))), 3, /cidr\.yaml:8:11: /],
    [
      "duplicate IP",
      kubeferry,
      build(bad("ip.yaml", cluster.replace("10.0.0.12", "10.0.0.11"))),
      3,
      /ip\.yaml:5:.*10\.0\.0\.11/,
    ],
    [
      "unreachable mirror",
      kubeferry,
      build(using(release("far.yaml", "https://127.0.0.1:1/etcd"))),
      4,
      /UNREACHABLE[\s\S]*127\.0\.0\.1:1/,
    ],
    [
      "wrong checksum",
      kubeferry,
      build(using(release("sum.yaml", `file:${wrong}`))),
      5,
      /DIGEST_MISMATCH[\s\S]*expected: \S+\n\s+found: \S+/,
    ],
    ["truncated bundle", kubeferry, ["verify", truncated], 5, /TRUNCATED/],
    [
      "newer format",
      kubeferry,
      ["verify", newer],
      5,
      /FORMAT_TOO_NEW[\s\S]*expected: format 1 or older\n\s+found: format 2/,
    ],
    [
      "no etcd member",
      install,
      ["--role", "etcd", "--ip", "10.0.0.9", "--root", folder, "--dry-run"],
      3,
      /NODE_UNKNOWN[\s\S]*10\.0\.0\.11[\s\S]*10\.0\.0\.13/,
    ],
    ["no such option", kubeferry, ["build", "--nonsense"], 2, /--nonsense/],
  ];
  for (const [name, program, args, code, message] of cases) {
    const ran = run(program, args);
    assert.equal(ran.code, code, `${name}\n${ran.out}${ran.err}`);
    assert.match(ran.err, message, name);
    assert.doesNotMatch(ran.err, /^\s+at .*:\d+/m, name);
  }
});

test("the bundle's own README, age and tar open a node's secrets by hand", () => {
  requirePackages("age");
  const key = join(folder, "road.keys/n1.key");
  const plain = join(folder, "n1.tar");
  execFileSync("age", ["-d", "-i", key, "-o", plain, join(unpacked, "secrets/n1.age")]);
  const names = execFileSync("tar", ["-tf", plain], { encoding: "utf8" });
  assert.match(names, /etc\/kubernetes\/pki\/etcd\/.*key/);
  assert.notEqual(
    run("age", ["-d", "-i", key, join(unpacked, "secrets/n2.age")]).code,
    0,
    "n1's key must not open n2's secrets",
  );
});
