/**
 * Writes what follows from the sources: the JSON Schemas in manifests/schema, the references of command lines, errors,
 * cluster.yaml, release manifests and JSON output in docs, and the man pages in docs/man. With `--check` it writes nothing and fails where a file is not as it would be written.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runMain } from "#cli/main";
import { commandLineReferences } from "./generate/cli.ts";
import { clusterReference } from "./generate/cluster-reference.ts";
import { errorReferences } from "./generate/errors.ts";
import { jsonReference } from "./generate/json-reference.ts";
import { manPages } from "./generate/man/pages.ts";
import { releaseReference } from "./generate/release-reference.ts";
import { schemaFiles } from "./generate/schemas.ts";

const root = join(import.meta.dirname, "..");
runMain(main);

function main(): number {
  const files = {
    ...schemaFiles(),
    ...commandLineReferences(),
    ...errorReferences(),
    "docs/cluster.yaml.md": clusterReference(),
    "docs/release.yaml.md": releaseReference(),
    "docs/json.md": jsonReference(),
    ...Object.fromEntries(Object.entries(manPages()).map(([name, text]) => [`docs/man/${name}`, text])),
  };
  const stale = Object.entries(files).filter(([path, text]) => current(path) !== text);
  if (process.argv.includes("--check")) {
    for (const [path] of stale) process.stderr.write(`${path} is stale: run \`npm run generate\` and commit it\n`);
    return stale.length === 0 ? 0 : 1;
  }
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
  return 0;
}

function current(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}
