/** Any words come through a shell as they were: what a real sh hands to a program. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { shellQuote } from "../../../builder/push/shell-quote.ts";

test("sh gives a program the very words that were quoted", () => {
  const words = [
    "",
    "a b",
    "it's",
    "''",
    "$(touch x)`id`",
    '"\\"',
    "a\nb",
    "*?[a]~",
    "-n",
    "!history",
    "; rm -rf",
    "é\u0007",
    "\\'",
  ];
  const script = `printf '%s\\0' ${shellQuote(words)}`;
  for (const shell of ["sh", "bash"]) {
    const out = execFileSync(shell, ["-c", script], { encoding: "utf8" });
    assert.deepEqual(out.split("\0").slice(0, -1), words);
  }
});

test("a NUL, which no command line can hold, is refused", () => {
  assert.throws(() => shellQuote(["a\0b"]), TypeError);
});
