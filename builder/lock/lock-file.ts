/** `cluster.lock` as a file: YAML in a stable order, so that two locks differ in a diff only where they differ. */
import { readFile } from "node:fs/promises";
import { stringify } from "yaml";
import { replaceFile } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import { loadYaml } from "../config/load.ts";
import { byText } from "../text-order.ts";
import { type Lock, type LockedArtifact, lockSchema } from "./lock.ts";

export { diffLocks } from "./diff.ts";

/** The lock at `path`; null when there is none. LOCK_INVALID when it is not one. */
export async function readLock(path: string): Promise<Lock | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new ExpectedError("LOCK_INVALID", `the lock cannot be read: ${whyUnreadable(cause)}`, {
      where: path,
      cause,
      hint: `ls -l ${path}`,
    });
  }
  return await loadYaml<Lock>(path, lockSchema, text, {
    invalid: "LOCK_INVALID",
    hint: "kubeferry lock --update cluster.yaml   makes it anew",
  });
}

/** Writes a lock so that it is there as a whole or not at all. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  await replaceFile(path, encodeLock(lock), 0o644);
}

/** The text of a lock: fields in the order of the schema, entries sorted. */
export function encodeLock(lock: Lock): string {
  const parsed = lockSchema.parse(lock);
  const sorted: Lock = {
    ...parsed,
    platforms: parsed.platforms.toSorted(),
    artifacts: parsed.artifacts
      .toSorted((a, b) => byText(keyOf(a), keyOf(b)))
      .map((artifact) => ({ ...artifact, files: sortedRecord(artifact.files) })),
    images: parsed.images.toSorted((a, b) => byText(`${a.name} ${a.platform}`, `${b.name} ${b.platform}`)),
  };
  return `# What this cluster is built of. Made by \`kubeferry lock\`; keep it with cluster.yaml.\n${stringify(sorted, { lineWidth: 0 })}`;
}

function keyOf(artifact: LockedArtifact): string {
  return [artifact.component, artifact.platform, artifact.from].join(" ");
}

function sortedRecord(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => byText(a, b)));
}
