/**
 * A bundle in parts, for sticks that are too small or a file system that ends at 4 GiB. Each part has its own digest,
 * so that a bad one is named and only that one is fetched again. By hand: `sha256sum -c X.tar.parts`, then
 * `cat X.tar.part-* > X.tar`.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type Digest,
  type IntegrityProblem,
  chunkSize,
  decodeSums,
  digestFile,
  encodeSums,
  openTar,
  problemError,
  writeBeside,
  writeNew,
} from "#bundle";
import { ExpectedError } from "#cli/errors";
import { explainedBySystem } from "#cli/system-error";
import { makeFolder } from "./output.ts";

/** A size without its unit (4 for 4GB) would fill a folder with millions of files. */
const mostParts = 9999;

export interface Parts {
  /** `X.tar.parts`: the parts in their order, then the whole, in the form of SHA256SUMS. Goes with every part. */
  readonly list: string;
  readonly parts: readonly string[];
}

/** USAGE where there is no such file, integrity codes where it is no tar: before it is cut and carried. */
export function requireTar(file: string): void {
  const [problem] = openTar(file, bundleFile(file).size, (members) => members.size > 0).problems;
  if (problem !== undefined) throw problemError(problem, file);
}

/** Writes the parts of `file`, each of at most `partSize` bytes, and their list into `folder`. Nothing there is overwritten. */
export async function splitBundle(file: string, partSize: number, folder = dirname(file)): Promise<Parts> {
  const { size } = bundleFile(file);
  const count = Math.max(1, Math.ceil(size / partSize));
  if (count > mostParts) {
    throw new ExpectedError("USAGE", `parts of ${partSize} bytes would be ${count} files`, {
      where: file,
      expected: `${mostParts} at most`,
      hint: "--size 4GB, --size 700MiB, --size 4000000000",
    });
  }
  await makeFolder(folder);
  const name = basename(file);
  const digits = Math.max(3, String(count).length);
  const made: string[] = [];
  const sums: [string, Digest][] = [];
  try {
    const whole = createHash("sha256");
    for (let number = 1; number <= count; number += 1) {
      const part = `${name}.part-${String(number).padStart(digits, "0")}`;
      const path = join(folder, part);
      const from = (number - 1) * partSize;
      const hash = createHash("sha256");
      await writeLike(file, path, rangeOf(file, from, Math.min(partSize, size - from), hash, whole));
      made.push(path);
      sums.push([part, hash.digest("hex") as Digest]);
    }
    sums.push([name, whole.digest("hex") as Digest]);
    const list = join(folder, `${name}.parts`);
    await writeLike(file, list, [encodeSums(sums)]);
    return { list, parts: made };
  } catch (failure) {
    for (const path of made) await rm(path, { force: true });
    throw failure;
  }
}

export interface CheckedParts {
  readonly problems: readonly IntegrityProblem[];
  /** How many parts the list names. */
  readonly count: number;
}

/**
 * What is wrong with the parts: each missing, cut or changed one by name. `paths`: the parts, from however many sticks,
 * and at least one list among them or beside one of them; a part that is not given is looked for beside the list.
 * MEMBER_MISSING without a list.
 */
export function checkParts(paths: readonly string[]): CheckedParts {
  const list = readList(paths);
  const hint = "copy this part again from the folder that the bundle was split into";
  const problems = list.parts.flatMap(([name, expected]): IntegrityProblem[] => {
    const path = list.paths.get(name);
    if (path === undefined) {
      return [{ member: name, code: "MEMBER_MISSING", message: "this part is not there", expected, hint }];
    }
    const { digest } = digestFile(path);
    if (digest === expected) return [];
    return [{ member: name, code: "DIGEST_MISMATCH", message: "this part was damaged", expected, found: digest, hint }];
  });
  return { problems, count: list.parts.length };
}

/** Joins parts into `output` (a new name beside it until it is whole); the first bad part is thrown by name. Gives the digest. */
export async function joinParts(paths: readonly string[], output: string): Promise<Digest> {
  const { parts, whole, where, paths: found } = readList(paths);
  const [problem] = checkParts(paths).problems;
  if (problem !== undefined) throw problemError(problem, where);
  return writeBeside(output, async (temporary) => {
    const hash = createHash("sha256");
    const contents = function* (): Generator<Buffer> {
      for (const [name] of parts) {
        const path = found.get(name) ?? name;
        yield* rangeOf(path, 0, statSync(path).size, hash);
      }
    };
    await writeLike(where, temporary, contents());
    const digest = hash.digest("hex") as Digest;
    if (digest === whole) return digest;
    const detail = { where, expected: whole, found: digest };
    throw new ExpectedError("DIGEST_MISMATCH", "the joined parts are not the bundle", detail);
  });
}

interface PartList {
  readonly parts: readonly [string, Digest][];
  readonly whole: Digest;
  /** The list's own path. */
  readonly where: string;
  /** Where each part is that is there. */
  readonly paths: ReadonlyMap<string, string>;
}

/** The list among or beside the given paths. Every list found must say the same. */
function readList(paths: readonly string[]): PartList {
  const lists = new Set<string>();
  for (const path of paths) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
      throw new ExpectedError("USAGE", "this is a folder: give the list of the parts in it", {
        where: path,
        hint: `kubeferry join ${path}/BUNDLE.tar.parts -o BUNDLE.tar`,
      });
    }
    const list = path.endsWith(".parts") ? path : path.replace(/\.part-\d+$/, ".parts");
    if (statSync(list, { throwIfNoEntry: false })?.isFile() === true) lists.add(list);
  }
  const [where, ...others] = lists;
  if (where === undefined) {
    const missing = paths.find((path) => !existsSync(path));
    if (missing !== undefined) {
      throw new ExpectedError("USAGE", "there is no such file", { where: missing, hint: "give BUNDLE.tar.parts" });
    }
    throw new ExpectedError("MEMBER_MISSING", "there is no list of the parts (a file that ends in .parts)", {
      where: paths[0],
      hint: "copy it from the folder that the bundle was split into; it belongs beside the parts",
    });
  }
  const text = readFileSync(where, "utf8");
  const other = others.find((path) => readFileSync(path, "utf8") !== text);
  if (other !== undefined) {
    throw new ExpectedError("FORMAT_INVALID", "these parts are of different bundles", {
      where,
      found: other,
      hint: "give the parts of one bundle, and its own list",
    });
  }
  const { sums, problems } = decodeSums(text);
  const entries = [...sums];
  const last = entries.pop();
  const regular = entries.every(([name], at) => name === partName(last?.[0] ?? "", at + 1, name));
  if (problems.length > 0 || last === undefined || entries.length === 0 || !regular) {
    throw new ExpectedError("FORMAT_INVALID", "this is no list of parts, or it was damaged", {
      where,
      hint: "copy BUNDLE.tar.parts again from the folder that the bundle was split into",
    });
  }
  const given = new Map(paths.map((path) => [basename(path), path]));
  const found = entries
    .map(([name]): [string, string] => [name, given.get(name) ?? join(dirname(where), name)])
    .filter(([, path]) => statSync(path, { throwIfNoEntry: false }) !== undefined);
  return { parts: entries, whole: last[1], where, paths: new Map(found) };
}

function bundleFile(path: string): { readonly size: number } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return found;
  throw new ExpectedError(
    "USAGE",
    found === undefined ? "there is no such bundle" : "only a bundle in one file is split",
    {
      where: path,
      hint: "give the .tar that kubeferry build wrote",
    },
  );
}

/** The name that part `number` must have, with as many digits as `like` has. */
function partName(whole: string, number: number, like: string): string {
  const digits = like.length - whole.length - ".part-".length;
  return `${whole}.part-${String(number).padStart(digits, "0")}`;
}

/** A new file with the mode of another: of a bundle whose secrets are not sealed, each part is as private as the whole. */
async function writeLike(like: string, path: string, content: Iterable<string | Buffer>): Promise<void> {
  try {
    await writeNew(path, content, statSync(like).mode & 0o666);
  } catch (cause) {
    const known = explainedBySystem(cause, dirname(path));
    if (known instanceof ExpectedError || !(cause instanceof Error) || !("syscall" in cause)) throw known;
    throw new ExpectedError("USAGE", "the file is there already, or cannot be made", {
      where: path,
      cause,
      hint: "choose another -o, or remove the older parts and their list",
    });
  }
}

/** Its bytes, each chunk added to the hashes. Their memory is used again. */
function* rangeOf(file: string, from: number, size: number, ...hashes: readonly Hash[]): Generator<Buffer> {
  const input = openSync(file, "r");
  try {
    const buffer = Buffer.allocUnsafe(chunkSize);
    for (let done = 0; done < size;) {
      const count = readSync(input, buffer, 0, Math.min(chunkSize, size - done), from + done);
      if (count === 0) throw new ExpectedError("TRUNCATED", "the file ends early", { where: file });
      const chunk = buffer.subarray(0, count);
      for (const hash of hashes) hash.update(chunk);
      yield chunk;
      done += count;
    }
  } finally {
    closeSync(input);
  }
}
