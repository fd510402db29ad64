import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createLocalHost } from "../../../installer/host/local.ts";
import { parseStat, processes } from "../../../installer/host/processes.ts";

const host = createLocalHost({ root: "/", contents: { stage: "/nowhere", before: "/nowhere" } });

/** A shell that has said that it is ready; `onTerm`: what it does then. */
async function shell(onTerm: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn("/bin/sh", ["-c", `trap '${onTerm}' TERM; echo ready; while :; do sleep 0.1; done`]);
  assert.ok(child.stdout !== null && child.pid !== undefined);
  await once(child.stdout, "data");
  return Object.assign(child, { pid: child.pid });
}

function noted({ pid }: { readonly pid: number }): { pid: number; started: string; what: string } {
  const started = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))?.started;
  assert.ok(started !== undefined);
  return { pid, started, what: "sh" };
}

test("a process is asked to end, and killed when it does not; done again, it is fine", async () => {
  const [willing, deaf] = [await shell("exit 7"), await shell("")];
  const ended = Promise.all([once(willing, "exit"), once(deaf, "exit")]);
  const effect = { do: "end", processes: [noted(willing), noted(deaf)], graceSeconds: 1 } as const;
  await host.perform(effect);
  assert.deepEqual(await ended, [
    [7, null],
    [null, "SIGKILL"],
  ]);
  await host.perform(effect);
});

test("a number that another process has by now is let be", async () => {
  const other = await shell("exit 0");
  await host.perform({ do: "end", processes: [{ ...noted(other), started: "1" }], graceSeconds: 0 });
  assert.equal(other.exitCode, null);
  const found = (await processes(host)).find(({ pid }) => pid === other.pid);
  assert.deepEqual([found?.parent, found?.argv[0]], [process.pid, "/bin/sh"]);
  other.kill("SIGKILL");
  await once(other, "exit");
});

test("a program gets a text on its standard input, also one that does not read it", async () => {
  await host.perform({ do: "run", argv: ["grep", "-q", "needle"], input: "hay\nneedle\n" });
  await host.perform({ do: "run", argv: ["true"], input: "x".repeat(1 << 20) });
});
