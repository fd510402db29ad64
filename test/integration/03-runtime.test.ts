/** `build --runtime`: a bundle whose installer runs by another real Node, and everything that cannot be one refused. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestFile, openBundle } from "#bundle";
import { fuse } from "../../builder/pack/runtime/executable.ts";
import { nodeBinary } from "../../scripts/node-binary.ts";
import { dist, ensureBuilt, kubeferry } from "../builders/dist.ts";
import { standInCluster } from "../fakes/stand-in-cluster.ts";
import { type Ran, runKubeferry } from "../programs/command.ts";

/** Not the one that Kubeferry itself carries, and the oldest that it takes. */
const version = "22.15.0";
const amd64 = { skip: process.arch === "x64" ? false : "the other Node is one for amd64" };
const folder = mkdtempSync(join(tmpdir(), "kubeferry-runtime-"));
const at = (...names: string[]): string => join(folder, ...names);
let words: string[] = [];
let node = "";

before(async () => {
  ensureBuilt();
  node = await nodeBinary("linux-x64", version);
  const { config, store } = await standInCluster(folder);
  words = ["build", config, ...store, "--installers", dist];
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the installer of a bundle runs by the Node that was given, and the bundle says so", amd64, async () => {
  const tar = at("plant-7.tar");
  // As the packed program that operators have.
  const built = spawnSync(kubeferry, [...words, "--runtime", node, "-o", tar], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  assert.match(built.stdout, /runtime +Node 22\.15\.0 of .* for linux\/amd64/);
  const { digest } = digestFile(node);
  const { index } = await openBundle(tar);
  assert.deepEqual(index.runtimes, { "linux/amd64": { node: version, digest, glibc: "2.28" } });

  mkdirSync(at("unpacked"));
  execFileSync("tar", ["-xf", tar, "-C", at("unpacked")]);
  const ours = (JSON.parse(readFileSync(join(dist, "../package.json"), "utf8")) as { version: string }).version;
  const launched = spawnSync(at("unpacked/install"), ["--version"], {
    env: { PATH: "/usr/bin:/bin" },
    encoding: "utf8",
  });
  assert.deepEqual([launched.status, launched.stdout.trim(), launched.stderr], [0, ours, ""]);
  writeFileSync(at("say.cjs"), "process.stderr.write(process.version)");
  const program = at("unpacked/bin/install-linux-amd64");
  const said = spawnSync(program, ["--version"], { env: { NODE_OPTIONS: `--require=${at("say.cjs")}` } });
  assert.equal(String(said.stderr), `v${version}`, "the Node inside of it");
  // It reads index and blobs, looks at the host, and ends as any other installer does.
  const preflight = spawnSync(at("unpacked/install"), ["preflight", "--role", "etcd", "--ip", "10.0.0.11", "--json"], {
    encoding: "utf8",
  });
  const records = preflight.stdout.trimEnd().split("\n");
  assert.match(records.at(-1) ?? "", /"type":"end","exitCode":6/, preflight.stderr);
  assert.ok(
    records.some((line) => line.includes('"type":"finding"')),
    preflight.stdout,
  );
  const verified = spawnSync(at("unpacked/install"), ["verify", "--json"], { encoding: "utf8" });
  assert.equal(verified.status, 0, verified.stdout);

  const readme = readFileSync(at("unpacked/README.txt"), "utf8");
  assert.match(
    readme,
    new RegExp(`linux/amd64 +glibc 2\\.28 or newer\\n +by Node 22\\.15\\.0, given by the operator: sha256 ${digest}`),
  );
  const inspected = await runKubeferry(["inspect", tar]);
  assert.match(
    inspected.out,
    new RegExp(
      `runtime +linux/amd64: Node 22\\.15\\.0, glibc 2\\.28 or newer, given by the operator, sha256 ${digest}`,
    ),
  );
  const purl = `pkg:generic/node@${version}?checksum=sha256%3A${digest}`;
  const cyclonedx = await recordOf<{ components: Named[] }>(tar, "cyclonedx");
  const component = cyclonedx.components.find((one) => one.purl === purl);
  assert.deepEqual(component?.properties, [{ name: "kubeferry:pinnedBy", value: "operator" }]);
  const spdx = await recordOf<{ packages: Named[] }>(tar, "spdx");
  const own = spdx.packages.find(({ name }) => name === "node");
  assert.deepEqual([own?.comment, own?.checksums?.[0]?.checksumValue], ["pinned by operator", digest]);
  const page = await runKubeferry(["inspect", tar, "--html", at("page.html")]);
  assert.equal(page.code, 0, page.err);
  assert.match(
    readFileSync(at("page.html"), "utf8"),
    new RegExp(`a Node that the operator gave .*22\\.15\\.0 sha256:${digest}`),
  );
});

interface Named {
  readonly name: string;
  readonly purl?: string;
  readonly properties?: readonly object[];
  readonly comment?: string;
  readonly checksums?: readonly { readonly checksumValue: string }[];
}

/** A bill of materials of a bundle. */
async function recordOf<Bill>(tar: string, format: string): Promise<Bill> {
  return JSON.parse((await runKubeferry(["inspect", tar, "--sbom", format])).out) as Bill;
}

/** A copy of the other Node with each of some texts replaced by another of its length. */
function changed(name: string, texts: Readonly<Record<string, string>>): string {
  let content = readFileSync(node, "latin1");
  for (const [from, to] of Object.entries(texts)) content = content.replaceAll(from, to);
  writeFileSync(at(name), content, "latin1");
  chmodSync(at(name), 0o755);
  return at(name);
}

test("what cannot be the Node under the installer is refused before anything is made", amd64, async () => {
  const own = await nodeBinary("linux-x64");
  writeFileSync(at("image"), "");
  truncateSync(at("image"), 513 * 1024 * 1024);
  writeFileSync(at("script"), "#!/bin/sh\necho started >&2\n", { mode: 0o755 });
  writeFileSync(at("cut"), readFileSync(node).subarray(0, 100));
  const refusals: [path: string, message: RegExp, wanted: RegExp, found: RegExp][] = [
    [at("nowhere"), /cannot be read: there is no such file/, /^$/, /^$/],
    [at("image"), /is no program/, /512/, /larger/],
    [at("script"), /is no program/, /an ELF file/, /no ELF file/],
    [at("cut"), /is no program/, /an ELF file/, /cannot be read: it ends too early/],
    [await nodeBinary("linux-arm64"), /is for another machine/, /linux\/amd64/, /linux\/arm64, 64 bits/],
    ["/usr/bin/true", /cannot be put into this program/, /a Node that can carry/, /without that place/],
    [kubeferry, /cannot be put into this program/, /a Node that can carry/, /carries an application already/],
    [
      changed("no-place", { [fuse]: fuse.replace("FUSE", "LESS") }),
      /cannot be put into/,
      /can carry/,
      /without that place/,
    ],
    [
      changed("linked", { "libm.so.6": "libn.so.6" }),
      /libraries that not every host has/,
      /brings its libraries/,
      /libn\.so\.6/,
    ],
    [
      changed("musl", { "/lib64/ld-linux-x86-64.so.2\0": "/lib/ld-musl-x86_64.so.1\0\0\0\0" }),
      /another C library/,
      /glibc/,
      /ld-musl/,
    ],
    [
      changed("old", { "22.15.0\0": "20.19.0\0" }),
      /too old for the installer/,
      /Node 22\.15\.0 or newer/,
      /Node 20\.19\.0/,
    ],
    [
      changed("no-zstd", { createZstdDecompress: "createXstdDecompress" }),
      /lacks zstd in node:zlib/,
      /zstd/,
      /Node 22\.15\.0/,
    ],
  ];
  for (const [path, message, wanted, found] of refusals) {
    const ran: Ran = await runKubeferry([...words, "--json", "--runtime", path, "-o", at("refused.tar")]);
    const error = JSON.parse(ran.out.split("\n").find((line) => line.includes('"type":"error"')) ?? "{}") as Record<
      string,
      string
    >;
    const told = `${path}: ${ran.out}${ran.err}`;
    assert.deepEqual([ran.code, error["code"], error["where"]], [3, "RUNTIME_INVALID", path], told);
    assert.notEqual(error["hint"], undefined, told);
    assert.match(error["message"] ?? "", message, told);
    assert.match(error["expected"] ?? "", wanted, told);
    assert.match(error["found"] ?? "", found, told);
    assert.doesNotMatch(ran.err, /started/, "a script is never run");
    rmSync(path.startsWith(folder) ? path : at("none"), { force: true });
  }
  const twice = await runKubeferry([...words, "--runtime", node, "--runtime", own, "-o", at("refused.tar")]);
  assert.equal(twice.code, 2);
  assert.match(twice.err, /gives two for linux\/amd64/);
  assert.equal(spawnSync("ls", [at("refused.tar")]).status, 2);
});
