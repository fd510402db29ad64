/** An audit finds each kind of drift, names it, and finds nothing on a clean node. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type Digest, digestOf } from "#bundle";
import { findDrift } from "../../../installer/checks/drift.ts";
import type { Stat } from "../../../installer/host/host.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import type { Transaction } from "../../../installer/journal/transaction.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import type { Goal } from "../../../installer/resources/resource.ts";
import { FakeHost } from "../../fakes/fake-host.ts";

const owner = { uid: 0, gid: 0 };
const unitText = "[Service]\nExecStart=/opt/ferry/bin/serve --state=/opt/ferry/bin/state.db\n";
const link = "/etc/systemd/system/multi-user.target.wants/serve.service";

/** Runs serve as process 7. */
class Running extends FakeHost {
  exe = "/opt/ferry/bin/serve";
  running = "program";
  reload = "no";
  override async query(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    if (argv[1] !== "show") return super.query(argv);
    return { code: 0, stdout: `MainPID=7\nNeedDaemonReload=${this.reload}\n`, stderr: "" };
  }
  override async stat(path: string): Promise<Stat | null> {
    return path === "/proc/7/exe" ? { type: "symlink", target: this.exe, device: 1 } : super.stat(path);
  }
  override async digest(path: string): Promise<Digest> {
    return path === "/proc/7/exe" ? digestOf(this.running) : super.digest(path);
  }
}

const file = (path: string, text: string, mode = 0o644): Goal =>
  goal("file", { path, mode, owner, digest: digestOf(text), size: text.length, sensitive: false });
const goals: Goal[] = [
  goal("directory", { path: "/opt/ferry/bin", mode: 0o755, owner, implied: false }),
  file("/opt/ferry/bin/serve", "program", 0o755),
  file("/etc/systemd/system/serve.service", unitText),
  goal("sysctl", { key: "vm.swappiness", value: "0", policy: "set", broughtBy: null }),
  goal("unit", {
    name: "serve.service",
    file: "/etc/systemd/system/serve.service",
    links: [link],
    start: true,
    noBlock: false,
    restartOn: [],
  }),
];
const transaction: Transaction = {
  id: 1,
  at: "2026-11-21T00:00:00Z",
  header: { roles: ["worker"], bundle: { payload: digestOf("p") }, notes: [], checks: [] } as unknown as Header,
  phases: [{ name: "all", goals, gates: [] }],
  changes: goals.map((entry, n) => ({ n, phase: "all", change: { ...entry, before: null, after: null } })),
  done: new Set(goals.map((_, n) => n)),
  undone: new Set(),
  state: "committed",
};

let host: Running;
beforeEach(() => {
  host = new Running();
  host.directory("/opt/ferry/bin");
  host.file("/opt/ferry/bin/serve", "program", 0o755);
  host.file("/etc/systemd/system/serve.service", unitText);
  host.link(link, "/etc/systemd/system/serve.service");
  host.system.sysctls.set("/proc/sys/vm/swappiness", "0");
});

async function found(): Promise<string[]> {
  const { findings } = await findDrift(host, [transaction]);
  return findings.map(({ check, message }) => `${check}: ${message}`);
}

test("a clean node has none, and the audit says how much it looked at", async () => {
  const { findings, counts } = await findDrift(host, [transaction]);
  assert.deepEqual(findings, []);
  assert.deepEqual(counts, { files: 2, directories: 1, units: 1, settings: 1 });
});

test("one changed byte, with both digests", async () => {
  host.file("/opt/ferry/bin/serve", "prograM", 0o755);
  const { findings } = await findDrift(host, [transaction]);
  assert.deepEqual(
    findings.map(({ check, expected, found }) => [check, expected, found]),
    [["changed", digestOf("program"), digestOf("prograM")]],
  );
});

test("mode, owner, and a directory's", async () => {
  host.file("/opt/ferry/bin/serve", "program", 0o777, { uid: 1000, gid: 0 });
  host.entries.set("/opt/ferry/bin", { type: "directory", mode: 0o777, owner });
  assert.deepEqual(await found(), [
    "mode: /opt/ferry/bin/serve has another mode",
    "owner: /opt/ferry/bin/serve has another owner",
    "mode: /opt/ferry/bin has another mode",
  ]);
});

test("a unit that was removed, disabled, masked or added to", async () => {
  host.entries.delete("/etc/systemd/system/serve.service");
  host.entries.delete(link);
  host.link("/run/systemd/system/serve.service", "/dev/null");
  host.file("/etc/systemd/system/serve.service.d/override.conf", "[Service]\nUser=nobody\n");
  assert.deepEqual(await found(), [
    "missing: /etc/systemd/system/serve.service is gone",
    `missing: ${link} no longer enables serve.service`,
    "extra: /etc/systemd/system/serve.service.d/override.conf changes serve.service",
    "changed: serve.service is masked",
  ]);
});

test("a process that runs another program than the installed one, though the file is right", async () => {
  host.exe = "/opt/ferry/bin/serve (deleted)";
  assert.deepEqual(await found(), [], "replaced by the very same bytes, as undo and apply may do");
  host.running = "an older program";
  assert.deepEqual(await found(), [
    "running: serve.service runs another /opt/ferry/bin/serve than the one that was installed",
  ]);
  host.exe = "/tmp/intruder (deleted)";
  assert.deepEqual(await found(), ["running: serve.service runs a /tmp/intruder that is no longer on the disk"]);
  host.exe = "/tmp/intruder";
  assert.deepEqual(await found(), ["running: serve.service runs a program that was not installed"]);
});

test("the kept installer may have been exchanged below what runs from it, but not be gone", async () => {
  host.exe = "/var/lib/kubeferry/install (deleted)";
  assert.deepEqual(await found(), [
    "running: serve.service runs a /var/lib/kubeferry/install that is no longer on the disk",
  ]);
  host.file("/var/lib/kubeferry/install", "a newer one", 0o700);
  assert.deepEqual(await found(), []);
});

test("a unit that systemd has loaded as it was before", async () => {
  host.reload = "yes";
  assert.deepEqual(await found(), [
    "running: serve.service is loaded by systemd as it was before a file of it changed",
  ]);
});

test("a stranger's file in our directory; but not what a unit names as its own", async () => {
  host.file("/opt/ferry/bin/state.db", "");
  assert.deepEqual(await found(), []);
  host.file("/opt/ferry/bin/state.db.old", "");
  assert.deepEqual(await found(), ["extra: /opt/ferry/bin/state.db.old is not of this installation"]);
});

test("what a program is declared to write, a folder or a name with a part that varies; but nothing like it", async () => {
  const entry = (path: string) => ({ path, by: "serve", credential: false, for: { roles: [] } });
  const written = [entry("/opt/ferry/bin/cache"), entry("/opt/ferry/bin/log-*.txt")];
  const declared = { ...transaction, header: { ...transaction.header, written } };
  host.file("/opt/ferry/bin/cache/discovery", "");
  host.file("/opt/ferry/bin/log-2026.txt", "");
  assert.deepEqual((await findDrift(host, [declared])).findings, []);
  for (const name of ["cache.old", "log-2026.sh", "log.txt"]) host.file(`/opt/ferry/bin/${name}`, "");
  const { findings } = await findDrift(host, [declared]);
  assert.deepEqual(
    findings.map(({ message }) => message.split(" ")[0]),
    ["/opt/ferry/bin/cache.old", "/opt/ferry/bin/log-2026.sh", "/opt/ferry/bin/log.txt"],
  );
});

test("a kernel value that somebody set back", async () => {
  host.system.sysctls.set("/proc/sys/vm/swappiness", "60");
  assert.deepEqual(await found(), ["setting: sysctl vm.swappiness = 0 is no longer so"]);
});
