/** What an installation that failed leaves: nothing of its first run, and somebody's data of any other. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ExpectedError } from "#cli/errors";
import type { Context } from "../../../installer/context.ts";
import { apply, begin, inspectPlan } from "../../../installer/journal/apply.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import type { Host } from "../../../installer/host/host.ts";
import { stateOf } from "../../../installer/journal/state.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import { restore } from "../../../installer/transaction/restore.ts";
import { FakeHost } from "../../fakes/fake-host.ts";
import { MemoryJournal } from "../../fakes/memory-journal.ts";

const data = "/var/lib/etcd";
const error = new ExpectedError("APPLY_FAILED", "the API server is not healthy");
const now = (): Date => new Date("2026-11-21T00:00:00Z");
const check = {
  name: "etcd",
  unit: "etcd.service",
  argv: ["etcdctl", "endpoint", "health"],
  environment: {},
  timeoutSeconds: 5,
};

interface Case {
  readonly fresh: boolean;
  readonly alone: boolean;
  /** Whether etcd answers, which it does only with a quorum. */
  readonly answers?: boolean;
}

/** Where data are after a first installation made their folder, etcd wrote there, and something later failed. */
async function leftBy({ fresh, alone, answers = false }: Case): Promise<{ left: string[]; said: string }> {
  const host = new FakeHost();
  const asked: Host = {
    root: "/",
    live: true,
    stat: (path) => host.stat(path),
    digests: (files) => host.digests(files),
    digest: (path) => host.digest(path),
    read: (path) => host.read(path),
    list: (path) => host.list(path),
    query: async (argv) =>
      argv[0] === "etcdctl" ? { code: answers ? 0 : 1, stdout: "", stderr: "" } : host.query(argv),
    perform: (effect) => host.perform(effect),
  };
  host.directory("/var/lib");
  const root = mkdtempSync(join(tmpdir(), "restore-"));
  try {
    const journal = new MemoryJournal(host);
    const spec = { path: data, mode: 0o700, owner: { uid: 0, gid: 0 }, implied: false };
    const plan = { phases: [{ name: "all", goals: [goal("directory", spec)], gates: ["etcd"] }] };
    const changes = await inspectPlan(host, plan);
    const header = { made: [], alone, checks: [check], roles: ["etcd"], notes: [] } as unknown as Header;
    const transaction = begin(journal, header, plan, changes, now().toISOString());
    const gate = async (): Promise<never> => {
      host.file(`${data}/member/wal/0.wal`, "acknowledged");
      throw error;
    };
    await assert.rejects(
      apply({ host, journal, transaction, changes, gate, onEffect: () => {}, interrupted: () => false, now }),
    );
    const said: string[] = [];
    const tell = (text: string): void => void said.push(text);
    const reporter = { stage: tell, info: tell, warn: tell, record: () => {} };
    const context = { reporter, now } as unknown as Context;
    const ended = await restore(root, asked, { ...stateOf(root), journal }, { error, fresh }, context);
    assert.ok(ended instanceof ExpectedError && ended.code === "APPLY_FAILED_RESTORED");
    return { left: [...host.entries.keys()].filter((path) => path.startsWith(data)), said: ended.message };
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("a first installation that fails leaves no data: nobody was told that there are any", async () => {
  const { left, said } = await leftBy({ fresh: true, alone: true });
  assert.deepEqual(left, []);
  assert.match(said, /the host is as it was$/);
});

test("one that had been interrupted, and may have been used since, leaves what was written", async () => {
  const { left, said } = await leftBy({ fresh: false, alone: true });
  assert.ok(left.includes(`${data}/member/wal/0.wal`));
  assert.match(said, /the host is as it was, but for what stays$/);
});

test("a member that the others count on keeps its data; one that never met them has none", async () => {
  assert.ok((await leftBy({ fresh: true, alone: false, answers: true })).left.length > 0);
  assert.deepEqual((await leftBy({ fresh: true, alone: false })).left, []);
});
