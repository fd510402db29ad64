import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { elfPlatform, refuseForeignPrograms } from "../../../installer/journal/machine.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-elf-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function elf(name: string, machine: number): string {
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(machine, 18);
  writeFileSync(join(folder, name), header);
  return join(folder, name);
}

test("programs are told apart by their machine, and what is no program is let be", () => {
  const native = process.arch === "x64" ? "linux/amd64" : "linux/arm64";
  assert.equal(elfPlatform(process.execPath), native);
  assert.equal(elfPlatform(elf("arm", 0xb7)), "linux/arm64");
  assert.equal(elfPlatform(elf("riscv", 0xf3)), "other");
  writeFileSync(join(folder, "text"), "#!/bin/sh\nexit 0\n# more than twenty bytes\n");
  assert.equal(elfPlatform(join(folder, "text")), null);
  writeFileSync(join(folder, "empty"), "");
  assert.equal(elfPlatform(join(folder, "empty")), null);
});

test("one program for another machine is refused by its content", () => {
  const wrong = elf("wrong", 0xb7);
  const refused = (error: unknown): boolean =>
    isExpected(error, "PLATFORM_MISMATCH") && error.found === "linux/arm64" && error.where === "content wrong";
  assert.throws(() => refuseForeignPrograms([join(folder, "text"), wrong], "linux/amd64"), refused);
  refuseForeignPrograms([join(folder, "text"), wrong], "linux/arm64");
});
