/** What executables need of a host: the right machine, an interpreter, shared libraries. */
import { closeSync, openSync, readSync } from "node:fs";
import type { Digest } from "#bundle";
import { error, type Finding, warning } from "#cli/finding";
import type { NodeFile } from "../../render/node-file.ts";
import { mergedUsr } from "./base.ts";
import { type Elf, readElf } from "#formats/elf";
import { compareVersions, isSince } from "#formats/version";
import { baseName, packageHint } from "./programs.ts";
import { findOffer, findProgram, type View } from "./view.ts";

/** Every executable and every shared library of a node. */
export function checkBinaries(view: View, store: { path(digest: Digest): string }): Finding[] {
  const findings: Finding[] = [];
  const linked: Linked[] = [];
  for (const file of view.files.values()) {
    const runs = (Number.parseInt(file.mode, 8) & 0o111) !== 0 || /\.so(\.|$)/.test(file.path);
    // A secret of the operator's own is in no store.
    if (!runs || (file.sensitive && typeof file.content !== "string")) continue;
    if (typeof file.content === "string") {
      findings.push(...checkScript(view, file, file.content.slice(0, 256)));
      continue;
    }
    const path = store.path(file.content.digest);
    const elf = readElf(path);
    if (elf === null) findings.push(...checkScript(view, file, startOf(path)));
    else if ("damaged" in elf) findings.push(damaged(file.path, elf.damaged));
    else {
      findings.push(...checkElf(view, file, elf));
      if (elf.glibc !== null) linked.push({ file, glibc: elf.glibc });
    }
  }
  return [...findings, ...checkGlibc(view, linked)];
}

interface Linked {
  readonly file: NodeFile;
  /** `2.34` */
  readonly glibc: string;
}

/** One finding for all programs that want a newer glibc than every host has: which hosts there are, the operator knows. */
function checkGlibc(view: View, linked: readonly Linked[]): Finding[] {
  const oldest = view.base.glibc;
  const newer = linked
    .filter(({ glibc }) => oldest !== null && !isSince(oldest, glibc))
    .toSorted((a, b) => compareVersions(b.glibc, a.glibc));
  const [first, ...others] = newer;
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  const message = `glibc ${first.glibc} or newer is needed by ${first.file.path}${more} on ${view.label}`;
  const hint = "ldd --version on the nodes tells what they have; for older ones take static builds";
  return [warning("library", message, { where: first.file.path, expected: `glibc ${first.glibc}`, hint })];
}

function checkElf(view: View, file: NodeFile, elf: Elf): Finding[] {
  const where = file.path;
  const found = `linux/${elf.machine}`;
  if (found !== view.platform || elf.bits !== 64) {
    const message = `${file.path} is built for ${found} (${elf.bits} bits), and ${view.label} wants ${view.platform}`;
    const hint = "correct the artifact of this platform in the release manifest, then run kubeferry lock";
    return [error("platform", message, { where, expected: file.path, hint })];
  }
  const findings: Finding[] = [];
  const { interpreter } = elf;
  if (interpreter !== null && !view.base.interpreters.has(mergedUsr(interpreter))) {
    const message = `${interpreter} is missing on ${view.label}: ${file.path} is loaded by it`;
    const hint = "take a build of this program for glibc, or a static one";
    findings.push(error("interpreter", message, { where, expected: interpreter, hint }));
  }
  const here = new Set([...view.files.keys()].map(baseName));
  for (const library of elf.needed) {
    if (view.base.libraries.has(library) || here.has(library)) continue;
    const state = findOffer(view, library);
    if (state === "here") continue;
    const message = `${library} is missing on ${view.label}: ${file.path} is linked with it`;
    const hint =
      packageHint(view.base.offers.get(library)?.packages) ??
      "take a static build of this program, or carry the library's package";
    findings.push((state === "likely" ? warning : error)("library", message, { where, expected: library, hint }));
  }
  return findings;
}

function checkScript(view: View, file: NodeFile, start: string): Finding[] {
  if (!start.startsWith("#!")) return [];
  const [program = "", argument] = (start.slice(2).split("\n")[0] ?? "").trim().split(/\s+/);
  const absolute = baseName(program) === "env" && argument !== undefined ? `/usr/bin/${argument}` : program;
  if (view.base.interpreters.has(mergedUsr(absolute)) || findProgram(view, absolute) === "here") return [];
  const message = `${absolute} is missing on ${view.label}: the script ${file.path} is run by it`;
  const hint = "write the script for /bin/sh, or carry the interpreter's package";
  return [error("interpreter", message, { where: file.path, expected: absolute, hint })];
}

function damaged(where: string, why: string): Finding {
  const hint = "fetch the artifact again, and check its digest";
  return error("platform", `${where} is an ELF file that cannot be read: ${why}`, { where, expected: where, hint });
}

function startOf(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(256);
    return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(file);
  }
}
