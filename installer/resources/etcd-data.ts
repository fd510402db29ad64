/**
 * etcd's data replaced by others: what is there is moved aside in its own folder (which may be a disk's), never removed,
 * and undo moves it back. Two notes in the folder beside say how far it came, so that a power cut leaves no doubt whose
 * data lie in their place.
 */
import { join } from "node:path";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { start, stop } from "../host/systemd.ts";
import type { Resource } from "./resource.ts";

export interface EtcdDataId {
  readonly dataDir: string;
  readonly walDir: string | null;
  /** `20261121T101500Z`: in the names of the folders beside. */
  readonly at: string;
  /** `restore`: a program that makes new data in {@link freshIn}; `copy`: as they were; `none`: etcd gets them of its peers. */
  readonly make: "copy" | "none" | { readonly argv: readonly string[]; readonly environment: Record<string, string> };
  /** Stopped before, in this order; etcd is the last. */
  readonly units: readonly string[];
}

/** `moving`: some of the old data are beside; `moved`: all of them; `made`: what lies in their place is new. */
export interface EtcdDataState {
  readonly stage: "before" | "moving" | "moved" | "made";
  /** Names in the data directory, and in that of the write-ahead log. */
  readonly present: readonly (readonly string[])[];
  readonly beside: readonly (readonly string[])[];
  /** For each place, its folders of new data that an undo has put beside already, and the names in each. */
  readonly undone: readonly (readonly (readonly string[])[])[];
}

/** The folder in which the program of `make` writes: below each of etcd's own, so that no file has to cross a disk. */
export function freshIn(folder: string, at: string): string {
  return join(folder, `kubeferry-new-${at}`);
}

const besideIn = (folder: string, at: string): string => join(folder, `kubeferry-before-${at}`);
/** The first, or the further ones of an undo during which etcd was started on a folder that was empty for that moment. */
const undoneIn = (folder: string, at: string, number = 0): string =>
  join(folder, `kubeferry-undone-${at}${number === 0 ? "" : `.${number + 1}`}`);
const owner = { uid: 0, gid: 0 };

export const etcdData: Resource<EtcdDataId, EtcdDataState> = {
  name: ({ dataDir, at }) => `etcd's data ${dataDir} at ${at}`,
  describe: ({ dataDir }) => `etcd's data in ${dataDir} replaced`,
  async inspect(host, id) {
    const places = placesOf(id);
    const present = await Promise.all(places.map(({ folder, isData }) => entries(host, folder, isData)));
    const beside = await Promise.all(
      places.map(({ folder, isData }) => entries(host, besideIn(folder, id.at), isData)),
    );
    const undone = await Promise.all(
      places.map(async ({ folder, isData }) => {
        const found: string[][] = [];
        for (let path = undoneIn(folder, id.at); (await host.stat(path)) !== null;) {
          found.push(await entries(host, path, isData));
          path = undoneIn(folder, id.at, found.length);
        }
        return found;
      }),
    );
    const has = async (path: string): Promise<boolean> => (await host.stat(path)) !== null;
    const [moved, made] = notes(id);
    // The last folder beside goes when all of the old data are back, wherever the log lies.
    const isBeside = (await Promise.all(places.map(({ folder }) => has(besideIn(folder, id.at))))).includes(true);
    const moving = (await has(moved)) ? "moved" : isBeside ? "moving" : "before";
    return { stage: (await has(made)) ? "made" : moving, present, beside, undone };
  },
  spec: (_, now) => ({ ...now, stage: "made" }),
  equal: (a, b) => a.stage === b.stage,
  steps(id, from, to) {
    if (from.stage === to.stage) return [];
    const stops = id.units.flatMap(stop);
    if (to.stage === "made") return [...stops, ...moveAside(id, from), ...make(id, from)];
    // A stage between is where somebody else's undo broke off: its old data go back all the same.
    const starts = id.units.toReversed().map((unit) => start("start", unit, true));
    return [...stops, ...giveBack(id, from), ...starts];
  },
  retires: () => null,
};

function placesOf({ dataDir, walDir }: EtcdDataId): { folder: string; isData: (name: string) => boolean }[] {
  const data = { folder: dataDir, isData: (name: string) => name === "member" };
  const wal = (folder: string) => ({ folder, isData: (name: string) => /\.(wal|tmp)$/.test(name) });
  return walDir === null ? [data] : [data, wal(walDir)];
}

async function entries(host: HostReader, folder: string, isData: (name: string) => boolean): Promise<string[]> {
  return (await host.list(folder)).filter(isData);
}

function notes({ dataDir, at }: EtcdDataId): [moved: string, made: string] {
  const beside = besideIn(dataDir, at);
  return [join(beside, "moved"), join(beside, "made")];
}

/** An empty folder: a file would have a content, of which undo would ask who edited it. */
function note(path: string): Effect {
  return { do: "mkdir", path, mode: 0o700, owner };
}

/**
 * The names of new data. While old ones are being moved, what has the name of one that is beside already is etcd's: a
 * machine that went off in between started it at its next boot.
 */
function newData({ stage, present, beside }: EtcdDataState): string[][] {
  const isNew = stage === "moved" || stage === "made";
  return present.map((names, at) => names.filter((name) => isNew || (beside[at] ?? []).includes(name)));
}

/** New data are kept beside in their turn: they may hold what was written since. */
function moveNewAway(id: EtcdDataId, state: EtcdDataState): Effect[] {
  return placesOf(id).flatMap(({ folder }, at): Effect[] => {
    const names = newData(state)[at] ?? [];
    if (names.length === 0) return [];
    const taken = state.undone[at] ?? [];
    const free = taken.findIndex((there) => !there.some((name) => names.includes(name)));
    const undone = undoneIn(folder, id.at, free < 0 ? taken.length : free);
    const move = (name: string): Effect => ({ do: "move", path: join(folder, name), to: join(undone, name) });
    return [{ do: "mkdir", path: undone, mode: 0o700, owner }, ...names.map(move)];
  });
}

function moveAside(id: EtcdDataId, state: EtcdDataState): Effect[] {
  if (state.stage !== "before" && state.stage !== "moving") return [];
  const [moved] = notes(id);
  const fresh = newData(state);
  const moves = placesOf(id).flatMap(({ folder }, at): Effect[] => {
    const beside = besideIn(folder, id.at);
    const move = (name: string): Effect => ({ do: "move", path: join(folder, name), to: join(beside, name) });
    const old = (state.present[at] ?? []).filter((name) => !(fresh[at] ?? []).includes(name));
    return [{ do: "mkdir", path: beside, mode: 0o700, owner }, ...old.map(move)];
  });
  return [...moveNewAway(id, state), ...moves, note(moved)];
}

/** From the beginning each time: what an interrupted program left is no data. */
function make(id: EtcdDataId, { stage, present }: EtcdDataState): Effect[] {
  const [, made] = notes(id);
  const places = placesOf(id);
  const fresh = places.map(({ folder }) => freshIn(folder, id.at));
  const removal = fresh.map((path): Effect => ({ do: "remove-tree", path }));
  // What is in their place once the old data are beside was put there by this very change.
  const partial = stage !== "moved" ? [] : places.flatMap(({ folder }, at) => treesOf(folder, present[at] ?? []));
  if (id.make === "none") return [...partial, note(made)];
  const making: Effect[] =
    id.make === "copy"
      ? places.map(({ folder }, at) => copy(besideIn(folder, id.at), fresh[at] ?? ""))
      : [{ do: "run", ...id.make, timeoutSeconds: 1800 }];
  const placing = places.map(({ folder }, at): Effect => {
    const path = fresh[at] ?? "";
    return at === 0
      ? { do: "move", path: join(path, "member"), to: join(folder, "member") }
      : copy(`${path}/.`, folder);
  });
  return [...removal, ...partial, ...making, ...placing, ...removal, note(made)];
}

function copy(from: string, to: string): Effect {
  return { do: "run", argv: ["cp", "-a", "--reflink=auto", from, to], timeoutSeconds: 1800 };
}

function treesOf(folder: string, names: readonly string[]): Effect[] {
  return names.map((name) => ({ do: "remove-tree", path: join(folder, name) }));
}

function giveBack(id: EtcdDataId, state: EtcdDataState): Effect[] {
  // From here on what is in place is old again: the notes go first.
  const forget = notes(id)
    .toReversed()
    .map((path): Effect => ({ do: "rmdir-if-empty", path }));
  const back = placesOf(id).flatMap(({ folder }, at): Effect[] => {
    const from = besideIn(folder, id.at);
    const move = (name: string): Effect => ({ do: "move", path: join(from, name), to: join(folder, name) });
    const undone = [...(state.undone[at] ?? []), []].map((_, number) => undoneIn(folder, id.at, number));
    return [
      ...(state.beside[at] ?? []).map(move),
      { do: "rmdir-if-empty", path: from },
      { do: "remove-tree", path: freshIn(folder, id.at) },
      ...undone.map((path): Effect => ({ do: "rmdir-if-empty", path, data: true })),
    ];
  });
  return [...moveNewAway(id, state), ...forget, ...back];
}
