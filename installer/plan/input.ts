/** What planning starts from: the index, the chosen node, and its files with their final digests. */
import { type BundleIndex, type Digest, type FileEntry, selects, type Selector } from "#bundle";
import type { Owner } from "../host/effect.ts";
import type { BlockId } from "../resources/block.ts";
import type { UnitId } from "../resources/unit.ts";
import type { Selection } from "./select.ts";

/** A file of the index as it will be on this node: digest and size after its tokens are replaced. */
export interface NodeFile {
  readonly entry: FileEntry;
  readonly digest: Digest;
  readonly size: number;
}

/** The host's own time daemon, which is to be enabled and to run. */
export interface TimeUnit extends Pick<UnitId, "name" | "links" | "restartOn"> {
  /** The unit's own file, of the distribution or of an administrator. */
  readonly file: string;
  /** Lines in its configuration, where it reads no file beside that. */
  readonly block: Omit<BlockId, "owner"> | null;
}

export interface PlanInput {
  readonly index: BundleIndex;
  readonly selection: Selection;
  readonly files: readonly NodeFile[];
  /** False with `--root`: no running service, no kernel value. */
  readonly live: boolean;
  /** False with `--no-start`: units are enabled and not started, and what wants them running is left out. */
  readonly starts?: boolean;
  /** The host's own time daemon, where it is to be pointed somewhere. */
  readonly time?: TimeUnit | null;
  /** Whether SELinux runs, and what is installed must have its contexts. */
  readonly labels?: boolean;
  /** Given where only root could give files away: then everything is this user's. */
  readonly owner: Owner | null;
}

/** The entries of the index that are for this node. */
export function chosen<T extends { readonly for: Selector }>(entries: readonly T[], selection: Selection): T[] {
  const { profile, roles, platform } = selection;
  return entries.filter((entry) => selects(entry.for, profile.name, roles, platform));
}

/** `0755` and `0:0` as numbers; `owner` where one is given for everything. */
export function attributes(
  entry: { mode: string; owner: string },
  owner: Owner | null,
): { mode: number; owner: Owner } {
  const [uid = 0, gid = 0] = entry.owner.split(":").map(Number);
  return { mode: parseInt(entry.mode, 8), owner: owner ?? { uid, gid } };
}
