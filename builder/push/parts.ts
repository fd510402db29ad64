/** What a host is to have of a bundle: the members that its node needs, with digest and mode. */
import {
  digestOf,
  type Digest,
  type Bundle,
  isSignaturePath,
  type Member,
  partsOfNode,
  type Platform,
  readMember,
  sumsPath,
} from "#bundle";
import type { Host } from "./inventory.ts";

export interface Part {
  readonly path: string;
  readonly member: Member;
  readonly digest: Digest;
  readonly mode: number;
}

/** What a bundle's folder on a host is called. */
export function folderName({ index, payloadDigest }: Bundle): string {
  return `${index.cluster.name}-${payloadDigest.slice(0, 12)}`;
}

/** Permission bits of a member as a file: secrets are root's alone. */
export function partMode({ index }: Bundle, path: string): number {
  if (index.secrets.some(({ member }) => member === path)) return 0o600;
  return Number.parseInt(index.members[path]?.mode ?? "0644", 8);
}

/** In the order in which they are carried: small ones first, so that a wrong host is known early. The bundle was verified. */
export function partsFor(bundle: Bundle, { node, roles }: Pick<Host, "node" | "roles">, platform: Platform): Part[] {
  const { index, source, sums } = bundle;
  const needed = partsOfNode(index, { node, roles, platform });
  return [...source.members.values()]
    .filter(({ path }) => needed.has(path) || isSignaturePath(path))
    .map((member) => {
      const { path } = member;
      // SHA256SUMS lists neither itself nor its signatures.
      const digest = path === sumsPath ? digestOf(bundle.sumsBytes) : sums.get(path);
      return {
        path,
        member,
        mode: partMode(bundle, path),
        digest: digest ?? digestOf(readMember(member, 1024 * 1024)),
      };
    })
    .toSorted((a, b) => a.member.size - b.member.size || (a.path < b.path ? -1 : 1));
}
