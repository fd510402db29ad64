/** The tars that people have: what each makes of an archive, as root would unpack it. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { digestOf } from "#bundle";
import { requirePackages } from "./packages.ts";

/** What is at a path: type, mode, owner (as root) and content; folders are not listed. */
export type UnpackedTree = Readonly<Record<string, string>>;

export interface TarProgram {
  readonly name: string;
  /** Unpacks into a new folder and removes it again; rejects where the program ends with an error. */
  unpack(archive: string, folder: string): Promise<UnpackedTree>;
  close(): void;
}

const commands: readonly (readonly [name: string, ...argv: string[]])[] = [
  ["GNU tar", "tar", "--warning=all"],
  ["busybox tar", "busybox", "tar"],
  ["bsdtar", "bsdtar"],
];

/** GNU tar, busybox tar, bsdtar and Python's tarfile. */
export function tarPrograms(): TarProgram[] {
  requirePackages("tar", "busybox", "libarchive-tools", "python3");
  return [...commands.map(([name, ...argv]) => command(name, argv)), python()];
}

/** What one file is, in the words of {@link UnpackedTree}. */
export function unpackedFile(mode: number, content: Buffer): string {
  return describe("file", mode, 0, 0, content);
}

function command(name: string, [program = "", ...first]: readonly string[]): TarProgram {
  return {
    name,
    async unpack(archive, folder) {
      return treeOf(folder, () => {
        execFileSync(program, [...first, "-x", "-p", "-f", archive, "-C", folder], { stdio: "pipe" });
      });
    },
    close() {},
  };
}

/** One interpreter for all archives: to start it costs more than to unpack. */
function python(): TarProgram {
  const program = `
import sys, tarfile
for line in sys.stdin:
    archive, folder = line.rstrip("\\n").split("\\t")
    try:
        with tarfile.open(archive, "r:") as tar:
            tar.extraction_filter = lambda member, path: member
            tar.extractall(folder)
        print("done", flush=True)
    except Exception as error:
        print("failed:", repr(error), flush=True)
`;
  let child: ChildProcessWithoutNullStreams | undefined;
  let answers: AsyncIterator<string> | undefined;
  return {
    name: "Python's tarfile",
    async unpack(archive, folder) {
      child ??= spawn("/usr/bin/python3", ["-c", program], { stdio: "pipe" });
      answers ??= createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const [input, output] = [child.stdin, answers];
      return treeOf(folder, async () => {
        input.write(`${archive}\t${folder}\n`);
        const answer = await output.next();
        if (answer.value !== "done") throw new Error(String(answer.value));
      });
    },
    close() {
      child?.stdin.end();
    },
  };
}

async function treeOf(folder: string, unpack: () => void | Promise<void>): Promise<UnpackedTree> {
  mkdirSync(folder);
  try {
    await unpack();
    const found = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
    return Object.fromEntries(found.flatMap((path) => entryOf(path, join(folder, path))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function entryOf(path: string, file: string): [string, string][] {
  const stat = lstatSync(file);
  const { mode, uid, gid } = stat;
  if (stat.isDirectory()) return [];
  const isFile = stat.isFile();
  const content = isFile ? readFileSync(file) : Buffer.alloc(0);
  return [[path, describe(isFile ? "file" : "other", mode & 0o7777, uid, gid, content)]];
}

function describe(type: string, mode: number, uid: number, gid: number, content: Buffer): string {
  const owner = process.getuid?.() === 0 ? ` ${uid}:${gid}` : "";
  return `${type} ${mode.toString(8)}${owner} ${content.length} ${digestOf(content)}`;
}
