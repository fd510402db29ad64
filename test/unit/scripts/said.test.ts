/** What a source says is read from it in every form in which sources say it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { saidIn } from "../../../scripts/language/said.ts";

const calls = { tell: [{ argument: 0 }, { argument: 1, fields: ["hint"] }], drift: [{ argument: 0, lead: true }] };
const said = (source: string): string[] => saidIn(source, calls).toSorted();

test("texts, what they are filled in with, constants and conditions", () => {
  assert.deepEqual(said('tell("one", { hint: "two", other: "three" }); other("four");'), ["one", "two"]);
  assert.deepEqual(said("tell(`port ${port} is taken by ${whom()}`);"), ["port {1} is taken by {2}"]);
  assert.deepEqual(said('drift("is gone");'), ["{1} is gone"]);
  assert.deepEqual(said('const message = old ? "too old" : `is ${age} old`; tell(message);'), [
    "is {1} old",
    "too old",
  ]);
  assert.deepEqual(said('tell(`it ${many ? "goes" : "stays"}` + ", says " + who);'), [
    "it goes, says {1}",
    "it stays, says {1}",
  ]);
  assert.deepEqual(said("tell(given); tell(`${given}`); tell(3);"), []);
});

test("a constant is the nearest of its name", () => {
  const source = `
    function one() { const hint = "of one"; tell("a", { hint }); }
    function two() { const hint = "of two"; tell("b", { hint }); }`;
  assert.deepEqual(said(source), ["a", "b", "of one", "of two"]);
});

test("what a function of the file is given, and what it returns", () => {
  const source = `
    function wrong(name: string, message: string): void { tell(\`\${name} \${message}\`); }
    wrong("etcd", "is old"); wrong(elsewhere, "is new");
    const heading = (): string => (late ? "late" : "soon");
    tell(\`very \${heading()}\`);
    async function by(): Promise<string | null> { if (none) return null; return \`by \${unit}\`; }
    tell(await by());`;
  assert.deepEqual(said(source), [
    "by {1}",
    "etcd is new",
    "etcd is old",
    "very late",
    "very soon",
    "{1} is new",
    "{1} is old",
  ]);
});

test("objects that have a field of a name", () => {
  const object = { has: "check", fields: ["message"] };
  const source = 'const found = [{ check: "a", message: "one" }, { message: "two" }];';
  assert.deepEqual(saidIn(source, {}, object), ["one"]);
});
