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

/** In the order in which they are carried: small ones first, so that a wrong host is known early. The bundle was verified. */
export function partsFor(bundle: Bundle, { node, roles }: Host, platform: Platform): Part[] {
  const { index, source, sums } = bundle;
  const needed = partsOfNode(index, { node, roles, platform });
  const secrets = new Set(index.secrets.map(({ member }) => member));
  return [...source.members.values()]
    .filter(({ path }) => needed.has(path) || isSignaturePath(path))
    .map((member) => {
      const { path } = member;
      const mode = secrets.has(path) ? 0o600 : Number.parseInt(index.members[path]?.mode ?? "0644", 8);
      // SHA256SUMS lists neither itself nor its signatures.
      const digest = path === sumsPath ? digestOf(bundle.sumsBytes) : sums.get(path);
      return { path, member, mode, digest: digest ?? digestOf(readMember(member, 1024 * 1024)) };
    })
    .toSorted((a, b) => a.member.size - b.member.size || (a.path < b.path ? -1 : 1));
}
