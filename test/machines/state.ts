/** A complete description of a guest, and the difference of two of them in lines that a person can read. */
import { parseFiles, type FileRecord } from "./files.ts";
import { isMoving, questions } from "./questions.ts";
import type { Host } from "./host.ts";

/** Section (`files`, `sysctl` …) → what is in it → how it is. */
export interface State {
  readonly sections: Readonly<Record<string, ReadonlyMap<string, string>>>;
  /** For the next capture: a file whose inode, size and times are the same is not read again. */
  readonly files: ReadonlyMap<string, FileRecord>;
}

/**
 * Not compared, each for its reason. /proc, /sys and /dev are other file systems and so never walked; /run is one and has
 * its own section.
 */
const prunedPaths = [
  "/var/log", // logs grow; their names have a section of their own
  "/tmp", // emptied by every boot
  "/var/tmp", // systemd's private folders are named anew by every boot
  "/lost+found", // ext4's own
  "/var/lib/systemd/random-seed", // written by every shutdown
  "/var/lib/systemd/catalog/database", // the journal's index of texts
];

/** Describes the guest. With `since`, only files that differ by inode, size or times from it are read again. */
export async function captureState(machine: Host, since: State | null = null): Promise<State> {
  const sections: Record<string, Map<string, string>> = {};
  for (const [section, script] of Object.entries(questions)) {
    const lines = (await machine.run(script)).split(/\s*\n/).filter((line) => line !== "");
    sections[section] = new Map(lines.map((line) => splitOnce(line)).filter(([what]) => !isMoving(section, what)));
  }
  const files = await captureFiles(machine, since);
  sections["file"] = new Map([...files].map(([path, file]) => [path, `${file.how} ${file.sha256 ?? ""}`.trim()]));
  return { sections, files };
}

/** Lines such as `file /etc/fstab: … → …`, `sysctl net.x: absent → 1`; empty when both are equal. */
export function differences(before: State, after: State): string[] {
  return Object.keys(before.sections).flatMap((section) => {
    const old = before.sections[section] ?? new Map<string, string>();
    const now = after.sections[section] ?? new Map<string, string>();
    return [...new Set([...old.keys(), ...now.keys()])]
      .filter((what) => old.get(what) !== now.get(what))
      .map((what) => `${section} ${what}: ${old.get(what) ?? "absent"} → ${now.get(what) ?? "absent"}`)
      .toSorted();
  });
}

/** As text, for a machine that is kept and described again by another process. */
export function encodeState({ sections, files }: State): string {
  const plain = Object.entries(sections).map(([section, lines]) => [section, [...lines]]);
  return JSON.stringify({ sections: plain, files: [...files] });
}

export function decodeState(text: string): State {
  const { sections, files } = JSON.parse(text) as {
    sections: [string, [string, string][]][];
    files: [string, FileRecord][];
  };
  const maps = sections.map(([section, lines]): [string, Map<string, string>] => [section, new Map(lines)]);
  return { sections: Object.fromEntries(maps), files: new Map(files) };
}

/** Data that the installed programs write; a journal and the ids in it are of one installation. */
const livingData = /^\/var\/lib\/(etcd|containerd|docker|kubeferry)\//;

/** As {@link differences}, for two installations: without what follows from when they were made, and their data. */
export function installedDifferences(wanted: State, found: State): string[] {
  return differences(withoutTimes(wanted), withoutTimes(found));
}

function withoutTimes(state: State): State {
  const files = [...(state.sections["file"] ?? [])].filter(([path]) => !livingData.test(path));
  const timeless = files.map(([path, how]): [string, string] => [path, how.replace(/ bytes \S+/, " bytes")]);
  return { files: state.files, sections: { ...state.sections, file: new Map(timeless) } };
}

async function captureFiles(machine: Host, since: State | null): Promise<Map<string, FileRecord>> {
  const pruned = prunedPaths.map((path) => `-path ${path}`).join(" -o ");
  const list = `find / -xdev \\( ${pruned} \\) -prune -o -printf '%y|%m|%U:%G|%s|%T@|%C@|%i|%p|%l\\n'`;
  const files = parseFiles(await machine.run(list));
  const unread: string[] = [];
  for (const [path, file] of files) {
    const old = since?.files.get(path);
    if (old !== undefined && old.identity === file.identity) file.sha256 = old.sha256;
    else if (file.how.startsWith("f ")) unread.push(path);
  }
  // Sizes of an answer and of a question are limited: so many paths at once.
  for (let first = 0; first < unread.length; first += 4000) {
    const input = unread.slice(first, first + 4000).join("\n");
    const sums = await machine.run("xargs -d '\\n' -P 2 -n 100 sha256sum", { input });
    for (const line of sums.split("\n")) {
      const file = files.get(line.slice(66));
      if (file !== undefined) file.sha256 = line.slice(0, 64);
    }
  }
  return files;
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(" ");
  return at === -1 ? [line, "present"] : [line.slice(0, at), line.slice(at + 1)];
}
