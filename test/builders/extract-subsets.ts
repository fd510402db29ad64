/**
 * A process that extracts random subsets of a frame's contents: `extract-subsets.ts SEED RUNS`. It ends with 0 only when
 * all came back, whole and with nothing left open. Where one never comes back the event loop runs empty, and Node
 * ends with 13: no time has to be measured.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import { blobPath, type BundleIndex, createFrame, type Digest, digestFile, digestOf, type Source } from "#bundle";
import { extractContents } from "../../installer/bundle/extract.ts";

/** Bytes. Some are empty, and together they are several chunks, stored as well as decoded. */
const sizes = [0, 1, ...Array.from({ length: 20 }, (_, number) => 300_000 + number), 30];

/** As compressible as a program is, so that decoder and reader are both under way whenever one of them is left. */
function contentOf(size: number, number: number): Buffer {
  const noise = createHash("shake256", { outputLength: (size >> 2) + 1 })
    .update(`${number}`)
    .digest();
  return Buffer.concat([noise, Buffer.alloc(size, `text ${number} `)]).subarray(0, size);
}

async function makeFrame(file: string): Promise<{ source: Source; index: BundleIndex; digests: Digest[] }> {
  const contents = sizes.map(contentOf);
  const whole = Buffer.concat(contents);
  const frame = createFrame(whole.length, 3);
  frame.end(whole);
  const stored = await buffer(frame);
  writeFileSync(file, stored);
  const blob = digestOf(stored);
  const path = blobPath(blob);
  const members = new Map([[path, { path, file, offset: 0, size: stored.length, mode: 0o644, uid: 0 }]]);
  let offset = 0;
  const places = contents.map((content) => {
    offset += content.length;
    return [digestOf(content), { size: content.length, blob, offset: offset - content.length }] as const;
  });
  const blobs = { [blob]: { size: stored.length, length: whole.length } };
  // All that extracting looks at.
  const index = { contents: Object.fromEntries(places), blobs } as unknown as BundleIndex;
  return {
    source: { kind: "tar", where: file, members, problems: [] },
    index,
    digests: places.map(([digest]) => digest),
  };
}

function openBelow(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

const [seed = 0, runs = 0] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "kubeferry-extraction-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const { source, index, digests } = await makeFrame(join(folder, "frame"));
const out = join(folder, "out");
let whole = 0;
await fc.assert(
  fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...digests), { maxLength: 3 }), async (wanted) => {
    mkdirSync(out);
    await extractContents(source, index, new Set(wanted), (digest) => join(out, digest));
    assert.deepEqual(readdirSync(out).toSorted(), wanted.toSorted());
    for (const digest of wanted) assert.equal(digestFile(join(out, digest)).digest, digest);
    assert.deepEqual(openBelow(folder), []);
    rmSync(out, { recursive: true });
    whole += 1;
  }),
  { seed, numRuns: runs },
);
process.stdout.write(`${whole} extractions came back\n`);
