import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { components } from "../../../builder/components/list.ts";
import { listTemplates } from "../../../builder/config/manifests.ts";

const folder = join(import.meta.dirname, "../../../builder/components");
const entries = readdirSync(folder, { recursive: true, withFileTypes: true });

test("every folder is a component of the list, one for each of its kinds, and is called as it", () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    [...new Set(components.map(({ name }) => name))].toSorted(),
    folders.map(({ name }) => name).toSorted(),
  );
});

test("every template is one of a row of its component, and every script of a check's", () => {
  const templates = components.flatMap(({ name, units = [], files = [], objects = [] }) =>
    [...units, ...files, ...objects.filter(({ brought }) => brought !== true)]
      .filter(({ text }) => text === undefined)
      .map((row) => `builder/components/${name}/${row.template ?? row.name}.ejs`),
  );
  const sources = entries.filter(({ name }) => name.endsWith(".ts"));
  const texts = sources.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8")).join("");
  const scripts = [...texts.matchAll(/script\(\[([^\]]*)\]/g)].flatMap(([, files = ""]) =>
    (files.match(/[\w/-]+\.sh/g) ?? []).map((path) => `builder/components/${path}`),
  );
  const asked = new Set([...templates, ...scripts]);
  assert.deepEqual([...asked].toSorted(), listTemplates());
});

test("each unit and each check has a name of its own but where several components have the same", () => {
  const units = [...new Set(components.flatMap(({ units = [] }) => units))].map(({ name }) => name);
  assert.deepEqual([...new Set(units)], units);
  const checks = [...new Set(components.flatMap(({ checks = [] }) => checks))].map(({ name }) => name);
  assert.deepEqual([...new Set(checks)], checks);
});
