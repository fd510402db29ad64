/** docs/cis.md, line by line, is what kube-bench's controls say of a rendered node, without `profile: cis` and with it. Wants root, for owners. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { type Judged, openBench } from "../../programs/kube-bench.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-cis-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const page = readFileSync(join(import.meta.dirname, "../../../docs/cis.md"), "utf8");

async function judge(release: string, version: string, profile: string): Promise<Judged[]> {
  const cluster = await fixtureCluster(`
name: judged
release: kubernetes-${release}
${profile}
nodes: [{ name: n1, ip: 10.64.3.1, roles: [etcd, master, worker] }]
`);
  return openBench(renderFixture(cluster), "n1", mkdtempSync(join(folder, "n1-"))).judge(version);
}

/** `[id, text, without, with, remark]` of the section's table. */
function rowsOf(title: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(title)) ?? "";
  return section.split("\n").flatMap((line) => (/^\| \d/.test(line) ? [line.slice(2, -1).split(" | ")] : []));
}

for (const [release, version] of [
  ["1.36", "cis-1.12"],
  ["1.21", "cis-1.20"],
] as const) {
  test(`of ${version} Kubernetes ${release} passes what docs/cis.md says, and why not the rest stands there`, async () => {
    const without = await judge(release, version, "");
    const controls = await judge(release, version, "profile: cis");
    assert.ok(controls.length > 100);
    const wanted = controls.map(({ id, text, verdict }, index) => [
      id,
      text.replace(/\s*\((Automated|Manual)\)\.?$/, ""),
      without[index]?.verdict,
      verdict,
    ]);
    const order = ["1", "2", "3", "4", "5"];
    const bySection = wanted.toSorted(([a = ""], [b = ""]) => order.indexOf(a[0] ?? "") - order.indexOf(b[0] ?? ""));
    const rows = rowsOf(`Kubernetes ${release} by ${version}`);
    assert.deepEqual(
      rows.map((row) => row.slice(0, 4)),
      bySection,
    );
    for (const [id, , , verdict, remark = ""] of rows) {
      assert.ok(verdict === "pass" || remark.trim() !== "", `${id} is ${verdict}, and docs/cis.md does not say why`);
    }
    // The one control that is scored and not passed.
    assert.deepEqual(
      controls.flatMap(({ id, verdict }) => (verdict === "fail" ? [id] : [])),
      ["1.1.12"],
    );
  });
}
