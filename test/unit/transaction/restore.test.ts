/** What an installation that failed leaves: nothing of its first run, and somebody's data of any other. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Context } from "../../../installer/context.ts";
import { apply, begin, inspectPlan } from "../../../installer/journal/apply.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import type { Host } from "../../../installer/host/host.ts";
import { stateOf } from "../../../installer/journal/state.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import type { Goal } from "../../../installer/resources/resource.ts";
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

/** Its methods as functions of their own, as restore takes a host apart. */
function asHost(host: FakeHost, query: Host["query"]): Host {
  return {
    root: "/",
    live: true,
    stat: (path) => host.stat(path),
    digests: (files) => host.digests(files),
    digest: (path) => host.digest(path),
    read: (path) => host.read(path),
    list: (path) => host.list(path),
    query,
    perform: (effect) => host.perform(effect),
  };
}

/** Where data are after a first installation made their folder, etcd wrote there, and something later failed. */
async function leftBy({ fresh, alone, answers = false }: Case): Promise<{ left: string[]; said: string }> {
  const host = new FakeHost();
  const asked = asHost(host, async (argv) =>
    argv[0] === "etcdctl" ? { code: answers ? 0 : 1, stdout: "", stderr: "" } : host.query(argv),
  );
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

const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/** Objects in the cluster after master n1 brought one, and something later failed: at first, or in an upgrade. */
async function objectsLeftBy({ master, upgrade = false }: { master: string[]; upgrade?: boolean }): Promise<string[]> {
  const host = new FakeHost();
  host.file("/manifest.yaml", text);
  host.system.active.set("one.service", "");
  const journal = new MemoryJournal(host);
  const header = {
    made: [],
    alone: true,
    checks: [],
    roles: ["master"],
    notes: [],
    others: { etcd: [], master },
  } as unknown as Header;
  const id = { name: "a", client: ["kubectl"], environment: {}, scratch: "/object", path: "/manifest.yaml" };
  const goals = [goal("object", { ...id, via: "kubectl", digest: digestOf(text) })];
  const step = async (wanted: Goal[], gate: () => Promise<void>): Promise<void> => {
    const plan = { phases: [{ name: "objects", goals: wanted, gates: ["any"] }] };
    const changes = await inspectPlan(host, plan);
    const transaction = begin(journal, header, plan, changes, now().toISOString());
    await apply({ host, journal, transaction, changes, gate, onEffect: () => {}, interrupted: () => false, now });
  };
  if (upgrade) await step([], async () => {});
  await assert.rejects(
    step(goals, async () => {
      throw error;
    }),
  );
  assert.equal(host.system.cluster.objects.size, 1);
  const root = mkdtempSync(join(tmpdir(), "restore-"));
  try {
    const reporter = { stage: () => {}, info: () => {}, warn: () => {}, record: () => {} };
    const context = { reporter, now } as unknown as Context;
    const asked = asHost(host, (argv) => host.query(argv));
    await restore(root, asked, { ...stateOf(root), journal }, { error, fresh: true }, context);
  } finally {
    rmSync(root, { recursive: true });
  }
  return [...host.system.cluster.objects.keys()];
}

test("objects that other masters serve stay when a first installation fails; what an upgrade brought goes back", async () => {
  assert.equal((await objectsLeftBy({ master: ["n2"] })).length, 1);
  assert.deepEqual(await objectsLeftBy({ master: [] }), []);
  assert.deepEqual(await objectsLeftBy({ master: ["n2"], upgrade: true }), []);
});
