/**
 * What a power cut, or a kill, may have left of a change: temporary files, texts for programs to read, and a systemd that was
 * not told of the files which are all in place.
 */
import { type Effect, temporaryName } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { reload } from "../host/systemd.ts";
import { resourceOf } from "../resources/catalogue.ts";
import { type Change, isUnknown } from "../resources/resource.ts";

/** The effects that mend it. May only look. */
export async function sweeping(host: HostReader, { resource, id, before, after }: Change): Promise<Effect[]> {
  if (isUnknown(before)) return [];
  const known = resourceOf({ resource });
  const [there, back] = [known.steps(id, before, after), known.steps(id, after, before)];
  const pathsOf = (effects: readonly Effect[], verb?: Effect["do"]): string[] =>
    effects.flatMap((one) => ("path" in one && (verb ?? one.do) === one.do ? [one.path] : []));
  const passing = [there, back].flatMap((list) => {
    const removed = pathsOf(list, "remove");
    return [...pathsOf(list, "write"), ...pathsOf(list, "sign")].filter((path) => removed.includes(path));
  });
  const untold = there.some((effect) => effect.do === "systemctl" && effect.verb === "daemon-reload");
  const effects = untold ? [reload] : [];
  for (const path of new Set([...pathsOf([...there, ...back]).map(temporaryName), ...passing])) {
    if ((await host.stat(path)) !== null) effects.push({ do: "remove", path });
  }
  return effects;
}
