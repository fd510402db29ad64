/** What the handbook shows of cluster.yaml, hosts.yaml and release manifests is what their schemas take, with the values that are shown. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import * as z from "zod";
import { clusterSchema } from "../../../builder/config/cluster.ts";
import { releaseComponent, releaseSigners } from "../../../builder/config/release.ts";
import { hostsSchema } from "../../../builder/push/hosts.ts";
import { partsOf } from "../../../scripts/handbook/markdown.ts";

const docs = join(import.meta.dirname, "../../../docs");
const node = { name: "m1", ip: "10.64.3.1", roles: ["etcd", "master", "worker"] };
const rest = { name: "plant-7", release: "kubernetes-1.36", nodes: [node] };

/** Which file a block is of, and what its schema says; null: of none of ours. */
function verdict(block: unknown): z.ZodSafeParseResult<unknown> | null {
  if (Array.isArray(block)) return z.array(releaseComponent).safeParse(block);
  const keys = Object.keys(block as object);
  if (keys.includes("signers")) return z.strictObject({ signers: releaseSigners }).safeParse(block);
  if (keys.includes("hosts")) return hostsSchema.safeParse(block);
  return keys.some((key) => key in clusterSchema.shape)
    ? clusterSchema.safeParse({ ...rest, ...(block as object) })
    : null;
}

test("YAML in code blocks is taken by the schema of its file", () => {
  const blocks = globSync("{,zh/}*.md", { cwd: docs }).flatMap((page) =>
    partsOf(readFileSync(join(docs, page), "utf8"))
      .blocks.filter(({ language }) => language === "yaml")
      .map(({ text }) => ({ page, text, verdict: verdict(parse(text)) })),
  );
  assert.ok(blocks.filter(({ verdict }) => verdict !== null).length >= 20, `${blocks.length} blocks`);
  const wrong = blocks.flatMap(({ page, text, verdict }) =>
    verdict?.success === false ? [`${page}: ${z.prettifyError(verdict.error)}\n${text}`] : [],
  );
  assert.deepEqual(wrong, []);
});

test("a misspelt field and a value of the wrong kind are told", () => {
  for (const text of ["etcd: { snapshot: { interval: 6h } }", "certificates: { days: soon }", "hosts: [{ nod: m1 }]"]) {
    assert.equal(verdict(parse(text))?.success, false, text);
  }
});
