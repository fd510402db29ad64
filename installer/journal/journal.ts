/**
 * What was done to this host, in `<root>/var/lib/kubeferry/journal`: append-only, written and fsynced before acting.
 *
 * A record is `\n<12 hex of the sha256 of the JSON>\t<JSON>`. The line feed comes first, so that a line torn by a
 * power cut can neither be read nor harm the next one.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { type CheckEntry, digestOf, type Digest, type Platform, type Role, type WrittenEntry } from "#bundle";
import type { Change, OtherNodes, Phase } from "../resources/resource.ts";
import { ExpectedError } from "#cli/errors";
import { isFull, noSpace } from "./space.ts";

/** Who and what a transaction is about. */
export interface Header {
  readonly command: string;
  /** Absent: a first installation. `renew`: certificates of `bundle`'s installation, `restore-etcd`: data; no software. */
  readonly action?: "upgrade" | "renew" | "restore-etcd";
  /** Of a renewal: the payload digest of the bundle, or `this node`. */
  readonly renewedFrom?: string;
  /** Of a restored etcd: the snapshot's digest, or what else its data are made of. */
  readonly restoredFrom?: string;
  readonly bundle: {
    readonly payload: Digest;
    readonly where: string;
    readonly cluster: string;
    readonly release: string;
    readonly locked: string;
    readonly kubernetes?: string | null;
    /** Version by component. */
    readonly components?: Readonly<Record<string, string>>;
  };
  /** `profile`: the node of the bundle; `name`, `ip`, `iface`: what its tokens were replaced by. */
  readonly node: {
    readonly profile: string;
    readonly name: string;
    readonly ip: string;
    readonly iface: string | null;
  };
  readonly roles: readonly Role[];
  readonly platform: Platform;
  readonly live: boolean;
  /** False with `--no-start`: units were enabled, and started by nobody. */
  readonly started?: false;
  /** Whether it is the only member of etcd: then its health depends on no other host. */
  readonly alone: boolean;
  /** Who has the cluster besides this host. Absent: installed by an older Kubeferry. */
  readonly others?: OtherNodes;
  readonly installer: string;
  /** What an auditor should know about the bundle: secrets that travelled in plain text, digests trusted on first use. */
  readonly notes: readonly string[];
  /** Health checks of this node, with its own address and name in them. */
  readonly checks: readonly CheckEntry[];
  /** Files that hold this node's certificates: PEM, or kubeconfigs. */
  readonly certificates?: readonly { readonly path: string; readonly subject: string }[];
  /** What this node's programs write by design. Absent: installed by an older Kubeferry. */
  readonly written?: readonly WrittenEntry[];
  /** Ancestors of the journal's folder that did not exist before, outermost first. */
  readonly made: readonly string[];
}

/** Of the records and of what is in them. Every journal of another one is refused: read wrongly, it would be undone wrongly. */
export const journalFormat = 2;

export type JournalRecord =
  | ({ readonly type: "begin"; readonly id: number; readonly at: string; readonly format: number } & Header)
  /** As it was planned: everything that belongs to the installation, what was there already included. */
  | { readonly type: "phase"; readonly id: number; readonly phase: Phase }
  | {
      readonly type: "change";
      readonly id: number;
      readonly n: number;
      readonly phase: string;
      readonly change: Change;
    }
  /** All changes are recorded; from here on the host may be changed. */
  | { readonly type: "ready"; readonly id: number; readonly phases: number; readonly changes: number }
  | { readonly type: "done"; readonly id: number; readonly n: number }
  | { readonly type: "commit"; readonly id: number; readonly at: string }
  | { readonly type: "undo"; readonly id: number; readonly at: string }
  | { readonly type: "undone"; readonly id: number; readonly n: number }
  /** Everything of this transaction has been taken back. */
  | { readonly type: "gone"; readonly id: number; readonly at: string };

export interface Journal {
  /** JOURNAL_INVALID where there are records, and none of them can be read. */
  read(): JournalRecord[];
  /** Durable when it returns. NO_SPACE. */
  append(...records: readonly JournalRecord[]): void;
}

/** The journal in a file, which is made (0600) when it is missing. */
export function fileJournal(path: string): Journal {
  return {
    read() {
      const text = textAt(path);
      const records = decodeRecords(text);
      // A recording that is cut off in its first record leaves one torn line, a second one another: nothing was changed by then.
      const lines = text.split("\n").filter((line) => line !== "").length;
      if (records.length === 0 && lines > 2) throw unreadable(path, lines);
      return records;
    },
    append(...records) {
      appendDurably(path, Buffer.from(records.map(encodeRecord).join("")));
      if (records.some(({ type }) => type === "begin")) syncDirectory(dirname(path));
    },
  };
}

/** Empty where there is no file. */
function textAt(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return "";
    throw error;
  }
}

function unreadable(where: string, lines: number): ExpectedError {
  return new ExpectedError("JOURNAL_INVALID", `none of the ${lines} records of the journal can be read`, {
    where,
    hint: "keep a copy of /var/lib/kubeferry and restore the journal from a backup",
  });
}

/** NO_SPACE on a full disk: what may be there of it then is a torn line. */
function appendDurably(path: string, bytes: Buffer): void {
  const file = fs.openSync(path, "a", 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(file, bytes, done);
    fs.fsyncSync(file);
  } catch (error) {
    throw isFull(error) ? noSpace(dirname(path), "the file system of the journal is full", error) : error;
  } finally {
    fs.closeSync(file);
  }
}

export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `\n${digestOf(json).slice(0, 12)}\t${json}`;
}

/** The records of a journal's text. Lines that are not whole are left out. */
export function decodeRecords(text: string): JournalRecord[] {
  return text.split("\n").flatMap((line) => {
    const json = line.slice(13);
    return line[12] === "\t" && line.slice(0, 12) === digestOf(json).slice(0, 12)
      ? [JSON.parse(json) as JournalRecord]
      : [];
  });
}

function syncDirectory(path: string): void {
  const file = fs.openSync(path, "r");
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}
