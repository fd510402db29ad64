/** With --json every command says what it did, in records of the published schema, and ends with `end`. */
import assert from "node:assert/strict";
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Command } from "commander";
import { recordTypes } from "../../../builder/output-records.ts";
import { recordsOf } from "../../programs/json-lines.ts";
import { nodeFiles, writeNodeBundle } from "../../builders/node-bundle.ts";
import { commandLines } from "../../../scripts/generate/programs.ts";
import { type Ran, runInstall, runKubeferry } from "../../programs/command.ts";
import { standInCluster, type StandInCluster } from "../../fakes/stand-in-cluster.ts";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-json-"));
const bundle = join(folder, "plant-7.tar");
/** Of a cluster that has no keys yet. */
const otherConfig = join(folder, "other/cluster.yaml");
let cluster: StandInCluster;
before(async () => {
  cluster = await standInCluster(folder);
  await writeNodeBundle(join(folder, "node.tar"), { files: nodeFiles });
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The types of what was printed. */
const typesOf = ({ out, code }: Ran): string[] => recordsOf(out, code).map(({ type }) => type);

type Calls = readonly (readonly [expected: string, argv: readonly string[]])[];

/** Every call with --json, in order: it ends with 0 and prints a record of the expected type. */
async function assertRecords(run: typeof runKubeferry, calls: Calls): Promise<void> {
  for (const [expected, argv] of calls) {
    const ran = await run([...argv, "--json"]);
    assert.equal(ran.code, 0, `${argv.join(" ")}: ${ran.out} ${ran.err}`);
    assert.ok(typesOf(ran).includes(expected), `${argv.join(" ")}: ${ran.out.slice(0, 300)}`);
  }
}

function builderCalls(): Calls {
  const { config, store, installers } = cluster;
  const key = join(folder, "release");
  return [
    ["item", ["lock", "--list", config]],
    ["lock", ["lock", config, ...store]],
    ["lock", ["lock", config, ...store]],
    ["fetched", ["fetch", config, ...store]],
    ["rendered", ["render", config, ...store, "-o", join(folder, "rendered")]],
    ["signing-request", ["pki", "csr", otherConfig, "--out", join(folder, "requests")]],
    ["rotation", ["pki", "rotate", otherConfig]],
    ["built", ["build", config, ...store, ...installers, "-o", bundle]],
    ["key", ["keygen", "--no-password", "--out", key]],
    ["signed", ["sign", bundle, "--secret-key", `${key}.key`]],
    ["verified", ["verify", bundle, "--public-key", `${key}.pub`]],
    ["bundle", ["inspect", bundle]],
    ["file", ["inspect", bundle, "--files"]],
    ["exported", ["export", "ansible", bundle, "--out", join(folder, "site")]],
    ["artifact", ["export", "oci", bundle, "--out", join(folder, "layout")]],
    ["page", ["inspect", bundle, "--html", join(folder, "page.html")]],
    ["certificate", ["certs", bundle]],
    ["rekeyed", ["rekey", config]],
    ["difference", ["diff", bundle, join(folder, "node.tar")]],
    ["split", ["split", bundle, "--size", "100kB", "-o", join(folder, "parts")]],
    ["verified", ["verify", join(folder, "parts/plant-7.tar.parts")]],
    ["joined", ["join", join(folder, "parts/plant-7.tar.parts"), "-o", join(folder, "joined.tar")]],
    ["content", ["store", "list", ...store.slice(0, 2)]],
    ["checked", ["store", "verify", ...store.slice(0, 2)]],
    ["collected", ["store", "gc", ...store.slice(0, 2)]],
    ["release", ["releases"]],
    ["release", ["releases", "kubernetes-1.36"]],
    ["step", ["plan-upgrade", "--from", "1.34", "--to", "1.36"]],
  ];
}

test("every stage, and every question to a bundle, tells machines what it did", async () => {
  mkdirSync(join(folder, "other"));
  writeFileSync(otherConfig, readFileSync(cluster.config));
  await assertRecords(runKubeferry, builderCalls());
});

function installerCalls(): Calls {
  const [at, from] = [join(folder, "host"), join(folder, "node.tar")];
  const [host, given] = [["--root", at] as const, ["--root", at, "--bundle", from] as const];
  const as = ["--role", "worker", "--ip", "10.0.0.9"] as const;
  return [
    ["verified", ["verify", "--bundle", from]],
    ["finding", ["preflight", ...as, ...given]],
    ["effect", ["apply", ...as, ...given, "--dry-run"]],
    ["result", ["apply", ...as, ...given]],
    ["transaction", ["status", ...host]],
    ["end", ["certificates", ...host]],
    ["audit", ["audit", ...host]],
    ["upgrade", ["upgrade", "--root", at, "--bundle", join(folder, "newer.tar")]],
    ["support", ["support", ...host, "-o", join(folder, "support.tar")]],
    ["undone", ["rollback", ...host]],
    ["undone", ["undo", ...host]],
  ];
}

test("every command of the installer that needs no cluster tells machines what it did", async () => {
  mkdirSync(join(folder, "host/var/lib"), { recursive: true });
  const newer = [...nodeFiles, { path: "/opt/ferry/newer", content: "newer" }];
  await writeNodeBundle(join(folder, "newer.tar"), { files: newer });
  await assertRecords(runInstall, installerCalls());
});

/** Of programs' commands their words. */
function withJson(command: Command, words: readonly string[] = []): (readonly string[])[] {
  const inner = command.commands.flatMap((one) => withJson(one, [...words, one.name()]));
  return command.options.some(({ long }) => long === "--json") ? [words, ...inner] : inner;
}

test("every command that has --json is run with it, here or where it has its cluster", () => {
  const elsewhere = globSync("test/{unit,integration}/**/*.test.ts", { cwd: root })
    .filter((path) => !path.endsWith("commands/json.test.ts"))
    .map((path) => readFileSync(join(root, path), "utf8"));
  const { kubeferry, "./install": install } = commandLines();
  const missing = [[kubeferry, builderCalls()] as const, [install, installerCalls()] as const].flatMap(
    ([program, calls]) =>
      withJson(program).filter((words) => {
        const isHere = calls.some(([, argv]) => words.every((word, at) => argv[at] === word));
        const last = words.at(-1);
        const typed = new RegExp(`(?:"${last}",|\\b${last}\\()[^;]{0,200}"--json"`);
        return !isHere && !elsewhere.some((text) => typed.test(text));
      }),
  );
  assert.deepEqual(missing, []);
});

test("a wrong call and a bad file are records too, each problem by itself", async () => {
  for (const run of [runKubeferry, runInstall]) {
    const ran = await run(["verify", "--nonsense", "--json"]);
    assert.equal(ran.code, 2);
    assert.deepEqual(typesOf(ran), ["error", "end"]);
    assert.match(ran.out, /"code":"USAGE","message":"unknown option '--nonsense'/);
  }
  const bad = join(root, "test/vectors/config/unusable-places.yaml");
  const ran = await runKubeferry(["lock", bad, "--json"]);
  assert.deepEqual(typesOf(ran), ["error", "end"]);
  const error = JSON.parse(ran.out.split("\n")[0] ?? "") as { message: string; problems: { where: string }[] };
  assert.ok(!error.message.includes("\n"));
  assert.ok(error.problems.length > 10);
  for (const { where } of error.problems) assert.match(where, /unusable-places\.yaml:\d+:\d+$/);
});

test("every type that the sources print is in the schema", () => {
  const sources = ["builder", "installer"].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8")),
  );
  const printed = sources.flatMap((text) =>
    [...text.matchAll(/(?<!z)\.?\brecord\("([a-z-]+)"/g)].map((match) => match[1] ?? ""),
  );
  assert.ok(printed.length > 20);
  assert.deepEqual(
    printed.filter((type) => !recordTypes.includes(type)),
    [],
  );
});
