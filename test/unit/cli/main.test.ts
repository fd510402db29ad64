import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const main = JSON.stringify(join(import.meta.dirname, "../../../installer/cli/main.ts"));

/** A program with that main function. */
function program(body: string): string[] {
  return ["--input-type=module", "-e", `import { runMain } from ${main}; runMain(async () => { ${body} });`];
}

function ran(body: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, program(body), { encoding: "utf8" });
}

test("a program ends with what its main function gives", () => {
  assert.equal(ran("return 0;").status, 0);
  assert.equal(ran("return 9;").status, 9);
});

test("a program with nothing left to wait for, and work left, is a bug: 1, never 0", () => {
  const { status, stderr, stdout } = ran("console.log('begun'); await new Promise(() => {}); return 0;");
  assert.equal(status, 1);
  assert.equal(stdout, "begun\n");
  assert.match(stderr, /This is a bug in Kubeferry[^]*nothing left to wait for/);
});

test("what is thrown where nobody waits for it is a bug: 1", () => {
  for (const body of [
    "throw new Error('told');",
    "void Promise.reject(new Error('told')); await new Promise((end) => setTimeout(end, 100)); return 0;",
    "setTimeout(() => { throw new Error('told'); }); await new Promise((end) => setTimeout(end, 100)); return 0;",
  ]) {
    const { status, stderr } = ran(body);
    assert.equal(status, 1, body);
    assert.match(stderr, /This is a bug in Kubeferry[^]*Error: told/, body);
  }
});

const chatter = `
  for (let line = 0; line < 200; line += 1) {
    process.stdout.write("out\\n");
    process.stderr.write("err\\n");
    await new Promise(setImmediate);
  }
  process.exitCode = 3;
  return Number(process.argv[1]);`;

for (const which of ["stdout", "stderr"] as const) {
  test(`a reader of ${which} that goes away changes nothing of the exit code`, async () => {
    for (const wanted of [0, 7]) {
      const child = spawn(process.execPath, [...program(chatter), `${wanted}`], { stdio: ["ignore", "pipe", "pipe"] });
      child[which].once("data", () => child[which].destroy());
      const other = which === "stdout" ? child.stderr : child.stdout;
      let lines = 0;
      other.setEncoding("utf8").on("data", (text: string) => (lines += text.split("\n").length - 1));
      const code = await new Promise((resolve) => child.once("close", resolve));
      assert.deepEqual({ code, lines }, { code: wanted, lines: 200 });
    }
  });
}

test("output that is lost to a full disk ends nothing, and is no success", { skip: !existsSync("/dev/full") }, () => {
  const full = openSync("/dev/full", "w");
  for (const [given, wanted] of [
    [0, 1],
    [7, 7],
  ]) {
    const argv = [...program(chatter), `${given}`];
    const { status, stderr } = spawnSync(process.execPath, argv, { stdio: ["ignore", full, "pipe"], encoding: "utf8" });
    assert.equal(status, wanted);
    assert.equal(stderr.match(/^err$/gm)?.length, 200);
    assert.equal(stderr.match(/cannot be written/g)?.length, 1);
  }
  closeSync(full);
});

test("an output that was never open is as good as any", () => {
  for (const close of [">&-", "2>&-", "0<&- >&- 2>&-"]) {
    const argv = ["-c", `exec "$@" ${close}`, "sh", process.execPath, ...program(chatter), "5"];
    assert.equal(spawnSync("sh", argv).status, 5, close);
  }
});
