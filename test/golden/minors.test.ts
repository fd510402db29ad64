/**
 * What one cluster is given in every minor from 1.16 to 1.36: the first as a whole tree, each further one as what differs
 * from the one before, so that a reviewer reads a step at a time. `UPDATE_GOLDEN=1` writes them anew.
 *
 * Digests of files are left out, since their texts are here, and the folders of certificates have one name in all minors:
 * `<pki>`, `<etcd-pki>` and `<kubelet-pki>`. The head of tree.txt says where they are.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { renderFixture } from "../builders/fixture-cluster.ts";
import { clusterOfMinor, minors } from "../builders/minors.ts";
import { compare } from "./compare.ts";
import { texts, tree } from "./tree.ts";

const folder = join(import.meta.dirname, "minors");

test("from one minor to the next, what is rendered differs as it was reviewed", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "kubeferry-minors-"));
  t.after(() => rmSync(root, { recursive: true }));
  const wanted = new Map<string, string>();
  let previous: string | undefined;
  for (const minor of minors) {
    const rendered = await textsOf(minor);
    for (const [name, text] of rendered) put(join(root, minor, name), text);
    if (previous === undefined) for (const [name, text] of rendered) wanted.set(`${minor}/${name}`, text);
    else wanted.set(`${minor}.diff`, difference(root, previous, minor));
    previous = minor;
  }
  compare(folder, wanted);
});

/** Everything of a minor by name, of upstream's newest patch release of it. */
async function textsOf(minor: string): Promise<Map<string, string>> {
  const cluster = await clusterOfMinor(minor);
  const { pki, etcdPki, kubeletPki } = cluster.topology.generation;
  const places = Object.entries({ "<etcd-pki>": etcdPki, "<pki>": pki, "<kubelet-pki>": kubeletPki });
  const same = (written: string): string =>
    places.reduce((result, [place, path]) => result.replaceAll(new RegExp(`${path}(?![\\w-])`, "g"), place), written);
  const rendered = renderFixture(cluster);
  const head = places.map(([place, path]) => `${place} = ${path}\n`).join("");
  const contents = [...texts(rendered)].map(([path, written]) => [path, same(written)] as const);
  return new Map([["tree.txt", head + ordered(same(tree(rendered, () => "")))], ...contents]);
}

/** With files in the order of their paths, and a line for each that a unit restarts on: both move where a folder's name does. */
function ordered(listing: string): string {
  const lines = listing.split("\n");
  const files = lines.filter((line) => /^0\d{3} /.test(line)).toSorted();
  const others = lines.slice(files.length).map((line) => {
    const [, paths] = /^ {2}restarts on (.*)$/.exec(line) ?? [];
    return paths === undefined ? line : ["  restarts on", ...paths.split(" ").toSorted()].join("\n    ");
  });
  return [...files, ...others].join("\n");
}

/** As a unified diff, without the times of day that `diff` writes. */
function difference(root: string, from: string, to: string): string {
  const { stdout, status, stderr } = spawnSync("diff", ["-rN", "-U1", from, to], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status === 0) return `Nothing differs from ${from}.\n`;
  if (status !== 1) throw new Error(`diff: ${stderr}`);
  return stdout.replaceAll(/^diff .*\n/gm, "").replaceAll(/^((?:---|\+\+\+) \S+)\t.*$/gm, "$1");
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
