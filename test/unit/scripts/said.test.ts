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
  assert.deepEqual(saidIn(source, {}, [object]), ["one"]);
});

test("objects under a name, those spread into others, and what a method is given", () => {
  const source = `
    const details = { hint: "one", ...(cause && { hint: \`two of \${cause}\` }) };
    tell("three", details);
    class Session {
      #refuse(why: string, more = { hint: "four" }): void { tell(why, { ...more }); }
      open(): void { this.#refuse("five"); }
    }
    reporter.tell("six");`;
  assert.deepEqual(said(source), ["five", "four", "one", "three", "two of {1}"]);
  assert.deepEqual(saidIn(source, { ".tell": [{ argument: 0 }] }), ["six"]);
});

test("sums are no texts, and of what is not known nothing is said", () => {
  assert.deepEqual(said('tell(`use ${members + 1} or ${name ?? ""}`);'), ["use {1} or {2}"]);
});

test("parts with many forms are a gap where all their combinations are too many", () => {
  const letters = Array.from("abcdefgh", (letter) => `one === 1 ? "${letter}" : `).join("");
  const source = `const one = ${letters}"z"; const other = two ? "x" : "y"; tell(\`\${one} \${other} ends\`);`;
  assert.deepEqual(said(source), ["{1} x ends", "{1} y ends"]);
});

test("functions that give a text to other files", () => {
  const source = 'export function hint(host: string): string | null { return host === "" ? null : `ask ${host}`; }';
  assert.deepEqual(saidIn(source, {}, [], ["hint", "other"]), ["ask {1}"]);
});
