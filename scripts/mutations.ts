/**
 * `npm run test:mutations [-- FOLDER]`: 50,000 mutations of signed bundles with the public key given, and 10,000 hostile
 * archives and indexes. In parts, each with a seed of its own, whose figures are kept in FOLDER (a new one in the
 * temporary folder where none is given): a run that was stopped goes on with the next part. Hours of one core.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runMain } from "#cli/main";
import type { Figures } from "../test/programs/figures.ts";

interface Goal {
  /** As its figures call it. */
  readonly law: string;
  readonly file: string;
  /** Of the names of the file's tests. */
  readonly test: string;
  readonly wanted: number;
  /** How often the law's own runs are drawn in one part: some minutes of a core. */
  readonly times: number;
}

const hostile = "test/laws/hostile-bytes.test.ts";
const goals: readonly Goal[] = [
  {
    law: "mutations of signed bundles",
    file: "test/laws/tar-agreement.test.ts",
    test: "of a signed bundle",
    wanted: 50_000,
    times: 140,
  },
  { law: "hostile archives", file: hostile, test: "mutated archives", wanted: 5000, times: 140 },
  { law: "hostile indexes", file: hostile, test: "mutated indexes", wanted: 5000, times: 35 },
];
/** MiB that no call may have. */
const mostMemory = 300;

runMain(async () => {
  const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), "kubeferry-mutations-"));
  mkdirSync(folder, { recursive: true });
  const found = goals.map((): Figures[] => []);
  let held = true;
  // By turns, so that a run that is stopped has some of each.
  for (let seed = 1; held && goals.some(({ wanted }, at) => sum(found[at]) < wanted); seed += 1) {
    for (const [at, goal] of goals.entries()) {
      if (!held || sum(found[at]) >= goal.wanted) continue;
      const part = join(folder, `${goal.law.replaceAll(" ", "-")}-${seed}.json`);
      held = existsSync(part) || run(goal, seed, part);
      if (held) found[at]?.push(readFigures(part));
      process.stdout.write(`${goal.law}: ${sum(found[at])} of ${goal.wanted} after part ${seed}\n`);
    }
  }
  const laws = [...Map.groupBy(found.flat(), ({ law }) => law)];
  for (const [law, figures] of laws) print(law, figures);
  process.stdout.write(`figures of each part: ${folder}\n`);
  return held && found.flat().every(({ most }) => most.memory <= mostMemory) ? 0 : 1;
});

/** Whether the law held in one part; its figures are then in `part`. */
function run({ file, test, times }: Goal, seed: number, part: string): boolean {
  const partial = `${part}.partial`;
  rmSync(partial, { force: true });
  const figures = { KUBEFERRY_RUNS: String(times), KUBEFERRY_SEED: String(seed), KUBEFERRY_FIGURES: partial };
  const argv = ["--test", `--test-name-pattern=${test}`, file];
  const { status } = spawnSync(process.execPath, argv, { env: { ...process.env, ...figures }, stdio: "inherit" });
  if (status === 0) renameSync(partial, part);
  return status === 0;
}

function readFigures(part: string): Figures {
  return JSON.parse(readFileSync(part, "utf8")) as Figures;
}

function print(law: string, figures: readonly Figures[]): void {
  const most = (of: (one: Figures["most"]) => number): string =>
    Math.max(...figures.map((one) => of(one.most))).toFixed(2);
  const accepted = figures.reduce((total, one) => total + one.accepted, 0);
  process.stdout.write(
    `${law}: ${sum(figures)} in ${figures.length} parts, ${accepted} accepted; a call took at most ` +
      `${most(({ seconds }) => seconds)} s (${most(({ processor }) => processor)} s of processor) and ${most(({ memory }) => memory)} MiB\n`,
  );
  const kinds = new Set(figures.flatMap((one) => Object.keys(one.kinds)));
  for (const kind of kinds) {
    const of = (key: "drawn" | "accepted"): number =>
      figures.reduce((total, one) => total + (one.kinds[kind]?.[key] ?? 0), 0);
    process.stdout.write(`  ${kind}: ${of("drawn")}, ${of("accepted")} accepted\n`);
  }
}

function sum(figures: readonly Figures[] = []): number {
  return figures.reduce((total, { drawn }) => total + drawn, 0);
}
