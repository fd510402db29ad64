/**
 * Holds manifests/flags.yaml against upstream's own sources, which are read from checkouts through git and never run:
 *
 *     node scripts/flags.ts compare READING...         differences between the table and what was read
 *     node scripts/flags.ts write READING...           cites each row, and adds one for every flag that it lacks
 *     node scripts/flags.ts sample SEED COUNT READING...   rows chosen by a seed, with what was read of them
 *
 * A READING is `1.28=FOLDER@REVISION`: a clone of Kubernetes, of its staging repositories, or of a project that vendors
 * them; or `1.28=pages:FOLDER@REVISION`: a clone of Kubernetes' website, whose reference pages upstream generates from the
 * same sources, without what is deprecated and hidden. Several may be of one minor.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareVersions } from "#formats/version";
import { runMain } from "#cli/main";
import { readFlagTable } from "../builder/config/flag-table.ts";
import { citesOf, differencesOf } from "./flags/compare.ts";
import { type Evidence, evidenceOf, parseReading } from "./flags/evidence.ts";
import { written } from "./flags/rows.ts";
import { sample } from "./flags/sample.ts";

const empty: Evidence = { sightings: new Map(), whole: new Set(), read: new Set() };

runMain(async () => {
  const [command, ...words] = process.argv.slice(2);
  const [seed = "", count = ""] = command === "sample" ? words.splice(0, 2) : [];
  const readings = words.map(parseReading);
  const table = readFlagTable();
  const evidence = evidenceOf(readings);
  if (command === "compare") {
    for (const [daemon, found] of evidence) {
      print(daemon, `read ${minorsOf(found.read)}; sources of ${minorsOf(found.whole)}`);
      for (const { flag, kind, minors, cited } of differencesOf(daemon, table[daemon] ?? {}, found))
        print(`  ${kind} ${flag}`, `${minors.join(" ")}; ${cited.join(", ")}`);
    }
    return 0;
  }
  if (command === "write") {
    const path = join(import.meta.dirname, "../manifests/flags.yaml");
    writeFileSync(path, written(readFileSync(path, "utf8"), table, evidence));
    return 0;
  }
  if (command === "sample") {
    for (const row of sample(table, seed, Number(count))) {
      const [daemon = "", flag = ""] = row.split(" ");
      const found = evidence.get(daemon) ?? empty;
      const seen = (found.sightings.get(flag) ?? []).map(({ minor }) => minor);
      print(row, `${JSON.stringify(table[daemon]?.[flag])} seen ${minorsOf(seen)}; ${citesOf(flag, found).join(", ")}`);
    }
    return 0;
  }
  throw new Error("compare, write or sample");
});

function minorsOf(minors: Iterable<string>): string {
  return [...new Set(minors)].toSorted(compareVersions).join(" ") || "nothing";
}

function print(what: string, text: string): void {
  process.stdout.write(`${what}: ${text}\n`);
}
