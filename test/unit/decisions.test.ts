/** Decisions can be found and read: numbered without gaps, each with its parts, each in the index under its own title. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const names = readdirSync(join(root, "docs/decisions")).toSorted();
const texts = names.map((name) => readFileSync(join(root, "docs/decisions", name), "utf8"));

test("decisions are numbered from 1 without gaps, and named after what they decide", () => {
  assert.ok(names.length > 0);
  for (const [index, name] of names.entries()) {
    assert.match(name, new RegExp(`^${String(index + 1).padStart(4, "0")}-[a-z0-9]+(-[a-z0-9]+)*\\.md$`));
  }
});

test("each has a title, a date, a context, a decision and consequences, and each says something", () => {
  const form =
    /^# \S.*\n\nDate: \d{4}-\d\d-\d\d\n\n## Context\n\n\S[^]*\n\n## Decision\n\n\S[^]*\n\n## Consequences\n\n\S[^]*\n$/;
  for (const [index, text] of texts.entries()) {
    assert.match(text, form, names[index]);
    assert.equal(text.match(/^#+ /gm)?.length, 4, names[index]);
  }
});

test("DECISIONS.md lists each by number and title", () => {
  const index = readFileSync(join(root, "DECISIONS.md"), "utf8");
  const listed = index.split("\n").filter((line) => /^\d/.test(line));
  const titles = texts.map((text) => text.slice(2, text.indexOf("\n")));
  assert.deepEqual(
    listed,
    names.map((name, at) => `${at + 1}. [${titles[at]}](docs/decisions/${name})`),
  );
});
