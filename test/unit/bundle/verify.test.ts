import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type BundleIndex, type Digest, digestOf, openBundle, verifyBundle } from "#bundle";
import { sample, writeSample } from "../../builders/sample-bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-verify-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function written(name: string, edit: (index: BundleIndex) => unknown): ReturnType<typeof openBundle> {
  return openBundle(writeSample(join(folder, name), await sample({ edit })));
}

test("the first thousand problems are told, and how many more there are", async () => {
  const bundle = await written("blobs.tar", (index) => {
    const more = Array.from({ length: 1500 }, (_, at): [Digest, { size: number; length: number }] => [
      digestOf(`${at}`),
      { size: 1, length: 1 },
    ]);
    return { ...index, blobs: { ...index.blobs, ...Object.fromEntries(more) } };
  });
  const problems = await verifyBundle(bundle);
  assert.equal(problems.length, 1001);
  // Each of the 1500 holds nothing and is not listed; the 500 that were not told of are not there either.
  assert.deepEqual(problems.at(-1), {
    member: "others",
    code: "FORMAT_INVALID",
    message: "problems beyond these: 2500",
  });
});

test("secrets that the index names again and again are opened once", async () => {
  const bundle = await written("secrets.tar", (index) => {
    const [secret] = index.secrets;
    return { ...index, secrets: Array.from({ length: 50 }, () => secret) };
  });
  let opened = 0;
  const counted = {
    ...bundle,
    secrets: async (node: string, identity: string | null) => {
      opened += 1;
      return bundle.secrets(node, identity);
    },
  };
  const problems = await verifyBundle(counted);
  assert.equal(opened, 1);
  assert.deepEqual([problems.length, problems[0]?.code], [49, "MEMBER_DUPLICATE"]);
});
