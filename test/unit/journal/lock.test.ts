import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { lock } from "../../../installer/journal/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-lock-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const now = new Date("2026-11-21T00:00:00Z");

test("a second one is told who holds the lock, and may have it once it is given back", () => {
  const unlock = lock(folder, "./install --role etcd", now);
  assert.throws(
    () => lock(folder, "./install undo", now),
    (error) =>
      isExpected(error, "LOCKED") && /--role etcd/.test(error.message) && error.found === `process ${process.pid}`,
  );
  unlock();
  assert.deepEqual(readdirSync(folder), []);
  lock(folder, "./install undo", now)();
});

test("the lock of a process that is gone is taken over; so is one of an earlier boot, and a torn one", () => {
  lock(folder, "x", now)();
  const { pid } = spawnSync("true");
  const held = lock(folder, "x", now);
  const own = JSON.parse(readFileSync(join(folder, "lock"), "utf8")) as Record<string, unknown>;
  held();
  const stale = [
    { ...own, pid, started: "1" },
    { ...own, started: "1" },
    { ...own, boot: "another" },
  ];
  for (const text of [...stale.map((holder) => JSON.stringify(holder)), "", "{"]) {
    writeFileSync(join(folder, "lock"), text);
    const unlock = lock(folder, "y", now);
    assert.match(readFileSync(join(folder, "lock"), "utf8"), /"command":"y"/);
    unlock();
    assert.ok(!existsSync(join(folder, "lock")));
  }
});
