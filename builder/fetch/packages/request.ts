/** What is asked of a distribution's repositories, and what they answer. */
import type { Platform } from "#bundle";
import type { LockedPackage } from "../../lock/lock.ts";

/** A repository that cluster.yaml names; without any, apt's own sources on this machine are used. */
export interface PackageRepository {
  /** `https://…` or `file:///…`: of apt the part before `dists/`, of rpm the folder that holds `repodata/`. */
  readonly url: string;
  /** apt: `bookworm`. */
  readonly suite?: string | undefined;
  /** apt: `main`, `contrib`. */
  readonly components?: readonly string[] | undefined;
  /** File with the public key that signs the repository (binary or armoured OpenPGP). */
  readonly key?: string | undefined;
}

/** One entry of `packages:` in cluster.yaml. */
export interface PackageRequest {
  /** ID and VERSION_ID of os-release: `debian 12`, `rocky 9.4`. */
  readonly distribution: string;
  readonly names: readonly string[];
  readonly repositories?: readonly PackageRepository[] | undefined;
  /** File in the form of manifests/bases/debian-12.txt; by default the one of the distribution's name. */
  readonly base?: string | undefined;
}

export interface ResolveContext {
  readonly platforms: readonly Platform[];
  /** Folder for apt's private state and repositories' metadata; kept between runs so that little is fetched twice. */
  readonly state: string;
}

export type ResolvePackages = (request: PackageRequest, context: ResolveContext) => Promise<LockedPackage[]>;
