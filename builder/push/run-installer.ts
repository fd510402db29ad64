/** `./install` on a host: its words, its records as they come, and how it ended. */
import { posix } from "node:path";
import { ExpectedError, exitCodeOf, isErrorCode } from "#cli/errors";
import type { Connection } from "./connection.ts";
import type { Host } from "./inventory.ts";
import { lastLine, type Probe, runAsRoot, shellOver } from "./remote.ts";

export type Action = "install" | "upgrade" | "audit";

export interface Running {
  readonly action: Action;
  readonly host: Host;
  readonly connection: Connection;
  readonly probe: Probe;
  /** The bundle's folder on the host. */
  readonly folder: string;
  readonly dryRun: boolean;
  /** For the node's secrets; null where none is needed. Goes by standard input, and is written nowhere. */
  readonly key: string | null;
  /** minisign's public keys, as text. */
  readonly publicKeys: readonly string[];
  readonly require: number | undefined;
  readonly signal: AbortSignal;
  /** One record that ./install printed. */
  readonly record: (record: InstallerRecord) => void;
}

export type InstallerRecord = { readonly type: string } & Readonly<Record<string, unknown>>;

/**
 * How many effects it had, performed or only shown. Throws what ./install ended with, under its own code; and PREFLIGHT after
 * a dry-run that found what would keep it from beginning, which it shows and ends with 0.
 */
export async function runInstaller(running: Running): Promise<{ effects: number }> {
  const { connection, probe, key, signal, dryRun } = running;
  let effects = 0;
  const unfit: { message: string }[] = [];
  let failure: InstallerRecord | undefined;
  const program = await programFor(running);
  const words = [...probe.root.words, program, ...wordsFor(running)];
  const { code, err } = await runAsRoot(connection, { words: [], input: probe.root.input }, shellOver(words), {
    input: key === null ? "" : `${key}\n`,
    signal,
    onLine(line) {
      const record = recordIn(line);
      if (record === null) return;
      if (record.type === "effect") effects += 1;
      if (record.type === "error") failure ??= record;
      if (record.type === "finding" && record["severity"] === "error") unfit.push({ message: findingText(record) });
      running.record(record);
    },
  });
  if (code !== 0) throw failureOf(code, failure, err, unfit);
  if (dryRun && unfit.length > 0)
    throw new ExpectedError("PREFLIGHT", "this host is not fit; nothing was changed", { problems: unfit });
  return { effects };
}

/** An audit is made by the installer that the host keeps, since what is installed is its. */
async function programFor({ action, host, connection, probe, folder }: Running): Promise<string> {
  const carried = posix.join(folder, "install");
  if (action !== "audit") return carried;
  for (const path of [posix.join(host.root ?? "/", "var/lib/kubeferry/install"), carried])
    if ((await runAsRoot(connection, probe.root, ["test", "-x", path])).code === 0) return path;
  throw new ExpectedError("NOT_INSTALLED", "nothing is installed there, and the bundle is not there either", {
    where: carried,
  });
}

/** Its command line, without anything that is secret. */
function wordsFor({ action, host, dryRun, key, publicKeys, require }: Omit<Running, "connection" | "probe">): string[] {
  const trust = trustWords(publicKeys, require);
  const common = [...(host.root === null ? [] : ["--root", host.root]), ...trust, "--json"];
  if (action === "audit") return ["audit", ...common];
  return [
    action === "install" ? "apply" : "upgrade",
    ...["--role", host.roles.join(","), "--ip", host.ip],
    ...(host.name === null ? [] : ["--name", host.name]),
    ...(key === null ? [] : ["--key", "/dev/stdin"]),
    "--partial",
    ...(dryRun ? ["--dry-run"] : ["--yes"]),
    ...common,
  ];
}

/** How `./install` is told whose signatures the bundle must have; `publicKeys` as text. */
export function trustWords(publicKeys: readonly string[], require: number | undefined): string[] {
  return [
    ...publicKeys.flatMap((one) => ["--public-key", one]),
    ...(require === undefined ? [] : ["--require", String(require)]),
  ];
}

function recordIn(line: string): InstallerRecord | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("type" in value) || typeof value.type !== "string")
      return null;
    return value as InstallerRecord;
  } catch {
    return null;
  }
}

/** Its own error where it told one; else what its launcher said on stderr. */
function failureOf(
  code: number,
  record: InstallerRecord | undefined,
  err: string,
  unfit: readonly { message: string }[],
): ExpectedError {
  const text = (key: string): string | undefined => {
    const value = record?.[key];
    return typeof value === "string" ? value.slice(0, 4000) : undefined;
  };
  const named = text("code");
  if (named !== undefined && isErrorCode(named) && exitCodeOf(named) === code) {
    return new ExpectedError(named, text("message") ?? "./install failed", {
      where: text("where"),
      expected: text("expected"),
      found: text("found"),
      hint: text("hint"),
      problems: problemsOf(record?.["problems"]) ?? (named === "PREFLIGHT" ? unfit : undefined),
    });
  }
  // The launcher changes nothing: it only looks whether the installer can run.
  const known = code === 5 ? "DIGEST_MISMATCH" : code === 6 ? "PREFLIGHT" : "HOST_FAILED";
  const said = err.trim().split("\n").slice(-6).join("\n");
  return new ExpectedError(known, `./install ended with ${code}`, {
    found: said === "" ? "it said nothing" : said,
    hint: lastLine(err).replace(/^\s*next: /, ""),
  });
}

/** A finding, and what to do about it. */
function findingText({ check, message, hint }: InstallerRecord): string {
  const next = typeof hint === "string" ? `\n    next: ${hint.slice(0, 1000)}` : "";
  return `${String(check)}: ${String(message).slice(0, 2000)}${next}`;
}

function problemsOf(value: unknown): { message: string }[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.slice(0, 100).flatMap((one: unknown) => {
    const message = typeof one === "object" && one !== null && "message" in one ? one.message : undefined;
    return typeof message === "string" ? [{ message: message.slice(0, 2000) }] : [];
  });
}
