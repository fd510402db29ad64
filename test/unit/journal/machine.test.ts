import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { refuseForeignPrograms } from "../../../installer/journal/machine.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-elf-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function elf(name: string, machine: number): string {
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(machine, 18);
  writeFileSync(join(folder, name), header);
  return join(folder, name);
}

test("programs for this machine pass, and so does what is no program", () => {
  writeFileSync(join(folder, "text"), "#!/bin/sh\nexit 0\n# more than twenty bytes\n");
  writeFileSync(join(folder, "empty"), "");
  const native = process.arch === "x64" ? "linux/amd64" : "linux/arm64";
  refuseForeignPrograms([process.execPath, join(folder, "text"), join(folder, "empty")], native);
});

test("one program for another machine is refused by its content, and so is half a program", () => {
  const refuses = (name: string, found: string): void =>
    assert.throws(
      () => refuseForeignPrograms([join(folder, "text"), join(folder, name)], "linux/amd64"),
      (error) => isExpected(error, "PLATFORM_MISMATCH") && error.found === found && error.where === `content ${name}`,
    );
  elf("arm", 0xb7);
  refuses("arm", "linux/arm64");
  refuseForeignPrograms([join(folder, "text"), join(folder, "arm")], "linux/arm64");
  elf("riscv", 0xf3);
  refuses("riscv", "linux/machine 243");
  writeFileSync(join(folder, "half"), "\x7fELF\x02\x01\x01");
  refuses("half", "it ends too early");
});
