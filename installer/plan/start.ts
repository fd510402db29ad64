/**
 * Units: those that are only enabled, then one phase for each number of their starting order, with its health checks.
 * With `--no-start` all are only enabled.
 */
import { join } from "node:path";
import type { CheckEntry, UnitEntry } from "#bundle";
import { goal } from "../resources/catalogue.ts";
import type { Goal, Phase } from "../resources/resource.ts";
import { unitFolder } from "../host/systemd.ts";
import { chosen, type PlanInput } from "./input.ts";

export function start(input: PlanInput): Phase[] {
  const units = chosen(input.index.units, input.selection);
  const checks = input.live && (input.starts ?? true) ? chosen(input.index.checks, input.selection) : [];
  const orders = [...new Set(units.map((unit) => unit.start).filter((order) => order !== null))].toSorted(
    (a, b) => a - b,
  );
  const idle = units.filter((unit) => unit.start === null);
  const verb = (input.starts ?? true) ? "start" : "enable";
  const phases: Phase[] = [{ name: "enable", goals: idle.map((unit) => toGoal(unit, input)), gates: [] }];
  for (const order of orders) {
    const together = units.filter((unit) => unit.start === order).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    phases.push({
      name: `${verb} ${together.map(({ name }) => name.replace(/\.service$/, "")).join(" ")}`,
      goals: together.map((unit) => toGoal(unit, input)),
      gates: checks.filter((check) => together.some(({ name }) => speaksFor(check, name))).map(({ name }) => name),
    });
  }
  return phases;
}

/** Absolute paths of the links that enable this node's units. */
export function linkPaths(input: PlanInput): string[] {
  return chosen(input.index.units, input.selection).flatMap(({ links }) => links.map((link) => join(unitFolder, link)));
}

function toGoal(unit: UnitEntry, { files, live, starts = true }: PlanInput): Goal {
  const rereads = new Set(unit.reloadOn);
  const own = files.find(({ entry }) => entry.path.endsWith(`/systemd/system/${unit.name}`));
  return goal("unit", {
    name: unit.name,
    file: own?.entry.path ?? join(unitFolder, unit.name),
    links: unit.links.map((link) => join(unitFolder, link)),
    start: live && starts && unit.start !== null,
    noBlock: unit.noBlock,
    restartOn: files
      .filter(({ entry }) => unit.restartOn.includes(entry.path) || entry === own?.entry)
      .map(({ entry: { path }, digest }) => ({
        path,
        digest,
        ...(rereads.has(path) ? ({ reload: true } as const) : {}),
      })),
  });
}

function speaksFor(check: CheckEntry, unit: string): boolean {
  return check.unit === unit || check.unit === unit.replace(/\.service$/, "");
}
