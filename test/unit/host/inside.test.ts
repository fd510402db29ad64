import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { inside, insideFollowed } from "../../../installer/host/inside.ts";

const root = mkdtempSync(join(tmpdir(), "kubeferry-inside-"));
after(() => rmSync(root, { recursive: true, force: true }));
mkdirSync(join(root, "usr/lib"), { recursive: true });
symlinkSync("usr/lib", join(root, "lib"));
symlinkSync("/etc", join(root, "absolute"));
symlinkSync("../../../../../../../..", join(root, "up"));
symlinkSync("loop-b", join(root, "loop-a"));
symlinkSync("loop-a", join(root, "loop-b"));

test("links among a path's parents are followed as the node would, and never out of the tree", () => {
  assert.equal(inside(root, "/lib/systemd/x"), join(root, "usr/lib/systemd/x"));
  assert.equal(inside(root, "/absolute/passwd"), join(root, "etc/passwd"));
  assert.equal(inside(root, "/up/up/usr/x"), join(root, "usr/x"));
  assert.equal(inside(root, "/"), root);
});

test("the last component is followed only on request", () => {
  assert.equal(inside(root, "/absolute"), join(root, "absolute"));
  assert.equal(insideFollowed(root, "/absolute"), join(root, "etc"));
});

test("links that go round in circles are an error", () => {
  assert.throws(
    () => inside(root, "/loop-a/x"),
    (error) => isExpected(error, "PATH_ESCAPES"),
  );
});
