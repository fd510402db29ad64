/** Every hostile archive is refused by its name, and nothing of it is left in the store. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ExpectedError } from "#cli/errors";
import { openedFile } from "../../../builder/sources/source.ts";
import { takeArtifact } from "../../../builder/sources/artifact.ts";
import { listStore } from "../../../builder/store/upkeep.ts";
import { Store } from "../../../builder/store/store.ts";
import { hostileArchives } from "./hostile.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-hostile-"));
after(() => rmSync(folder, { recursive: true }));
const limits = { member: 1e9, total: 2e9, ratio: 250, members: 1000 };

for (const [index, hostile] of hostileArchives.entries()) {
  test(`${hostile.name} is refused as ${hostile.code}`, async () => {
    const store = await Store.open(join(folder, `store-${index}`));
    const path = join(folder, `${index}`);
    const bytes = hostile.bytes();
    writeFileSync(path, bytes);
    const artifact = {
      digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
      size: bytes.length,
      pinnedBy: "operator" as const,
      files: { [hostile.wanted ?? "bin/tool"]: "tool" },
    };
    const opened = openedFile(path, path);
    await assert.rejects(takeArtifact(artifact, opened, { store, limits }), (error) => {
      assert.ok(error instanceof ExpectedError, String(error));
      assert.equal(error.code, hostile.code, error.message);
      assert.equal(error.where, path);
      return true;
    });
    assert.deepEqual(listStore(store), []);
    assert.deepEqual(readdirSync(join(store.dir, "temporary")), []);
    rmSync(path);
  });
}

test("the corpus has an archive for each way in which one is refused", () => {
  assert.ok(hostileArchives.length >= 25);
  const codes = new Set(hostileArchives.map(({ code }) => code));
  for (const code of [
    "PATH_ESCAPES",
    "MEMBER_KIND",
    "MEMBER_DUPLICATE",
    "ARCHIVE_BOMB",
    "ARCHIVE_INVALID",
    "TRUNCATED",
  ]) {
    assert.ok(codes.has(code as "TRUNCATED"), code);
  }
});
