/** `./install support`: one archive that a person who was not here can work with. No file of the node, no secret. */
import { dirname } from "node:path";
import { writeTar } from "#bundle";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import type { Finding } from "#cli/finding";
import type { Reporter } from "#cli/reporter";
import { version } from "#cli/version";
import { findDrift } from "../checks/drift.ts";
import { checkHealth } from "../checks/health.ts";
import type { Context } from "../context.ts";
import { gatherFacts } from "../host/facts.ts";
import type { HostReader } from "../host/host.ts";
import { currentTransactions, foldGoals, onHost } from "../journal/installed.ts";
import type { JournalRecord } from "../journal/journal.ts";
import { type Transaction, transactions } from "../journal/transaction.ts";
import { goalsIn, idsOf } from "../resources/catalogue.ts";
import { hider } from "../support/redact.ts";
import { openInstallation } from "../transaction/installation.ts";

/** What programs of the host say about it; one that is not there says so. */
const questions: readonly (readonly [name: string, ...argv: string[]])[] = [
  ["uname", "uname", "-a"],
  ["addresses", "ip", "address"],
  ["routes", "ip", "route", "show", "table", "all"],
  ["sockets", "ss", "-lntup"],
  ["mounts", "findmnt", "--raw"],
  ["room", "df", "-h"],
  ["inodes", "df", "-i"],
  ["memory", "free", "-m"],
  ["swaps", "cat", "/proc/swaps"],
  ["modules", "cat", "/proc/modules"],
  ["failed-units", "systemctl", "--failed", "--no-legend"],
  ["time", "timedatectl"],
  ["kernel-log", "journalctl", "-k", "-n", "500", "--no-pager"],
];
const logLines = 500;

export interface SupportRequest {
  readonly root: string;
  /** Must not exist. */
  readonly output: string;
  /** Runs preflight with a reporter; null where no bundle is at hand. */
  readonly preflight: ((reporter: Reporter) => Promise<void>) | null;
}

/** Writes the archive, readable by its owner only. */
export async function support({ root, output, preflight }: SupportRequest, context: Context): Promise<void> {
  const { reporter } = context;
  const { host, records } = openInstallation(root);
  const members = await supportMembers(host, records, context.now());
  const asked = preflight === null ? null : await preflightFindings(preflight, reporter);
  if (asked !== null) members.set("preflight.json", asked);
  const list = [...members].map(([path, text]) => ({ path, mode: 0o600, content: Buffer.from(`${text}\n`) }));
  try {
    writeTar(output, list, undefined, 0o600);
  } catch (cause) {
    const noFolder = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const why = noFolder ? "there is no such folder" : messageOf(cause);
    const hint = noFolder ? `mkdir -p ${dirname(output)}` : `rm ${output}, or name another: ./install support -o FILE`;
    throw new ExpectedError("USAGE", `the archive cannot be written: ${why}`, {
      where: output,
      cause,
      hint,
    });
  }
  reporter.record("support", { output, members: list.map(({ path }) => path) });
  reporter.stage("support", `${list.length} files in ${output}`);
}

/** Texts by their name in the archive, every secret hidden. */
export async function supportMembers(
  host: HostReader,
  records: readonly JournalRecord[],
  now: Date,
): Promise<Map<string, string>> {
  const all = transactions(records);
  const installed = [...foldGoals(onHost(all)).values()];
  const members = new Map<string, string>();
  members.set("facts.json", json({ at: now.toISOString(), ...(await gatherFacts(host)) }));
  members.set("versions.json", json(versions(all)));
  members.set("journal.ndjson", records.map((record) => JSON.stringify(withoutTexts(record))).join("\n"));
  members.set("findings.json", json(await findings(host, all)));
  if (host.live) {
    for (const [name, ...argv] of questions) members.set(`host/${name}.txt`, await answer(host, argv));
    const units = idsOf("unit", installed).map(({ name }) => name);
    for (const unit of units.toSorted()) {
      members.set(`units/${unit}.status.txt`, await answer(host, ["systemctl", "status", "--no-pager", "-l", unit]));
      const log = ["journalctl", "-u", unit, "-n", String(logLines), "--no-pager"];
      members.set(`units/${unit}.log`, await answer(host, log));
    }
  }
  const hide = await hider(host, idsOf("file", all.flatMap(goalsIn)));
  return new Map([...members].map(([path, text]) => [path, hide(text)]));
}

function versions(all: readonly Transaction[]): Record<string, unknown> {
  return {
    installer: version(),
    installed: currentTransactions(all).map(({ id, at, state, header }) => {
      const { bundle, roles, installer, notes } = header;
      return { id, at, state, installer, bundle, roles, notes };
    }),
  };
}

async function findings(host: HostReader, all: readonly Transaction[]): Promise<Finding[]> {
  const { findings: found } = await findDrift(host, all);
  const health: Finding[] = [];
  if (host.live) {
    for (const { checks, alone } of currentTransactions(all).map(({ header }) => header)) {
      for (const check of checks) health.push(await checkHealth(host, check, alone));
    }
  }
  return [...found, ...health];
}

/** What preflight says, as its records; one that stops early says why. */
async function preflightFindings(preflight: (reporter: Reporter) => Promise<void>, base: Reporter): Promise<string> {
  const records: Record<string, unknown>[] = [];
  const silent = (): void => {};
  const collecting: Reporter = {
    ...base,
    json: true,
    stage: silent,
    info: silent,
    warn: (message) => records.push({ type: "warning", message }),
    progress: silent,
    record: (type, data) => void (type === "finding" && records.push(data)),
    error: silent,
  };
  try {
    await preflight(collecting);
  } catch (error) {
    if (!isExpected(error)) throw error;
    records.push({ type: "error", message: messageOf(error) });
  }
  return json(records);
}

/** Texts of the host's own files (fstab with a share's password, hosts) stay on the host. */
function withoutTexts(record: JournalRecord): unknown {
  return JSON.parse(JSON.stringify(record, (key, value: unknown) => (key === "text" ? "[left out]" : value)));
}

async function answer(host: HostReader, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.query(argv, { timeoutSeconds: 30 });
  return `$ ${argv.join(" ")}\n${stdout}${stderr === "" ? "" : `\n${stderr}`}${code === 0 ? "" : `\n(exit code ${code})`}`;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
