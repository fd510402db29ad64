/** What a power cut may have left beside the places of a change: temporary files, texts for programs to read. */
import { type Effect, temporaryName } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { resourceOf } from "../resources/catalogue.ts";
import { type Change, isUnknown } from "../resources/resource.ts";

/** The effects that take it away. May only look. */
export async function sweeping(host: HostReader, { resource, id, before, after }: Change): Promise<Effect[]> {
  if (isUnknown(before)) return [];
  const known = resourceOf({ resource });
  const [there, back] = [known.steps(id, before, after), known.steps(id, after, before)];
  const pathsOf = (effects: readonly Effect[], verb?: Effect["do"]): string[] =>
    effects.flatMap((one) => ("path" in one && (verb ?? one.do) === one.do ? [one.path] : []));
  const passing = [there, back].flatMap((list) => {
    const removed = pathsOf(list, "remove");
    return pathsOf(list, "write").filter((path) => removed.includes(path));
  });
  const effects: Effect[] = [];
  for (const path of new Set([...pathsOf([...there, ...back]).map(temporaryName), ...passing])) {
    if ((await host.stat(path)) !== null) effects.push({ do: "remove", path });
  }
  return effects;
}
