/** Who vouches for an artifact, and what an auditor can follow. Pure. */
import type { LockedArtifact } from "./lock.ts";

export type Provenance = Pick<LockedArtifact, "published" | "agrees" | "signedBy">;

/** Of a locked artifact, for the files that come out of it. */
export function provenanceOf({ published, agrees, signedBy }: Provenance): Provenance {
  return {
    ...(published !== undefined && { published }),
    ...(agrees !== undefined && { agrees }),
    ...(signedBy !== undefined && { signedBy }),
  };
}

/** `pinned by release, published at URL, agreed by A and B, signed by C9C3…D386 (Aleksa Sarai <cyphar@cyphar.com>)` */
export function pinText(one: Provenance & Pick<LockedArtifact, "pinnedBy">): string {
  const { pinnedBy, published, agrees = [], signedBy } = one;
  return [
    `pinned by ${pinnedBy}`,
    ...(published === undefined ? [] : [`published at ${published}`]),
    ...(agrees.length === 0 ? [] : [`agreed by ${agrees.join(" and ")}`]),
    ...(signedBy === undefined ? [] : [`signed by ${signerText(signedBy)}`]),
  ].join(", ");
}

/** `C9C370B246B09F6DBCFC744C34401015D1D2D386 (Aleksa Sarai <cyphar@cyphar.com>)` */
export function signerText({ fingerprint, name }: NonNullable<Provenance["signedBy"]>): string {
  return name === "" ? fingerprint : `${fingerprint} (${name})`;
}
