/** Container images, imported as soon as the runtime that takes them runs. */
import { goal, idsOf } from "../resources/catalogue.ts";
import type { Phase } from "../resources/resource.ts";
import { chosen, type PlanInput } from "./input.ts";

/** The phases with one for images after the phase that starts the runtime; as they are where there is nothing to import. */
export function withImages(phases: readonly Phase[], { index, selection, files }: PlanInput): Phase[] {
  const images = chosen(index.images, selection);
  const holds = (name: string) => (phase: Phase) => idsOf("unit", phase.goals).some((unit) => unit.name === name);
  const runtime = phases.some(holds("docker.service")) ? ("docker" as const) : ("containerd" as const);
  const at = phases.findIndex(holds(`${runtime}.service`));
  if (images.length === 0 || at < 0) return [...phases];
  const program = runtime === "docker" ? "docker" : "ctr";
  const path = files.find(({ entry }) => entry.path.endsWith(`/bin/${program}`))?.entry.path ?? program;
  const goals = images.map(({ name, digest, config, path: archive }) =>
    goal("image", { runtime, name, digest, config: config ?? digest, path: archive, client: [path] }),
  );
  return [...phases.slice(0, at + 1), { name: "images", goals, gates: [] }, ...phases.slice(at + 1)];
}
