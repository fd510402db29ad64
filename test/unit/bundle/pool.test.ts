/** A pool of threads gives every result in its order, and never ends well when one of its threads did not. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { digestFile } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { inPool } from "../../../installer/bundle/workers/pool.ts";
import { packThrown, unpackThrown } from "../../../installer/bundle/workers/thrown.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-pool-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const files = join(folder, "files");
mkdirSync(files);
const size = 12 * 1024 * 1024;
const names = ["a", "b", "c", "d", "e"];
for (const name of names) {
  writeFileSync(join(files, name), "");
  truncateSync(join(files, name), size);
}
const { digest } = digestFile(join(files, "a"));

/** With a program that every thread loads before its own. */
function checked(preload: string): { status: number | null; stdout: string; stderr: string } {
  const file = join(folder, "preload.mjs");
  writeFileSync(file, `import { isMainThread } from "node:worker_threads";\n${preload}`);
  const program = join(import.meta.dirname, "../../builders/check-files.ts");
  return spawnSync(process.execPath, ["--import", file, program, files, digest], { encoding: "utf8" });
}

test("every job has its result, in the order of the jobs", async () => {
  const checks = names.map((path, at) => {
    const member = { path, file: join(files, path), offset: 0, size: size - at, mode: 0o644, uid: 0 };
    return { member, digest };
  });
  const done: string[] = [];
  const found = await inPool("check", checks, {
    weight: ({ member }) => member.size,
    done: ({ member }) => done.push(member.path),
  });
  assert.deepEqual(
    found.map((problems) => problems.map(({ member, code }) => `${member} ${code}`)),
    [[], ...["b", "c", "d", "e"].map((name) => [`${name} DIGEST_MISMATCH`])],
  );
  assert.deepEqual(done.toSorted(), names);
});

test("threads that do their work end well", () => {
  const { status, stdout, stderr } = checked("");
  assert.deepEqual([status, stdout, stderr], [0, "5 checked, wrong: []\n", ""]);
});

const alone = availableParallelism() < 2 && "one core has no further thread";

test("a thread that dies, in silence or with an error, is told once and ends nothing with 0", { skip: alone }, () => {
  const died = checked("if (!isMainThread) process.exit(0);");
  assert.deepEqual([died.status, died.stdout], [1, ""]);
  assert.match(died.stderr, /This is a bug.*\nError: a worker thread ended with 0, and its work is not done/);
  const threw = checked("if (!isMainThread) throw new TypeError('torn');");
  assert.deepEqual([threw.status, threw.stdout], [1, ""]);
  assert.equal(threw.stderr.match(/torn/g)?.length, 1, threw.stderr);
});

test("a signal stops all threads, and its reason is what is thrown", async () => {
  const controller = new AbortController();
  const checks = Array.from({ length: 500 }, (_, at) => ({
    member: { path: `${at}`, file: join(files, "a"), offset: 0, size, mode: 0o644, uid: 0 },
  }));
  let done = 0;
  const work = inPool("check", checks, {
    weight: ({ member }) => member.size,
    signal: controller.signal,
    done: () => {
      done += 1;
      controller.abort(new Error("enough"));
    },
  });
  await assert.rejects(work, /^Error: enough$/);
  assert.ok(done < checks.length, `${done} jobs`);
});

test("what a thread throws keeps its class and its fields", () => {
  const over = (error: unknown): Error => unpackThrown(structuredClone(packThrown(error)));
  const expected = new ExpectedError("TRUNCATED", "ends early", { where: "/x", expected: "2 bytes", hint: "copy it" });
  assert.deepEqual(over(expected), expected);
  assert.ok(over(expected) instanceof ExpectedError);
  const refused = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", syscall: "write", path: "/x" });
  assert.deepEqual(over(refused), refused);
  assert.equal(over("text").message, "text");
});
