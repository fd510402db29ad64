/** Whether an index agrees with itself, so that nothing can be hidden in a blob or promised by a name alone. */
import type { Digest } from "./digest.ts";
import type { BundleIndex } from "./format.ts";
import { blobPath } from "./frames.ts";
import type { IntegrityProblem } from "./problem.ts";
import { sumsPath } from "./sums.ts";
import { isSignaturePath } from "./trust.ts";

export const indexPath = "bundle.json";

/** Everything in which the index contradicts itself, one after the other: a hostile one does it a million times. */
export function* indexProblems(index: BundleIndex): Generator<IntegrityProblem> {
  yield* contentProblems(index);
  yield* fileProblems(index);
  yield* memberProblems(index);
}

/** The contents of a blob must follow each other from its first byte to its last: no gap, no overlap. */
function* contentProblems(index: BundleIndex): Generator<IntegrityProblem> {
  const byBlob = new Map<string, { offset: number; size: number }[]>();
  for (const [digest, content] of Object.entries(index.contents)) {
    if (index.blobs[content.blob] === undefined) {
      const message = `content ${digest} is said to be in a blob that the index does not list`;
      yield { member: blobPath(content.blob), code: "FORMAT_INVALID", message };
    }
    const others = byBlob.get(content.blob);
    if (others === undefined) byBlob.set(content.blob, [content]);
    else others.push(content);
  }
  for (const [digest, blob] of Object.entries(index.blobs)) {
    const member = blobPath(digest as Digest);
    let position = 0;
    let message: string | undefined;
    const contents = (byBlob.get(digest) ?? []).toSorted((a, b) => a.offset - b.offset || a.size - b.size);
    for (const { offset, size } of contents) {
      if (offset !== position) message = `its contents leave a gap or overlap at byte ${Math.min(offset, position)}`;
      position = offset + size;
    }
    if (contents.length === 0) message = "holds nothing that the index names";
    else if (position !== blob.length) message ??= `its contents end at byte ${position} of ${blob.length}`;
    if (message !== undefined) yield { member, code: "FORMAT_INVALID", message };
  }
}

function* fileProblems(index: BundleIndex): Generator<IntegrityProblem> {
  for (const file of index.files) {
    if (file.sensitive) continue;
    const content = index.contents[file.digest];
    if (content === undefined) {
      const message = `${file.path} has a content that is in no blob: ${file.digest}`;
      yield { member: indexPath, code: "MEMBER_MISSING", message };
    } else if (content.size !== file.size) {
      const detail = { expected: `${file.size} bytes`, found: `${content.size} bytes` };
      const message = `${file.path} and its content differ in size`;
      yield { member: indexPath, code: "SIZE_MISMATCH", message, ...detail };
    }
  }
}

function* memberProblems(index: BundleIndex): Generator<IntegrityProblem> {
  const names = new Set(index.nodes.map((node) => node.name));
  if (names.size !== index.nodes.length) {
    yield { member: indexPath, code: "FORMAT_INVALID", message: "two nodes have one name" };
  }
  const taken = new Set([indexPath, sumsPath]);
  const claim = function* (member: string): Generator<IntegrityProblem> {
    if (taken.has(member) || isSignaturePath(member))
      yield { member, code: "MEMBER_DUPLICATE", message: "the index names it twice" };
    taken.add(member);
  };
  for (const member of Object.keys(index.members)) {
    if (/^(blobs|secrets)(\/|$)/.test(member)) {
      yield { member, code: "FORMAT_INVALID", message: "is listed where only launcher and installers belong" };
    }
    yield* claim(member);
  }
  for (const secret of index.secrets) {
    yield* claim(secret.member);
    const expected = secretPath(secret.node, secret.sealed);
    if (secret.member !== expected) {
      yield { member: secret.member, code: "FORMAT_INVALID", message: "has another name", expected };
    }
    if (!names.has(secret.node)) {
      const message = `belongs to ${secret.node}, which is not a node of this bundle`;
      yield { member: secret.member, code: "NODE_UNKNOWN", message };
    }
  }
}

/** Where a node's secrets lie in the bundle. */
export function secretPath(node: string, sealed: boolean): string {
  return `secrets/${node}.${sealed ? "age" : "tar"}`;
}
