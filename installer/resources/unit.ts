/** A systemd unit: the links that enable it, whether it is masked, and whether it runs. Its file is a resource `file`. */
import type { Digest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import {
  isMask,
  mask,
  reload,
  type Running,
  runningState,
  runtimeFolder,
  start,
  stop,
  unitFolder,
} from "../host/systemd.ts";
import { type Generation, isSame, type Resource } from "./resource.ts";

export interface UnitId {
  readonly name: string;
  /** Where its links point: the unit's own file. */
  readonly file: string;
  /** Absolute paths of the links that enable it. */
  readonly links: readonly string[];
  /** False: enabled, and left running or not as it is. */
  readonly start: boolean;
  readonly noBlock: boolean;
  /** Files whose change restarts it, or with `reload` makes it read them anew; and the digest they will have. */
  readonly restartOn: readonly { readonly path: string; readonly digest: Digest; readonly reload?: true }[];
}

export interface UnitState extends Generation {
  /** What is at each of the id's `links`. */
  readonly links: readonly (string | null)[];
  /** Links to /dev/null that mask it. */
  readonly masks: readonly string[];
  /** Null with `--root`: nothing runs. */
  readonly running: Running | null;
}

export const unit: Resource<UnitId, UnitState> = {
  name: ({ name }) => `unit ${name}`,
  describe: ({ name, start }) => `unit ${name}${start ? ", started" : ""}`,
  async inspect(host, { name, file, links }) {
    const places = [`${unitFolder}/${name}`, `${runtimeFolder}/${name}`];
    const masks: string[] = [];
    // A mask at the place of the unit's own file is replaced, and put back, by that file.
    for (const path of places) if (path !== file && (await isMask(host, path))) masks.push(path);
    return {
      links: await Promise.all(links.map((path) => linkAt(host, path))),
      masks,
      running: host.live ? await runningState(host, name) : null,
    };
  },
  spec: ({ file, links, start }, now) => ({
    ...now,
    links: links.map(() => file),
    masks: [],
    running: now.running !== null && start ? "active" : now.running,
  }),
  equal: (a, b) =>
    isSame(a.links, b.links) && isSame(a.masks, b.masks) && a.running === b.running && !isOtherGeneration(a, b),
  steps(id, from, to) {
    const { name, links, noBlock } = id;
    const isActive = from.running === "active";
    // One that failed before failed with what there was then: nobody wants that again.
    const ends = to.running !== null && to.running !== "active" && from.running !== to.running;
    const enabling = [
      ...from.masks.filter((path) => !to.masks.includes(path)).map((path): Effect => ({ do: "remove", path })),
      ...links.flatMap((path, at): Effect[] => {
        const [present, target] = [from.links[at] ?? null, to.links[at] ?? null];
        if (present === target) return [];
        return [target === null ? { do: "remove", path } : { do: "symlink", path, target }];
      }),
      ...to.masks.filter((path) => !from.masks.includes(path)).map(mask),
    ];
    // Started by nobody with --no-start; but undo gives back what ran, and a boot may have come between.
    const restarts = isRunningOther(from, to) && (id.start || to.generation === "former");
    // What runs has peers that run: it is waited for, or its check would still meet the one that is to end.
    const starting = isActive
      ? restarts
        ? [start(to.rereads === true ? "reload" : "restart", name)]
        : []
      : [start("start", name, noBlock)];
    const starts = to.running === "active" ? starting : [];
    const rereads = enabling.length > 0 || starts.length > 0 || isRunningOther(from, to);
    return [...(ends ? stop(name) : []), ...enabling, ...(to.running !== null && rereads ? [reload] : []), ...starts];
  },
  reads: ({ restartOn }) => restartOn.map(({ path }) => path),
  rereads: ({ restartOn }) => restartOn.filter(({ reload }) => reload).map(({ path }) => path),
  retires: (_, before) => (before.running === "active" ? "restart" : "stop"),
};

/** Both say so: what runs cannot be asked. */
function isOtherGeneration(a: Generation, b: Generation): boolean {
  return a.generation !== undefined && b.generation !== undefined && a.generation !== b.generation;
}

/** Whether it may run what files said that are not those of `to`. */
function isRunningOther(from: Generation, to: Generation): boolean {
  return to.generation !== undefined && from.generation !== to.generation;
}

async function linkAt(host: HostReader, path: string): Promise<string | null> {
  const stat = await host.stat(path);
  if (stat === null) return null;
  if (stat.type === "symlink") return stat.target;
  throw new ExpectedError("PREFLIGHT", `a link that enables a unit is to be where a ${stat.type} is`, {
    where: path,
    hint: `ls -l ${path}`,
  });
}
