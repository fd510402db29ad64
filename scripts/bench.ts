/**
 * `npm run bench [-- NAME…] [--rounds N]`: how fast we are beside what an operator would type instead, in one run on one
 * machine, interleaved; medians, the ratio of neighbouring runs, and the goal. Figures never become assertions:
 * docs/performance.md tells what was measured, where and when.
 */
import { loadavg } from "node:os";
import { compare, type Comparison, type Row, table } from "./bench/compare.ts";
import { extracting, fetching, installing, packing, verifying } from "./bench/comparisons.ts";
import { memory, start } from "./bench/limits.ts";
import { material, type Material } from "./bench/material.ts";
import { folder, serve } from "./bench/runs.ts";

const words = process.argv.slice(2);
const at = words.indexOf("--rounds");
const rounds = at < 0 ? 5 : Number(words.splice(at, 2)[1]);

const parts: Readonly<Record<string, (given: Material) => Promise<Row[]>>> = {
  start: () => start(rounds),
  verify: async (given) => comparing(await verifying(given)),
  extract: async (given) => comparing(await extracting(given)),
  install: async (given) => comparing(await installing(given)),
  pack: async (given) => comparing(...packing(given)),
  fetch: fetched,
  memory,
};
await main();

async function main(): Promise<void> {
  const given = await material(folder);
  const chosen = words.length > 0 ? words : Object.keys(parts);
  const rows: Row[] = [];
  const size = `${given.programs.length} programs, ${(given.size / 1e6).toFixed(0)} MB`;
  console.log(`${size}; ${rounds} rounds; load ${(loadavg()[0] ?? 0).toFixed(1)}`);
  for (const name of chosen) {
    const part = parts[name];
    if (part === undefined)
      throw new Error(`no comparison is called ${name}; there are ${Object.keys(parts).join(", ")}`);
    rows.push(...(await part(given)));
  }
  console.log(table(rows));
}

async function fetched(given: Material): Promise<Row[]> {
  const nginx = await serve(given.dir);
  try {
    return await comparing(...fetching(given));
  } finally {
    nginx.kill();
  }
}

async function comparing(...all: Comparison[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const one of all) rows.push(...(await compare(one, rounds)));
  return rows;
}
