/** A member of a verified bundle as a new file, on the disk when this returns. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Member } from "#bundle";

export async function copyMember({ file, offset, size }: Member, to: string, mode: number): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const target = createWriteStream(to, { flags: "wx", mode, flush: true });
  await pipeline(size === 0 ? [] : createReadStream(file, { start: offset, end: offset + size - 1 }), target);
}
