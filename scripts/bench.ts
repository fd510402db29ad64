/**
 * `npm run bench [-- NAME…] [--rounds N] [--json]`: how fast we are beside what an operator would type instead, in one run
 * on one machine, interleaved; medians, the ratio of neighbouring runs, and the goal. Rows are printed as they are
 * measured, and a part that fails loses only its own: it is named at the end, and the exit code is 1. Figures never become
 * assertions: docs/performance.md tells what was measured, where and when.
 */
import { loadavg } from "node:os";
import { runMain } from "#cli/main";
import { certifying } from "./bench/certificates.ts";
import { compare, type Comparison } from "./bench/compare.ts";
import { auditing, extracting, fetching, installing, packing, verifying } from "./bench/comparisons.ts";
import { hasHauler, hauling } from "./bench/hauler.ts";
import { imaging } from "./bench/image.ts";
import { memory, start } from "./bench/limits.ts";
import { material, type Material } from "./bench/material.ts";
import { pushing } from "./bench/push.ts";
import { heading, line, type Row } from "./bench/row.ts";
import { compileOurs, folder, serve } from "./bench/runs.ts";
import { makeExecutables } from "./executables.ts";
import { scale } from "./bench/scale.ts";
import { requirePackages } from "../test/programs/packages.ts";

const words = process.argv.slice(2);
const json = words.includes("--json");
const at = words.indexOf("--rounds");
const rounds = at < 0 ? 5 : Number(words.splice(at, 2)[1]);

const parts: Readonly<Record<string, (given: Material) => AsyncIterable<Row>>> = {
  start: (given) => start(given, rounds),
  verify: (given) => comparing(verifying(given)),
  extract: (given) => comparing(extracting(given)),
  install: (given) => comparing(installing(given)),
  audit: (given) => comparing(auditing(given)),
  pack: (given) => comparing(packing(given)),
  fetch: fetched,
  image: (given) => comparing(imaging(given)),
  certificates: () => comparing(certifying()),
  memory,
  scale,
  push: pushing,
  ...(hasHauler() ? { hauler: (given) => comparing(hauling(given)) } : {}),
};
runMain(main);

async function main(): Promise<number> {
  const names = words.filter((word) => word !== "--json");
  const chosen = names.length > 0 ? names : Object.keys(parts);
  const unknown = chosen.find((name) => parts[name] === undefined);
  if (unknown !== undefined) {
    throw new Error(`no comparison is called ${unknown}; there are ${Object.keys(parts).join(", ")}`);
  }
  requirePackages("curl", "nginx-light", "openssl", "zstd");
  makeExecutables();
  const given = await material(folder);
  await compileOurs();
  const size = `${given.programs.length} programs, ${(given.size / 1e6).toFixed(0)} MB`;
  tell(`${size}; ${rounds} rounds; load ${(loadavg()[0] ?? 0).toFixed(1)}\n\n${heading}`);
  const results: Row[] = [];
  const failures: { readonly name: string; readonly why: string }[] = [];
  for (const name of chosen) {
    try {
      for await (const row of parts[name]?.(given) ?? []) {
        results.push(row);
        tell(line(row));
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      failures.push({ name, why });
      tell(`${name} FAILED: ${why}`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify({ results, failures })}\n`);
  return failures.length > 0 ? 1 : 0;
}

/** With `--json` people's lines go to stderr. */
function tell(text: string): void {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}

async function* fetched(given: Material): AsyncGenerator<Row> {
  const nginx = await serve(given.dir);
  try {
    yield* comparing(fetching(given));
  } finally {
    nginx.kill();
  }
}

async function* comparing(all: readonly Comparison[] | Promise<readonly Comparison[]>): AsyncGenerator<Row> {
  for (const one of await all) yield* await compare(one, rounds);
}
