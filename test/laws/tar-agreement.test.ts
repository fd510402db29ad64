/**
 * What Kubeferry verified is what every tar unpacks: the same names, types, modes, owners and bytes.
 * `npm run test:mutations` draws 50,000 mutations (scripts/mutations.ts); here a few hundred keep the law from being broken unseen.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { encodeHeader, openBundle, paddingOf, readMember, type Trust, trustIn, verifyBundle } from "#bundle";
import { isExpected } from "#cli/errors";
import { openSource } from "../../installer/bundle/source.ts";
import { newSigningKey, type SigningKey } from "../../builder/sign/secret-key.ts";
import { signatureMembers } from "../../builder/sign/sign.ts";
import { mutations } from "../builders/mutate-bundle.ts";
import { mutate, type Mutation } from "../builders/mutate-tar.ts";
import { sample, type SampleMember, type SampleOptions, tarOf } from "../builders/sample-bundle.ts";
import { tarPrograms, unpackedFile, type UnpackedTree } from "../programs/tar-programs.ts";
import { Count } from "../programs/figures.ts";
import { runs, seeded } from "../programs/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-tars-"));
const programs = tarPrograms();
after(() => {
  for (const program of programs) program.close();
  rmSync(folder, { recursive: true, force: true });
});

async function unpackEverywhere(archive: string, wanted: UnpackedTree, what: string): Promise<void> {
  for (const program of programs) {
    const found = await program.unpack(archive, join(folder, "unpacked"));
    assert.deepEqual(found, wanted, `${program.name} unpacks something else: ${what}`);
  }
}

const part = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-zA-Z0-9._@+=,~ -]{1,40}$/) },
  fc.stringMatching(/^[a-z]{60,100}$/),
  fc.constantFrom("-x", "--", "ü", "日本", "a b", "'", '"', "$HOME", "*", "lost+found"),
);
const path = fc
  .array(part, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.map((text) => (/^\.+$/.test(text) ? `_${text}` : text)).join("/"));
const entries = fc.uniqueArray(
  fc.record({
    path,
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o400),
    content: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 500, maxLength: 1500 })),
  }),
  { selector: ({ path: text }) => text, minLength: 1, maxLength: 12 },
);

test("a generated archive is listed as it was written, and all four tars unpack just that", async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.nat(40), async (drawn, fill) => {
      // No name may be the folder of another one, and none too long for a header.
      const members = drawn.filter(
        (one) => fits(one.path) && !drawn.some(({ path: other }) => other.startsWith(`${one.path}/`)),
      );
      const parts = members.flatMap(({ path: name, mode, content }) => [
        encodeHeader(name, content.length, mode),
        content,
        Buffer.alloc(paddingOf(content.length)),
      ]);
      const archive = join(folder, "generated.tar");
      writeFileSync(archive, Buffer.concat([...parts, Buffer.alloc(1024 + fill * 512)]));
      const { members: listed, problems } = openSource(archive);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        [...listed.values()].map(({ path: name, mode, size }) => ({ name, mode, size })),
        members.map(({ path: name, mode, content }) => ({ name, mode, size: content.length })),
      );
      const wanted = members.map(({ path: name, mode, content }) => [name, unpackedFile(mode, Buffer.from(content))]);
      await unpackEverywhere(archive, Object.fromEntries(wanted), members.map(({ path: name }) => name).join("\n"));
    }),
    { ...seeded, numRuns: runs(1) },
  );
});

/** Accepted, so that the law compares something however few mutations are drawn. */
const zerosBehind: Mutation = {
  kind: "end of the tar",
  name: "zeros behind",
  apply: (bytes) => Buffer.concat([bytes, Buffer.alloc(1024)]),
};

function fits(name: string): boolean {
  try {
    encodeHeader(name, 0, 0o644);
    return true;
  } catch {
    return false;
  }
}

test("of a signed bundle with any mutation, what is accepted with the public key unpacks to the signed tree", async () => {
  const bundles = await signedSamples();
  const originals = bundles.map(({ members }) => tarOf(members));
  const archive = join(folder, "mutated.tar");
  const count = new Count("mutations of signed bundles", originals);
  await fc.assert(
    fc.asyncProperty(fc.nat(bundles.length - 1), mutations(originals), async (at, list) => {
      const { members: good, trust } = bundles[at] ?? assert.fail();
      const bytes = mutate(originals[at] ?? assert.fail(), list);
      if (!count.isNew(bytes)) return;
      writeFileSync(archive, bytes);
      const members = await count.measured(() => accepted(archive, trust));
      const kinds = list.map(({ kind }) => kind);
      count.add(kinds, members !== null);
      if (members === null) return;
      const what = list.map(({ name }) => name).join(" then ");
      assert.deepEqual(treeOf(members.map(withoutUntrusted)), treeOf(good.map(withoutUntrusted)), what);
      await unpackEverywhere(archive, treeOf(members), what);
    }),
    { ...seeded, numRuns: runs(30), examples: [[0, [zerosBehind]]] },
  );
  count.end();
  // Without any the test would compare nothing.
  assert.ok(count.accepted > 0);
});

function treeOf(members: readonly SampleMember[]): UnpackedTree {
  return Object.fromEntries(members.map(({ path: name, mode, content }) => [name, unpackedFile(mode, content)]));
}

/** The first line of a signature is the only text of a bundle that nobody signs, as its own words say. */
function withoutUntrusted(member: SampleMember): SampleMember {
  if (!member.path.endsWith(".minisig")) return member;
  return { ...member, content: member.content.subarray(member.content.indexOf("\n")) };
}

/** What Kubeferry read; null where it was refused. */
async function accepted(archive: string, trust: Trust): Promise<SampleMember[] | null> {
  try {
    const bundle = await openBundle(archive, [trust]);
    if ((await verifyBundle(bundle)).length > 0) return null;
    const members = [...bundle.source.members.values()];
    return members.map((member) => ({ path: member.path, mode: member.mode, content: readMember(member, 1e6) }));
  } catch (error) {
    if (isExpected(error)) return null;
    throw error;
  }
}

interface SignedSample {
  readonly members: SampleMember[];
  readonly trust: Trust;
}

/** Of one signer, of the same for another cluster, and with plaintext secrets and of two signers of whom both are asked for. */
async function signedSamples(): Promise<SignedSample[]> {
  const [key, second] = [newSigningKey(), newSigningKey()];
  const recipients = [await identityToRecipient(await generateX25519Identity())];
  return Promise.all([
    signedSample({ recipients }, [key]),
    signedSample({ recipients, edit: (index) => Object.assign(index.cluster, { name: "other" }) }, [key]),
    signedSample({}, [key, second]),
  ]);
}

/** As Kubeferry writes it: the signatures first, then SHA256SUMS. */
async function signedSample(options: SampleOptions, keys: readonly SigningKey[]): Promise<SignedSample> {
  const { members } = await sample(options);
  const sums = members.filter(({ path: name }) => name === "SHA256SUMS");
  const signatures = signatureMembers(sums[0]?.content ?? Buffer.alloc(0), keys, "test") as SampleMember[];
  const all = [...signatures, ...sums, ...members.filter((one) => !sums.includes(one))];
  return { members: all, trust: trustIn(keys, keys.length, "the test") };
}
