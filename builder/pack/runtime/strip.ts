/** An executable without what no loader reads: its table of sections, symbols and debug information, a seventh of Node. */
import { createReadStream, createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { loadedSize } from "#formats/elf";

/** Where a 64-bit ELF header names its table of sections, how many it has and which one holds their names: bytes, and how many. */
const sectionTable = [
  [0x28, 8],
  [0x3c, 4],
] as const;

/**
 * Copies a 64-bit ELF executable, so far as it is loaded, to `output`, which is new and 0755. The installer is a hundred
 * megabytes of every bundle, whatever that carries. Other programs travel as upstream published them.
 */
export async function copyStripped(executable: string, output: string): Promise<void> {
  const end = loadedSize(executable) - 1;
  await pipeline(createReadStream(executable, { end }), createWriteStream(output, { flags: "wx", mode: 0o755 }));
  const file = await open(output, "r+");
  try {
    await file.chmod(0o755);
    for (const [at, length] of sectionTable) await file.write(Buffer.alloc(length), 0, length, at);
  } finally {
    await file.close();
  }
}
