/** Ways to break the sample bundle, one thing at a time. */
import { type BundleIndex, digestOf, encodeSums } from "#bundle";
import type { ErrorCode } from "#cli/errors";
import { type Sample, type SampleMember, memberBytes, sampleContents, sumsOf, tarOf } from "./sample-bundle.ts";

export interface Expectation {
  readonly code: ErrorCode;
  /** The problem's member, or (when the bundle cannot be opened at all) a part of the error's `where`. */
  readonly member: string;
}

export interface Hostile extends Expectation {
  readonly name: string;
  readonly bytes: Buffer;
}

export function edited(index: BundleIndex, change: Partial<BundleIndex["files"][number]>): BundleIndex {
  return { ...index, files: index.files.map((file, at) => (at === 0 ? { ...file, ...change } : file)) };
}

/** Moves where the second content begins. */
export function shifted(index: BundleIndex, by: number): BundleIndex {
  const digest = digestOf(sampleContents.config);
  const content = index.contents[digest];
  if (content === undefined) return index;
  return { ...index, contents: { ...index.contents, [digest]: { ...content, offset: content.offset + by } } };
}

export function changed(good: Sample, path: string, text: string): SampleMember[] {
  return good.members.map((member) => (member.path === path ? { ...member, content: Buffer.from(text) } : member));
}

export function flipped(good: Sample, path: string): SampleMember[] {
  return good.members.map((member) => {
    if (member.path !== path) return member;
    const content = Buffer.from(member.content);
    content[9] = (content[9] ?? 0) ^ 0x20;
    return { ...member, content };
  });
}

/** With a SHA256SUMS that fits: what somebody does who can write to the stick but has no key to sign. */
export function relisted(members: readonly SampleMember[]): Buffer {
  const others = members.filter(({ path }) => path !== "SHA256SUMS");
  return tarOf([sumsOf(others), ...others]);
}

export function changeSums(good: Sample, change: (lines: string[]) => string[]): SampleMember[] {
  const others = good.members.filter(({ path }) => path !== "SHA256SUMS");
  const lines = encodeSums(others.map(({ path, content }) => [path, digestOf(content)]))
    .trim()
    .split("\n");
  return [{ path: "SHA256SUMS", mode: 0o644, content: Buffer.from(`${change(lines).join("\n")}\n`) }, ...others];
}

export function headerOf(good: Sample, path: string, change: (block: Buffer) => unknown, resummed = true): Buffer {
  const parts = good.members.map((member) => {
    if (member.path !== path) return memberBytes(member);
    if (resummed) return memberBytes(member, (block) => void change(block));
    const bytes = memberBytes(member);
    change(bytes);
    return bytes;
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export function dirtyPadding(good: Sample, path: string): Buffer {
  const parts = good.members.map((member) => {
    const bytes = memberBytes(member);
    if (member.path === path) bytes.write("!", bytes.length - 1);
    return bytes;
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** The good members, and more bytes before the end mark. */
export function withBytes(good: Sample, bytes: Buffer): Buffer {
  return Buffer.concat([tarOf(good.members).subarray(0, -1024), bytes, Buffer.alloc(1024)]);
}

export function padded(whole: Buffer): Buffer {
  return Buffer.concat([whole, Buffer.alloc(1024 * 1024)]);
}
