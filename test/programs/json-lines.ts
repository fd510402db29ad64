/** What a command printed with `--json`: each line a record of the published schema, and none with a field that is not in it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { outputRecord, type OutputRecord } from "../../builder/output-records.ts";

const schema = join(import.meta.dirname, "../../manifests/schema/output.schema.json");
const isRecord = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schema, "utf8")) as object);

/** `code` null: it was killed, and its last line may be torn. */
export function recordsOf(out: string, code: number | null): OutputRecord[] {
  const lines = out.split("\n").slice(0, -1);
  const records = lines.map((line) => {
    const record: unknown = JSON.parse(line);
    const known = outputRecord.parse(record);
    assert.deepEqual(known, record, "it has fields that the schema does not name");
    assert.ok(isRecord(record), `${line}\n${JSON.stringify(isRecord.errors)}`);
    return known;
  });
  if (code !== null) assert.deepEqual(records.at(-1), { type: "end", exitCode: code });
  return records;
}

/** Checks what ran with `--json`; all else, and what is no record by intent (a bill of materials), is left alone. */
export function checkJson(argv: readonly string[], out: string, code: number | null): void {
  if (argv.includes("--json") && !argv.includes("--sbom") && !argv.includes("--help")) recordsOf(out, code);
}
