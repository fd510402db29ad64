/** Who vouches for an artifact, for people. Pure. */
import type { LockedArtifact } from "./lock.ts";

type Vouched = Pick<LockedArtifact, "pinnedBy" | "signedBy">;

/** `pinned by release`, `pinned by upstream, signed by C9C3…D386 (Aleksa Sarai <cyphar@cyphar.com>)` */
export function pinText({ pinnedBy, signedBy }: Vouched): string {
  return [`pinned by ${pinnedBy}`, ...(signedBy === undefined ? [] : [`signed by ${signerText(signedBy)}`])].join(", ");
}

/** `C9C370B246B09F6DBCFC744C34401015D1D2D386 (Aleksa Sarai <cyphar@cyphar.com>)` */
export function signerText({ fingerprint, name }: NonNullable<Vouched["signedBy"]>): string {
  return name === "" ? fingerprint : `${fingerprint} (${name})`;
}
