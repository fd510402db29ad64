/** What is done around a phase and changes nothing that undo would have to restore. */
import { dirname } from "node:path";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { isActive, start } from "../host/systemd.ts";
import { etcdStart } from "./etcd-start.ts";
import type { Change, Hook, Phase } from "./resource.ts";
import { resourceOf } from "./catalogue.ts";
import { isUnknown } from "./resource.ts";

/** Before and after the phase's changes. Those that have nothing left to do are empty. */
export interface Around {
  readonly before: readonly Effect[];
  readonly after: readonly Effect[];
  /** What cannot be looked at yet: decided when its turn comes. */
  readonly unknown?: { readonly what: string; readonly unknown: string };
}

/** May only look. `changes`: those of the phase that are still to be performed. */
export async function around(host: HostReader, phase: Phase, changes: readonly Change[]): Promise<Around> {
  const before: Effect[] = [];
  const after: Effect[] = [];
  let unknown: Around["unknown"];
  for (const hook of phase.hooks ?? []) {
    if (hook.hook === "snapshot") before.push(...(await snapshot(host, hook)));
    else if (hook.hook === "start") before.push(...(await starting(host, hook)));
    else if (hook.hook === "etcd") {
      const effects = await etcdStart(host, hook.as, hook.client);
      if (isUnknown(effects)) unknown = { what: `etcd started with ${hook.as}`, unknown: effects.unknown };
      else before.push(...effects);
    } else after.push(...(await relabel(host, hook.paths, changes)));
  }
  return { before, after, ...(unknown === undefined ? {} : { unknown }) };
}

/** By the installed etcdctl, before the installed etcd is replaced. What it holds may be all that is left of the older data. */
async function snapshot(host: HostReader, hook: Hook & { hook: "snapshot" }): Promise<Effect[]> {
  const { unit, path, client, environment } = hook;
  if ((await host.stat(path)) !== null || !(await isActive(host, unit))) return [];
  const argv = [...client, "snapshot", "save", path];
  return [
    { do: "mkdir", path: dirname(path), mode: 0o700, owner: { uid: 0, gid: 0 } },
    { do: "run", argv, environment, timeoutSeconds: 1800 },
  ];
}

async function starting(host: HostReader, { units, noBlock }: Hook & { hook: "start" }): Promise<Effect[]> {
  const effects: Effect[] = [];
  for (const unit of units) if (!(await isActive(host, unit))) effects.push(start("start", unit, noBlock));
  return effects;
}

async function relabel(host: HostReader, paths: readonly string[], changes: readonly Change[]): Promise<Effect[]> {
  const written = new Set(changes.flatMap(pathsOf));
  const present = [...(await wrongLabels(host, paths)), ...paths.filter((path) => written.has(path))];
  const wrong = paths.filter((path) => present.includes(path));
  return wrong.length === 0 ? [] : [{ do: "run", argv: ["restorecon", ...wrong] }];
}

/** Of what is there: with another SELinux context than the host's own policy wants. */
export async function wrongLabels(host: HostReader, paths: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const path of paths) if ((await host.stat(path)) !== null) present.push(path);
  if (present.length === 0) return [];
  const { stdout } = await host.query(["restorecon", "-n", "-v", ...present]);
  return present.filter((path) => stdout.includes(` ${path} `));
}

/** What a change writes or removes. */
export function pathsOf({ resource, id, before, after }: Change): string[] {
  if (isUnknown(before) || isUnknown(after)) return [];
  const effects = resourceOf({ resource }).steps(id, before, after);
  return effects.flatMap((effect) => ("path" in effect ? [effect.path] : []));
}
