import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { identitiesIn, keyOf } from "../../../installer/resources/manifest.ts";

const golden = join(import.meta.dirname, "../../golden/clusters");

interface Parsed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

test("every manifest of every golden cluster is about what a YAML parser finds in it", () => {
  let objects = 0;
  for (const entry of readdirSync(golden, { recursive: true, withFileTypes: true })) {
    if (!entry.parentPath.endsWith("/etc/kubernetes/kubeferry") || !entry.name.endsWith(".yaml")) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    const parsed = parseAllDocuments(text)
      .map((document) => document.toJS() as Parsed | null)
      .filter((value) => value !== null)
      .map(({ apiVersion, kind, metadata: { name, namespace = null } }) => ({ apiVersion, kind, namespace, name }));
    assert.deepEqual(identitiesIn(text), parsed, `${entry.parentPath}/${entry.name}`);
    objects += parsed.length;
  }
  assert.ok(objects > 100, `only ${objects} objects`);
});

test("names below other names, in block texts and in comments are nobody's", () => {
  const text = [
    "# kind: Comment",
    "---",
    "apiVersion: v1 # of the core",
    "kind: 'ConfigMap'",
    "metadata:",
    "    labels:",
    "        name: other",
    '    name: "mine"',
    "    # namespace: none",
    "data:",
    "    x: |",
    "        ---",
    "        kind: Secret",
    "        metadata:",
    "          name: inner",
    "...",
    "",
  ].join("\n");
  assert.deepEqual(identitiesIn(text), [{ apiVersion: "v1", kind: "ConfigMap", namespace: null, name: "mine" }]);
});

for (const [what, text] of [
  ["flow style", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}'],
  ["a list", "apiVersion: v1\nkind: ConfigMapList\nmetadata:\n  name: a\n"],
  ["no name", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: a\n"],
  ["a name made elsewhere", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: *anchor\n"],
] as const) {
  test(`${what} is not guessed at`, () => {
    assert.equal(identitiesIn(`apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n---\n${text}`), null);
  });
}

test("one object has one key in all versions of its API and with the default namespace said or not", () => {
  const one = { apiVersion: "apps/v1", kind: "DaemonSet", namespace: null, name: "a" };
  assert.equal(keyOf(one), keyOf({ ...one, apiVersion: "apps/v1beta2", namespace: "default" }));
  assert.notEqual(keyOf(one), keyOf({ ...one, apiVersion: "extensions/v1beta1" }));
  assert.notEqual(keyOf(one), keyOf({ ...one, namespace: "kube-system" }));
});
