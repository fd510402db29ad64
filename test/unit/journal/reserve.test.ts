import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ExpectedError } from "#cli/errors";
import { createLocalHost } from "../../../installer/host/local.ts";
import type { Journal } from "../../../installer/journal/journal.ts";
import { Reserve } from "../../../installer/journal/reserve.ts";

let folder: string;
let reserve: Reserve;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-reserve-"));
  mkdirSync(join(folder, "stage"));
  writeFileSync(join(folder, "stage/content"), "");
  writeFileSync(join(folder, "install"), "a program");
  reserve = new Reserve(folder);
  reserve.fill();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const left = (): number => readdirSync(join(folder, "reserve")).length;
const full = (): Error => Object.assign(new Error("no space left on device"), { code: "ENOSPC" });

/** A host and a journal on a disk that is full as long as `isFull` says so. */
function spent(isFull: () => boolean): ReturnType<Reserve["spentBy"]> {
  const host = createLocalHost({ root: folder, contents: { stage: folder, before: folder } });
  const perform = async (): Promise<void> => {
    if (isFull()) throw new ExpectedError("NO_SPACE", "the file system is full", { cause: full() });
  };
  const append = (): void => {
    if (isFull()) throw full();
  };
  const journal: Journal = { read: () => [], append };
  return reserve.spentBy({ ...host, perform }, journal);
}

const effect = { do: "remove", path: "/etc/some" } as const;

test("it is all there, and made anew where something is missing", () => {
  assert.equal(reserve.missing, 0);
  rmSync(join(folder, "reserve/3"));
  truncateSync(join(folder, "reserve/4"), 5);
  assert.equal(reserve.missing, 2 * 1024 * 1024);
  reserve.fill();
  assert.equal(reserve.missing, 0);
  assert.ok(statSync(join(folder, "reserve/4")).blocks * 512 >= 1024 * 1024);
});

test("with room to spare nothing is given up", async () => {
  const { host, journal } = spent(() => false);
  await host.perform(effect);
  journal.append();
  assert.equal(left(), 16);
  assert.ok(existsSync(join(folder, "stage/content")));
});

test("an effect takes the stage first, then ever more of the reserve, at last the kept installer", async () => {
  const seen: string[] = [];
  const { host } = spent(() => {
    const has = (path: string): boolean => existsSync(join(folder, path));
    seen.push(`${has("stage/content") ? "stage " : ""}${left()}${has("install") ? " install" : ""}`);
    return true;
  });
  await assert.rejects(host.perform(effect), /NO_SPACE|full/);
  assert.deepEqual(seen, ["stage 16 install", "16 install", "14 install", "10 install", "4 install", "4"]);
});

test("the last of it is for the journal", () => {
  let tries = 0;
  const { journal } = spent(() => (tries += 1) <= 17);
  journal.append();
  assert.equal(left(), 0);
  assert.ok(existsSync(join(folder, "install")));
});

test("where another file system is full nothing is given up", { skip: !existsSync("/dev/shm") }, async () => {
  const elsewhere = mkdtempSync("/dev/shm/kubeferry-");
  try {
    const host = createLocalHost({ root: elsewhere, contents: { stage: folder, before: folder } });
    const perform = async (): Promise<void> => {
      throw full();
    };
    const wrapped = reserve.spentBy({ ...host, perform }, { read: () => [], append: () => undefined });
    await assert.rejects(wrapped.host.perform(effect));
    assert.equal(left(), 16);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test("what is no lack of room is told at once", async () => {
  const host = createLocalHost({ root: folder, contents: { stage: folder, before: folder } });
  const perform = async (): Promise<void> => {
    throw new ExpectedError("APPLY_FAILED", "not permitted");
  };
  const wrapped = reserve.spentBy({ ...host, perform }, { read: () => [], append: () => undefined });
  await assert.rejects(wrapped.host.perform(effect), /not permitted/);
  assert.equal(left(), 16);
});
