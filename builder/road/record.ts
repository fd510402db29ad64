/** `road.json` beside the bundles of a road: in which order they are carried and run, and of what each was made. */
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { replaceFile } from "#bundle";
import { loadYaml } from "../config/yaml-file.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.strictObject({
  /** Of the file. */
  digest,
  /** Bytes. */
  size: z.int().nonnegative(),
});

export const roadSchema = z.strictObject({
  version: z.literal(1),
  cluster: z.string(),
  from: z.string(),
  to: z.string(),
  /** In the order in which they are run. */
  steps: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      release: z.string(),
      changes: z.array(z.string()),
      needs: z.array(z.string()),
      removed: z.array(z.object({ api: z.string(), kinds: z.array(z.string()), now: z.string() })),
      oldestKubelet: z.string(),
      /** The cluster.yaml of the step. */
      config: z.string(),
      /** Names in this folder. */
      bundle: z.string(),
      lock: z.string(),
      /** Null until it is there. `inputs` is the digest of everything that it was made of. */
      made: file.extend({ payloadDigest: digest, inputs: digest }).nullable(),
      /** What is new since the bundle with the digest `base`. */
      delta: file.extend({ name: z.string(), base: digest }).nullable(),
    }),
  ),
});
export type RoadRecord = z.infer<typeof roadSchema>;
export type StepRecord = RoadRecord["steps"][number];
export type MadeFile = z.infer<typeof file>;

/** Null where there is none. LOCK_INVALID for a file that is none. */
export async function readRoad(folder: string): Promise<RoadRecord | null> {
  const path = join(folder, "road.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return null;
  return loadYaml(path, roadSchema, text, {
    invalid: "LOCK_INVALID",
    hint: "take another folder, or remove this file and the bundles beside it: they are made anew",
  });
}

/** As a whole or not at all. */
export async function writeRoad(folder: string, road: RoadRecord): Promise<void> {
  await replaceFile(join(folder, "road.json"), `${JSON.stringify(roadSchema.parse(road), null, 2)}\n`, 0o644);
}
