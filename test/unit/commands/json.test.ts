/** With --json every command says what it did, in records of the published schema, and ends with `end`. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { outputRecord, recordTypes } from "../../../builder/output-records.ts";
import { type Ran, runInstall, runKubeferry } from "../../programs/command.ts";
import { standInCluster, type StandInCluster } from "../../fakes/stand-in-cluster.ts";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-json-"));
const bundle = join(folder, "plant-7.tar");
let cluster: StandInCluster;
before(async () => {
  cluster = await standInCluster(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The types of what was printed, each line checked against the schema. */
function typesOf({ out, code }: Ran): string[] {
  const records = out
    .trimEnd()
    .split("\n")
    .map((line) => outputRecord.parse(JSON.parse(line)));
  assert.deepEqual(records.at(-1), { type: "end", exitCode: code });
  return records.map(({ type }) => type);
}

test("every stage, and every question to a bundle, tells machines what it did", async () => {
  const { config, store, installers } = cluster;
  const calls: [expected: string, argv: string[]][] = [
    ["item", ["lock", "--list", config]],
    ["lock", ["lock", config, ...store]],
    ["lock", ["lock", config, ...store]],
    ["fetched", ["fetch", config, ...store]],
    ["rendered", ["render", config, ...store, "-o", join(folder, "rendered")]],
    ["built", ["build", config, ...store, ...installers, "-o", bundle]],
    ["verified", ["verify", bundle]],
    ["bundle", ["inspect", bundle]],
    ["file", ["inspect", bundle, "--files"]],
    ["certificate", ["certs", bundle]],
    ["end", ["diff", bundle, bundle]],
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
  for (const [expected, argv] of calls) {
    const ran = await runKubeferry([...argv, "--json"]);
    assert.equal(ran.code, 0, `${argv.join(" ")}: ${ran.err}`);
    assert.ok(typesOf(ran).includes(expected), `${argv.join(" ")}: ${ran.out.slice(0, 300)}`);
  }
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
