/** For which machine a program is: the first bytes of an ELF file. */
import * as fs from "node:fs";
import { basename } from "node:path";
import type { Platform } from "#bundle";
import { ExpectedError } from "#cli/errors";

const machines: Readonly<Record<number, Platform>> = { 0x3e: "linux/amd64", 0xb7: "linux/arm64" };

/** Of a file that begins as an ELF file does; `other` for a machine that Kubeferry does not know; null for anything else. */
export function elfPlatform(path: string): Platform | "other" | null {
  const header = Buffer.alloc(20);
  const file = fs.openSync(path, "r");
  try {
    if (fs.readSync(file, header) < header.length) return null;
  } finally {
    fs.closeSync(file);
  }
  if (header.toString("latin1", 0, 4) !== "\x7fELF") return null;
  return machines[header[5] === 2 ? header.readUInt16BE(18) : header.readUInt16LE(18)] ?? "other";
}

/** PLATFORM_MISMATCH where a staged program is for another machine: it would only fail once its unit starts. */
export function refuseForeignPrograms(paths: readonly string[], platform: Platform): void {
  for (const path of paths) {
    const found = elfPlatform(path);
    if (found === null || found === platform) continue;
    throw new ExpectedError("PLATFORM_MISMATCH", "a program of the bundle is for another machine", {
      where: `content ${basename(path)}`,
      expected: platform,
      found,
      hint: "build the bundle again; nothing was changed",
    });
  }
}
