import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseElf, readElf } from "#formats/elf";
import { elfFile } from "../pack/closure/elf-file.ts";

function parse(bytes: Buffer): ReturnType<typeof parseElf> {
  return parseElf((offset, length) => bytes.subarray(offset, offset + length));
}

test("reads machine, interpreter and libraries of a dynamically linked program", () => {
  const bytes = elfFile({
    machine: 183,
    interpreter: "/lib/ld-linux-aarch64.so.1",
    needed: ["libc.so.6", "libm.so.6"],
  });
  assert.deepEqual(parse(bytes), {
    bits: 64,
    machine: "arm64",
    interpreter: "/lib/ld-linux-aarch64.so.1",
    needed: ["libc.so.6", "libm.so.6"],
    glibc: null,
    soname: null,
    runpath: [],
  });
});

test("agrees with the machine's own loader about the program that runs this test", () => {
  const elf = readElf("/bin/tar");
  assert.ok(elf !== null && !("damaged" in elf));
  assert.equal(elf.bits, 64);
  assert.ok(elf.needed.includes("libc.so.6"));
  assert.match(elf.interpreter ?? "", /ld-linux/);
  const said = execFileSync("ldd", ["-v", "/bin/tar"], { encoding: "utf8" });
  const own = /\n\t\/bin\/tar:\n((?:\t\t.*\n)+)/.exec(said)?.[1] ?? "";
  const minors = [...own.matchAll(/\(GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  assert.ok(minors.length > 1);
  assert.equal(elf.glibc, `2.${Math.max(...minors)}`);
});

test("tells the glibc whose symbols are wanted, and never counts what cannot be", () => {
  const whole = elfFile({ machine: 62, needed: ["libc.so.6"], glibc: "2.34" });
  const elf = parse(whole);
  assert.ok(elf !== null && !("damaged" in elf));
  assert.equal(elf.glibc, "2.34");
  const at = whole.indexOf("GLIBC_2.34\0") + "GLIBC_2.34\0".length;
  const endless = Buffer.from(whole);
  endless.writeUInt16LE(65_535, at + 2);
  assert.deepEqual(parse(endless), { damaged: "it wants too many versions of symbols" });
});

test("a static program needs nothing", () => {
  const elf = parse(elfFile({ machine: 62 }));
  assert.ok(elf !== null && !("damaged" in elf));
  assert.deepEqual([elf.machine, elf.interpreter, elf.needed], ["amd64", null, []]);
});

test("names a machine that nobody asked for by its number", () => {
  const elf = parse(elfFile({ machine: 8 }));
  assert.ok(elf !== null && "machine" in elf);
  assert.equal(elf.machine, "machine 8");
});

test("what is no ELF is null", () => {
  assert.equal(parse(Buffer.from("#!/bin/sh\n")), null);
  assert.equal(parse(Buffer.alloc(0)), null);
});

test("every truncation of an ELF is damaged or read, never thrown", () => {
  const whole = elfFile({ machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2", needed: ["libc.so.6"] });
  for (let length = 4; length < whole.length; length += 1) assert.notEqual(parse(whole.subarray(0, length)), null);
  assert.deepEqual(parse(whole.subarray(0, 40)), { damaged: "it ends too early" });
});

test("every flipped byte of a real program's head is damaged or read, never thrown", () => {
  const real = readFileSync("/bin/true");
  for (let at = 4; at < 1024; at += 1) {
    const bytes = Buffer.from(real);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    parse(bytes);
  }
});
