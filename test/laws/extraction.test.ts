/**
 * Whatever is wanted of a bundle, extraction comes back with it, however busy the machine is. Many more runs:
 *
 *     KUBEFERRY_RUNS=50 node --test test/laws/extraction.test.ts
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runs } from "../programs/runs.ts";

const times = runs(100);
const program = join(import.meta.dirname, "../builders/extract-subsets.ts");
/** Computes for as long as its parent lives. */
const computing = "const parent = process.ppid; while (process.ppid === parent);";
const neighbours: { kill(signal: "SIGKILL"): boolean }[] = [];

before(() => {
  for (let number = 0; number < availableParallelism(); number += 1) {
    neighbours.push(spawn(process.execPath, ["-e", computing], { stdio: "ignore" }));
  }
});
after(() => {
  for (const neighbour of neighbours) neighbour.kill("SIGKILL");
});

test(`${times} extractions of random subsets come back whole on a busy machine, and leave no file open`, () => {
  const seed = randomInt(2 ** 31);
  const ran = spawnSync(process.execPath, [program, `${seed}`, `${times}`], { encoding: "utf8" });
  assert.equal(ran.stdout, `${times} extractions came back\n`, `seed ${seed}, exit ${ran.status}: ${ran.stderr}`);
  assert.equal(ran.status, 0);
});
