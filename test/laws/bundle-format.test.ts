import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import {
  decodeIndex,
  decodeSums,
  digestOf,
  encodeIndex,
  encodeSums,
  openBundle,
  openSecrets,
  verifyBundle,
} from "#bundle";
import { sealSecrets } from "../../builder/pack/seal-secrets.ts";
import { isExpected } from "#cli/errors";
import { decodeHeader, encodeHeader } from "../../installer/bundle/tar-header.ts";
import { sample, sampleNode, tarOf } from "../builders/sample-bundle.ts";
import { runs } from "../programs/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-laws-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const name = fc.stringMatching(/^[a-z0-9._@-]{1,20}$/).filter((text) => text !== "." && text !== "..");
const relative = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

test("an index that is encoded, decoded and encoded again is the same bytes, whatever the order of its keys", async () => {
  const { index } = await sample();
  const text = encodeIndex(index);
  assert.equal(encodeIndex(decodeIndex(text, "law")), text);
  fc.assert(
    fc.property(fc.shuffledSubarray(Object.keys(index), { minLength: Object.keys(index).length }), (order) => {
      const record = Object.fromEntries(Object.entries(index));
      const shuffled = Object.fromEntries(order.map((key) => [key, record[key]]));
      assert.equal(encodeIndex(decodeIndex(JSON.stringify(shuffled), "law")), text);
    }),
    { numRuns: runs(5) },
  );
});

test("SHA256SUMS decoded is what was encoded", () => {
  fc.assert(
    fc.property(fc.uniqueArray(relative), (paths) => {
      const members = paths.map((path) => [path, digestOf(path)] as const);
      const { sums, problems } = decodeSums(encodeSums(members));
      assert.deepEqual(problems, []);
      assert.deepEqual([...sums], members);
    }),
  );
});

test("a tar header decoded is what was encoded, up to the largest sizes", () => {
  fc.assert(
    fc.property(
      relative,
      fc.nat(2 ** 31 - 1),
      fc.nat(2 ** 20),
      fc.constantFrom(0o644, 0o755),
      (path, low, high, mode) => {
        const size = high * 2 ** 31 + low;
        assert.deepEqual(decodeHeader(encodeHeader(path, size, mode)), { kind: "file", path, size, mode });
      },
    ),
  );
});

test("any bytes in the place of a header are read without an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (bytes) => {
      assert.ok(typeof decodeHeader(Buffer.from(bytes)).kind === "string");
    }),
  );
});

test("secrets that were sealed open to the same files, for each recipient", async () => {
  const identities = [await generateX25519Identity(), await generateX25519Identity()];
  const recipients = await Promise.all(identities.map((identity) => identityToRecipient(identity)));
  const files = fc.uniqueArray(fc.tuple(relative, fc.uint8Array({ maxLength: 2000 })), { selector: ([path]) => path });
  await fc.assert(
    fc.asyncProperty(files, fc.nat(1), async (entries, which) => {
      const before = new Map(entries.map(([path, bytes]) => [`/${path}`, Buffer.from(bytes)]));
      const sealed = await sealSecrets(before, recipients);
      const opened = await openSecrets(sealed, true, identities[which] ?? null, "law");
      assert.deepEqual(opened, new Map([...before].toSorted(([a], [b]) => (a < b ? -1 : 1))));
    }),
    { numRuns: runs(5) },
  );
});

/** Where each byte of the sample's tar belongs: the member, or the end mark. */
async function flips(
  recipients: readonly string[],
): Promise<{ whole: Buffer; memberAt: (position: number) => string }> {
  const good = await sample({ recipients });
  const spans: { path: string; end: number }[] = [];
  let position = 0;
  for (const { path, content } of good.members) {
    position += 512 + Math.ceil(content.length / 512) * 512;
    spans.push({ path, end: position });
  }
  return { whole: tarOf(good.members), memberAt: (at) => spans.find(({ end }) => at < end)?.path ?? "end mark" };
}

test("any one byte of a bundle changed to any other is found, and the member named or the place in the tar", async () => {
  const identity = await generateX25519Identity();
  const { whole, memberAt } = await flips([await identityToRecipient(identity)]);
  const path = join(folder, "flipped.tar");
  let refused = 0;
  const check = async (position: number, change: number): Promise<void> => {
    const broken = Buffer.from(whole);
    broken[position] = (broken[position] ?? 0) ^ change;
    writeFileSync(path, broken);
    const member = memberAt(position);
    const found: string[] = [];
    try {
      for (const problem of await verifyBundle(await openBundle(path))) found.push(problem.member);
    } catch (error) {
      if (!isExpected(error)) throw error;
      refused += 1;
      found.push(error.where ?? "");
    }
    assert.ok(found.length > 0, `byte ${position} of ${member} changed by ${change} was not found`);
    // A changed line of SHA256SUMS shows at the member that it is about; a changed header only says where it is.
    const named = found.some((text) => text.includes(member) || text.includes("byte ")) || member === "SHA256SUMS";
    assert.ok(named || member === "end mark", `byte ${position}: wanted ${member}, found ${found.join(", ")}`);
  };
  await fc.assert(fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), check), {
    numRuns: runs(300),
  });
  // Every byte of every header's checksum, where a lenient reader sees no difference, and of its magic, by which a tar is known.
  for (let block = 0; block < whole.length - 1024; block += 512) {
    if (whole.toString("latin1", block + 257, block + 262) !== "ustar") continue;
    for (const at of [148, 149, 150, 151, 152, 153, 154, 155, 257, 258, 259, 260, 261, 262])
      for (const change of [1, 0x20, 0x80]) await check(block + at, change);
  }
  assert.ok(refused > 0);
});

test("any prefix of a bundle is found to be cut", async () => {
  const { whole } = await flips([]);
  const path = join(folder, "cut.tar");
  const cut = async (length: number): Promise<void> => {
    writeFileSync(path, whole.subarray(0, length));
    try {
      const problems = await verifyBundle(await openBundle(path));
      assert.ok(problems.length > 0, `cut at ${length}`);
    } catch (error) {
      assert.ok(isExpected(error), `cut at ${length}: ${String(error)}`);
    }
  };
  await fc.assert(fc.asyncProperty(fc.nat(whole.length - 1), cut), { numRuns: runs(30) });
});

test("the secrets of a sample are sealed: no byte of them is in the bundle", async () => {
  const identity = await generateX25519Identity();
  const good = await sample({ recipients: [await identityToRecipient(identity)] });
  const path = join(folder, "sealed.tar");
  writeFileSync(path, tarOf(good.members));
  const [secret] = (await (await openBundle(path)).secrets(sampleNode, identity)).values();
  assert.ok(secret !== undefined && !readFileSync(path).includes(secret));
});
