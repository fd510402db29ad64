/**
 * Golden trees: each cluster.yaml below clusters/ and what is rendered for it. A change to hosts shows as a diff in
 * review. `UPDATE_GOLDEN=1` writes them anew. Keys are placeholders and binaries only names, so nothing varies.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { digestOf, type Selector } from "#bundle";
import type { NodeFile, Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";

const folder = join(import.meta.dirname, "clusters");
const update = process.env["UPDATE_GOLDEN"] === "1";

for (const name of readdirSync(folder).toSorted()) {
  test(`the nodes of ${name} are rendered as they were reviewed`, async () => {
    const dir = join(folder, name);
    const cluster = await fixtureCluster(readFileSync(join(dir, "cluster.yaml"), "utf8"));
    const rendered = renderFixture(cluster);
    compare(dir, new Map([["tree.txt", tree(rendered)], ...texts(rendered)]));
  });
}

test("rendering twice gives the same", async () => {
  const text = readFileSync(join(folder, "1.36-etcd-apart/cluster.yaml"), "utf8");
  assert.deepEqual(renderFixture(await fixtureCluster(text)), renderFixture(await fixtureCluster(text)));
});

/** One line a file, then directories, units, checks, objects and the host. */
function tree(rendered: Rendered): string {
  return [
    ...rendered.files.map(
      (file) => `${file.mode} ${file.path}  ${whom(file.for)}  ${short(file)}${file.sensitive ? "  SECRET" : ""}`,
    ),
    ...rendered.directories.map((entry) => `${entry.mode} ${entry.path}/  ${whom(entry.for)}`),
    ...rendered.units.map(
      (unit) =>
        `unit ${unit.name}  ${whom(unit.for)}  start ${unit.start}${unit.noBlock ? " (does not wait)" : ""}\n` +
        `  enabled by ${unit.links.join(" ")}\n  restarts on ${unit.restartOn.join(" ")}`,
    ),
    ...rendered.checks.map(
      (check) =>
        `check ${check.name}  ${whom(check.for)}  ${check.severity}\n  ${check.argv.map(shown).join(" ")}` +
        (check.awaits === undefined ? "" : `\n  waits for ${check.awaits.enough} of ${check.awaits.at.join(" ")}`),
    ),
    ...rendered.objects.map(
      ({ name, via, key = "", value = "", path = "", for: selector }) =>
        `object ${name}  ${whom(selector)}  ${[via, key, value, path].filter(Boolean).join(" ")}`,
    ),
    ...rendered.certificates.map(
      (entry) => `certificate ${entry.node}:${entry.path}  ${entry.subject}  ${entry.sans.join(" ")}`,
    ),
    `pods ${JSON.stringify(rendered.pods)}`,
    ...rendered.written.map(
      ({ path, by, credential, certificate, for: selector }) =>
        `written ${path}  ${whom(selector)}  by ${by}${credential ? "  CREDENTIAL" : ""}` +
        (certificate === undefined ? "" : `  ${certificate.commonName} by ${certificate.authority}`),
    ),
    `host ${JSON.stringify(rendered.host, null, 1)}`,
    "",
  ].join("\n");
}

/** A script is reviewed where it is written, in manifests/checks. */
function shown(word: string): string {
  return word.includes("\n") ? `[${word.split("\n").length} lines, ${digestOf(word).slice(0, 8)}]` : word;
}

/** Eight digits of a text's digest; binaries are only names here. */
function short({ content }: NodeFile): string {
  return typeof content === "string" ? digestOf(content).slice(0, 8) : "binary";
}

function whom(selector: Selector): string {
  return [selector.roles.join(","), selector.nodes?.join(","), selector.platforms?.join(",")].filter(Boolean).join(" ");
}

/** One text a path, that of the first node which has it; tree.txt has the digests of all. Kubeconfigs hold only placeholders. */
function texts(rendered: Rendered): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, content, origin } of rendered.files) {
    if (typeof content !== "string" || origin.from !== "template" || origin.template.includes("/kubeconfigs/"))
      continue;
    const name = `files${path}`;
    if (!found.has(name)) found.set(name, content);
  }
  return found;
}

function compare(dir: string, wanted: ReadonlyMap<string, string>): void {
  const present = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .filter((path) => path !== "cluster.yaml");
  if (update) {
    for (const path of present) rmSync(join(dir, path));
    for (const [path, text] of wanted) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    return;
  }
  for (const [path, text] of wanted) {
    assert.ok(existsSync(join(dir, path)), `${path} is not in ${dir}: review it, then UPDATE_GOLDEN=1`);
    assert.equal(text, readFileSync(join(dir, path), "utf8"), `${path} differs from ${dir}`);
  }
  assert.deepEqual(present.toSorted(), [...wanted.keys()].toSorted(), `other files than in ${dir}`);
}
