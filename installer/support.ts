/** `./install support`: one archive that a person who was not here can work with. No file of the node, no secret. */
import { writeTar } from "#bundle";
import { redact } from "#kit/errors";
import type { Finding } from "./checks/check.ts";
import { findDrift } from "./checks/drift.ts";
import { checkHealth } from "./checks/health.ts";
import type { Context } from "./context.ts";
import { gatherFacts } from "./host/facts.ts";
import type { HostReader } from "./host/host.ts";
import { createLocalHost } from "./host/local.ts";
import type { JournalRecord } from "./journal/journal.ts";
import { stateOf } from "./journal/state.ts";
import { type Transaction, transactions } from "./journal/transaction.ts";
import type { UnitSpec } from "./operations/unit.ts";

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

/** Writes the archive to `output`, which must not exist. */
export async function support(root: string, output: string, { reporter, now }: Context): Promise<void> {
  const state = stateOf(root);
  const records = state.journal.read();
  const present = transactions(records).filter((one) => one.state !== "gone");
  const host = createLocalHost({ root, contents: state.contents });
  const members = new Map<string, string>();
  members.set("facts.json", json({ at: now().toISOString(), ...(await gatherFacts(host)) }));
  members.set("journal.ndjson", records.map((record) => JSON.stringify(withoutTexts(record))).join("\n"));
  members.set("findings.json", json(await findings(host, present)));
  if (host.live) {
    for (const [name, ...argv] of questions) members.set(`host/${name}.txt`, await answer(host, argv));
    for (const unit of unitsOf(present)) {
      members.set(`units/${unit}.status.txt`, await answer(host, ["systemctl", "status", "--no-pager", "-l", unit]));
      members.set(`units/${unit}.log`, await answer(host, ["journalctl", "-u", unit, "-n", "2000", "--no-pager"]));
    }
  }
  const list = [...members].map(([path, text]) => ({ path, mode: 0o600, content: Buffer.from(redact(`${text}\n`)) }));
  writeTar(output, list);
  reporter.record("support", { output, members: list.map(({ path }) => path) });
  reporter.stage("support", `${list.length} files in ${output}`);
}

async function findings(host: HostReader, present: readonly Transaction[]): Promise<Finding[]> {
  const found = [...(await findDrift(host, present)).findings];
  if (!host.live) return found;
  for (const { checks, alone } of present.map(({ header }) => header)) {
    for (const check of checks) found.push(await checkHealth(host, check, alone));
  }
  return found;
}

function unitsOf(present: readonly Transaction[]): string[] {
  const operations = present.flatMap(({ phases }) => phases.flatMap((phase) => phase.operations));
  const names = operations.filter(({ kind }) => kind === "unit").map(({ spec }) => (spec as UnitSpec).name);
  return [...new Set(names)].toSorted();
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
