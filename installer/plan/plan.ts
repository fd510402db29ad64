/** From a bundle's index and a chosen node to the list of operations. Pure. */
import { type BundleIndex, type Digest, type FileEntry, selects, type Selector } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { Owner } from "../host/effect.ts";
import { kindOf } from "../operations/catalogue.ts";
import type { Phase, Plan } from "../operations/operation.ts";
import { place } from "./place.ts";
import { prepare } from "./prepare.ts";
import type { Selection } from "./select.ts";
import { start } from "./start.ts";

/** A file of the index as it will be on this node: digest and size after its tokens are replaced. */
export interface NodeFile {
  readonly entry: FileEntry;
  readonly digest: Digest;
  readonly size: number;
}

export interface PlanInput {
  readonly index: BundleIndex;
  readonly selection: Selection;
  readonly files: readonly NodeFile[];
  /** False with `--root`: no running service, no kernel value. */
  readonly live: boolean;
  /** Given where only root could give files away: then everything is this user's. */
  readonly owner: Owner | null;
}

/** The phases in order: `prepare`, `place`, `start …`. FORMAT_INVALID where a bundle wants one thing twice. */
export function plan(input: PlanInput): Plan {
  const phases: Phase[] = [...prepare(input), place(input), ...start(input)];
  refuseTwice(phases);
  return { phases: phases.filter(({ operations, gates }) => operations.length > 0 || gates.length > 0) };
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

function refuseTwice(phases: readonly Phase[]): void {
  const seen = new Map<string, string>();
  for (const operation of phases.flatMap(({ operations }) => operations)) {
    const kind = kindOf(operation);
    const resource = kind.resource(operation.spec);
    const first = seen.get(resource);
    if (first !== undefined) {
      throw new ExpectedError("FORMAT_INVALID", `the bundle wants one thing twice: ${resource}`, {
        found: `${first}; ${kind.describe(operation.spec)}`,
        hint: "build the bundle again; this is a mistake in its release",
      });
    }
    seen.set(resource, kind.describe(operation.spec));
  }
}
