/** etcd's data moved aside, made anew and given back, with the power cut after every effect on the way. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import type { Effect } from "../../../installer/host/effect.ts";
import { createLocalHost } from "../../../installer/host/local.ts";
import { etcdData, type EtcdDataId, type EtcdDataState, freshIn } from "../../../installer/resources/etcd-data.ts";
import { isUnknown } from "../../../installer/resources/resource.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-etcd-data-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const host = createLocalHost({ root: "/", contents: { stage: folder, before: folder }, live: false });
const at = "20261121T101500Z";

/** A member's folders with old data, of which the log has a disk of its own. */
function member(name: string): EtcdDataId {
  const [dataDir, walDir] = [join(folder, name, "data"), join(folder, name, "wal")];
  for (const [path, text] of [
    [join(dataDir, "member/snap/db"), "old"],
    [join(dataDir, "somebody's"), "own"],
    [join(walDir, "0-0.wal"), "old"],
    [join(walDir, "1-1.wal"), "old"],
  ] as const) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const [data, wal] = [freshIn(dataDir, at), freshIn(walDir, at)];
  const script = `mkdir -p ${data}/member/snap ${wal}; echo -n new > ${data}/member/snap/db; echo -n new > ${wal}/0-0.wal`;
  return { dataDir, walDir, at, make: { argv: ["bash", "-c", script], environment: {} }, units: ["etcd.service"] };
}

async function seen(id: EtcdDataId): Promise<EtcdDataState> {
  const state = await etcdData.inspect(host, id);
  assert.ok(!isUnknown(state));
  return state;
}

async function perform(effects: readonly Effect[]): Promise<void> {
  for (const effect of effects) if (effect.do !== "systemctl") await host.perform(effect);
}

function dataIn({ dataDir, walDir }: EtcdDataId): string[] {
  const wal = walDir ?? "";
  const logs = readdirSync(wal).filter((name) => name.endsWith(".wal"));
  return [join(dataDir, "member/snap/db"), ...logs.map((name) => join(wal, name))].map((path) =>
    existsSync(path) ? readFileSync(path, "utf8") : "none",
  );
}

test("whatever was cut off, going on makes the new data, and going back restores the old ones and loses none", async () => {
  const whole = member("whole");
  const before = await seen(whole);
  const count = etcdData.steps(whole, before, etcdData.spec(whole, before)).length;
  assert.ok(count > 8);
  for (let cut = 0; cut <= count; cut += 1) {
    for (const back of [0, 1, 2, 3, 4, 5, 6, 99]) {
      const id = member(`cut-${cut}-${back}`);
      const start = await seen(id);
      const after = etcdData.spec(id, start);
      await perform(etcdData.steps(id, start, after).slice(0, cut));
      await perform(etcdData.steps(id, await seen(id), after));
      assert.deepEqual(dataIn(id), ["new", "new"], `forward after ${cut}`);
      await perform(etcdData.steps(id, await seen(id), start).slice(0, back));
      await perform(etcdData.steps(id, await seen(id), start));
      assert.deepEqual(dataIn(id), ["old", "old", "old"], `back after ${cut} and ${back}`);
      assert.equal(readFileSync(join(id.dataDir, "somebody's"), "utf8"), "own");
      assert.ok(etcdData.equal(await seen(id), start));
      const undone = join(id.dataDir, `kubeferry-undone-${at}`, "member/snap/db");
      assert.equal(readFileSync(undone, "utf8"), "new", "what was written since is beside");
    }
  }
});

test("going back from half-moved data takes none of them for new ones", async () => {
  const id = member("half");
  const start = await seen(id);
  const steps = etcdData.steps(id, start, etcdData.spec(id, start));
  const moves = steps.findLastIndex((effect) => effect.do === "move" && effect.path.includes("/wal/"));
  for (let cut = 0; cut <= moves; cut += 1) {
    await perform(steps.slice(0, cut));
    await perform(etcdData.steps(id, await seen(id), start));
    assert.deepEqual(dataIn(id), ["old", "old", "old"]);
  }
  assert.ok(!existsSync(join(id.dataDir, `kubeferry-undone-${at}`)));
});

test("an etcd that a boot started on the emptied folder stands in nobody's way, and its data are beside, too", async () => {
  const whole = member("boot");
  const before = await seen(whole);
  const forward = etcdData.steps(whole, before, etcdData.spec(whole, before)).length;
  for (const isUndo of [false, true]) {
    for (let cut = 1; cut <= (isUndo ? 14 : forward); cut += 1) {
      const id = member(`boot-${isUndo}-${cut}`);
      const start = await seen(id);
      const after = etcdData.spec(id, start);
      const there = etcdData.steps(id, start, after);
      await perform(isUndo ? there : there.slice(0, cut));
      if (isUndo) await perform(etcdData.steps(id, await seen(id), start).slice(0, cut));
      const isEmpty = !existsSync(join(id.dataDir, "member"));
      // As etcd does: a folder that it finds empty gets new data.
      if (isEmpty) mkdirSync(join(id.dataDir, "member/snap"), { recursive: true });
      if (isEmpty) writeFileSync(join(id.dataDir, "member/snap/db"), "of the boot");
      await perform(etcdData.steps(id, await seen(id), start));
      assert.deepEqual(dataIn(id), ["old", "old", "old"], `${isUndo} ${cut}`);
      assert.ok(etcdData.equal(await seen(id), start));
      const beside = readdirSync(id.dataDir).filter((name) => name.startsWith("kubeferry-undone-"));
      const kept = beside.map((name) => readFileSync(join(id.dataDir, name, "member/snap/db"), "utf8"));
      if (isEmpty) assert.ok(kept.includes("of the boot"), `${isUndo} ${cut}: ${kept.join()}`);
      if (isUndo) assert.ok(kept.includes("new"));
    }
  }
});
