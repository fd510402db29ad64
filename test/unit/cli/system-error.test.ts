import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ExpectedError, isExpected } from "#cli/errors";
import { explainedBySystem } from "#cli/system-error";

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("what the system refuses is explained, with its place", () => {
  const full = openSync("/dev/full", "w");
  const error = explainedBySystem(
    thrownBy(() => writeSync(full, "x")),
    "/some/place",
  );
  closeSync(full);
  assert.ok(isExpected(error, "NO_SPACE"));
  assert.equal(error.where, "/some/place");
  assert.equal(error.hint, "df -h /some/place; df -i /some/place");
  assert.equal(error.exitCode, 6);
  const dying = explainedBySystem(thrownBy(() => readFileSync("/proc/self/mem")));
  assert.ok(isExpected(dying, "DEVICE_FAILED"), String(dying));
});

test("what may be Kubeferry's own fault stays as it is", () => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-system-"));
  const missing = thrownBy(() => readFileSync(join(folder, "missing")));
  rmSync(folder, { recursive: true });
  const expected = new ExpectedError("USAGE", "no");
  const made = Object.assign(new Error("a bug that looks like it"), { code: "EACCES" });
  for (const error of [missing, expected, made, new TypeError("a bug"), "text", null]) {
    assert.equal(explainedBySystem(error), error);
  }
});
