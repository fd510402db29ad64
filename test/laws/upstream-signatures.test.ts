/** Lists, signatures and keyrings of strangers, mutated: nothing is taken but what was signed, and each refusal has a name. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as fc from "fast-check";
import { createCleartextMessage, createMessage, generateKey, sign } from "openpgp";
import { isExpected } from "#cli/errors";
import { clearSigned, detached, keysOf } from "../../builder/sources/openpgp.ts";
import { runs } from "../programs/runs.ts";

const text = `${"a".repeat(64)}  tool\n- dash\n${"b".repeat(64)}  tool.arm64`;
let fingerprint = "";
let keyring = Buffer.of();
let list = Buffer.of();
let signature = Buffer.of();

before(async () => {
  const userIDs = [{ name: "Up Stream", email: "up@example" }];
  const { privateKey, publicKey } = await generateKey({ userIDs, format: "object" });
  fingerprint = publicKey.getFingerprint().toUpperCase();
  keyring = Buffer.from(publicKey.write());
  const signingKeys = privateKey;
  list = Buffer.from(await sign({ message: await createCleartextMessage({ text }), signingKeys }));
  const message = await createMessage({ binary: Buffer.from(text) });
  signature = Buffer.from(await sign({ message, signingKeys, detached: true, format: "binary" }));
});

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  put: fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 3 }),
    fc.constantFrom("\n", "- ", "\r", "\n\n", "-----BEGIN PGP SIGNED MESSAGE-----\n", "-----END PGP SIGNATURE-----\n"),
  ),
  cut: fc.nat(40),
});

function mutated(bytes: Buffer, changes: readonly { at: number; put: string; cut: number }[]): Buffer {
  return changes.reduce((now, { at, put, cut }) => {
    const place = Math.floor(at * now.length);
    return Buffer.concat([now.subarray(0, place), Buffer.from(put, "latin1"), now.subarray(place + cut)]);
  }, bytes);
}

test("no mutation of a list, a signature or a keyring makes other text count", async () => {
  const keys = await keysOf(keyring, [fingerprint], "keys");
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  let [taken, refused] = [0, 0];
  const read = async (task: () => Promise<string>): Promise<void> => {
    try {
      assert.equal(await task(), text);
      taken += 1;
    } catch (error) {
      if (!isExpected(error, "SIGNATURE_INVALID")) throw error;
      refused += 1;
    }
  };
  const law = fc.asyncProperty(changes, async (some) => {
    await read(async () => (await clearSigned(mutated(list, some).toString(), keys, "list")).text);
    const other = mutated(Buffer.from(text), some);
    await read(async () => (await detached(other, signature, keys, "list"), other.toString()));
    await read(async () => (await detached(Buffer.from(text), mutated(signature, some), keys, "list"), text));
    await read(async () => {
      const found = await keysOf(mutated(keyring, some), [fingerprint], "keys");
      return await detached(Buffer.from(text), signature, found, "list").then(() => text);
    });
  });
  await fc.assert(law, { numRuns: runs(60) });
  assert.ok(refused > taken, `${taken} taken, ${refused} refused`);
  await read(async () => (await clearSigned(list.toString(), keys, "list")).text);
  assert.ok(taken > 0, "what was not changed is taken");
});
