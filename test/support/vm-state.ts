/** A complete description of a guest, and the difference of two of them in lines that a person can read. */
import type { Machine } from "../../scripts/vm/machine.ts";
import { parseFiles, type FileRecord } from "./vm-files.ts";

/** Section (`files`, `sysctl` …) → what is in it → how it is. */
export interface State {
  readonly sections: Readonly<Record<string, ReadonlyMap<string, string>>>;
  /** For the next capture: a file whose inode, size and times are the same is not read again. */
  readonly files: ReadonlyMap<string, FileRecord>;
}

/**
 * Not compared, each for its reason. /proc, /sys, /dev and /run are other file systems and so never walked.
 */
const prunedPaths = [
  "/var/log", // logs grow
  "/tmp", // emptied by every boot
  "/var/tmp", // systemd's private folders are named anew by every boot
  "/lost+found", // ext4's own
  "/var/lib/systemd/random-seed", // written by every shutdown
  "/var/lib/systemd/catalog/database", // the journal's index of texts
];

/** Kernel values that count, are drawn at random, or follow from the amount of free memory. */
const movingSysctls = [
  /^kernel\.random\./,
  /^kernel\.(ns_last_pid|pty\.nr|sched_domain)/,
  /^fs\.(dentry-state|file-nr|inode-nr|inode-state|quota\.)/,
  /^net\.netfilter\.nf_conntrack_count$/,
  /^(fs\.fanotify\.max_user_marks|user\.max_fanotify_marks|vm\.user_reserve_kbytes|net\.ipv4\.(tcp|udp)_mem)$/,
];

/**
 * What systemd makes and drops by itself: transient units of the test's own commands, devices as udev sees them, services
 * that D-Bus starts for a question (timedatectl) and that end after half a minute, and a mere mark in the boot that is
 * reached as soon as any unit names it and stays so until the next boot.
 */
const movingUnits =
  /^(run-[ru][0-9a-f]+\.\S*|\S+\.device|blockdev@\S+|systemd-(timedated|hostnamed|localed)\.service|network-online\.target) /;

/** Commands whose lines are compared; a line's first word is what, the rest is how it is. */
const questions: Readonly<Record<string, string>> = {
  // First, since asking loads nf_tables, which is then among the modules of every capture.
  firewall: "nft list ruleset | sed -E 's/packets [0-9]+ bytes [0-9]+//' | awk '{ print NR \" \" $0 }'",
  sysctl: "sysctl --all 2>/dev/null | sed 's/ = / /; s/ =$/ /'",
  module: "cut -d' ' -f1 /proc/modules",
  unit: "systemctl list-units --all --full --plain --no-legend | awk '{ print $1, $2, $3, $4 }'",
  "unit file": "systemctl list-unit-files --full --plain --no-legend | awk '{ print $1, $2 }'",
  swap: "awk 'NR > 1 { print $1, $2, $3, $5 }' /proc/swaps",
  // The size of /dev follows from the amount of free memory.
  mount: "awk '{ sub(/,size=[0-9]+k,nr_inodes=[0-9]+/, \"\", $4); print $2, $1, $3, $4 }' /proc/1/mounts",
  fstab: "awk '{ print NR, $0 }' /etc/fstab",
  link: "ip -brief link | awk '{ print $1, $2, $3 }'",
  route: "ip route show table all | awk '{ gsub(/ /, \"_\", $0); print }'",
};

/** Describes the guest. With `since`, only files that differ by inode, size or times from it are read again. */
export async function captureState(machine: Machine, since: State | null = null): Promise<State> {
  const sections: Record<string, Map<string, string>> = {};
  for (const [section, script] of Object.entries(questions)) {
    const lines = (await machine.run(script)).split("\n").filter((line) => line !== "" && !isMoving(section, line));
    sections[section] = new Map(lines.map((line) => splitOnce(line)));
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

async function captureFiles(machine: Machine, since: State | null): Promise<Map<string, FileRecord>> {
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

function isMoving(section: string, line: string): boolean {
  if (section === "sysctl") return movingSysctls.some((pattern) => pattern.test(line.split(" ")[0] ?? ""));
  return section === "unit" && movingUnits.test(`${line} `);
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(" ");
  return at === -1 ? [line, "present"] : [line.slice(0, at), line.slice(at + 1)];
}
