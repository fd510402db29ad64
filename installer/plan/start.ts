/**
 * Units: those that are only enabled, then one phase for each number of their starting order, with its health checks.
 * With `--no-start` all are only enabled.
 */
import { join } from "node:path";
import type { CheckEntry, UnitEntry } from "#bundle";
import { operation } from "../operations/catalogue.ts";
import type { Operation, Phase } from "../operations/operation.ts";
import { chosen, type PlanInput } from "./input.ts";

const unitFolder = "/etc/systemd/system";

export function start(input: PlanInput): Phase[] {
  const units = chosen(input.index.units, input.selection);
  const checks = input.live && (input.starts ?? true) ? chosen(input.index.checks, input.selection) : [];
  const orders = [...new Set(units.map((unit) => unit.start).filter((order) => order !== null))].toSorted(
    (a, b) => a - b,
  );
  const idle = units.filter((unit) => unit.start === null);
  const verb = (input.starts ?? true) ? "start" : "enable";
  const phases: Phase[] = [{ name: "enable", operations: idle.map((unit) => toOperation(unit, input)), gates: [] }];
  for (const order of orders) {
    const together = units.filter((unit) => unit.start === order).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    phases.push({
      name: `${verb} ${together.map(({ name }) => name.replace(/\.service$/, "")).join(" ")}`,
      operations: together.map((unit) => toOperation(unit, input)),
      gates: checks.filter((check) => together.some(({ name }) => speaksFor(check, name))).map(({ name }) => name),
    });
  }
  return phases;
}

/** Absolute paths of the links that enable this node's units. */
export function linkPaths(input: PlanInput): string[] {
  return chosen(input.index.units, input.selection).flatMap(({ links }) => links.map((link) => join(unitFolder, link)));
}

function toOperation(unit: UnitEntry, { files, live, starts = true }: PlanInput): Operation {
  const own = files.find(({ entry }) => entry.path.endsWith(`/systemd/system/${unit.name}`));
  return operation("unit", {
    name: unit.name,
    file: own?.entry.path ?? join(unitFolder, unit.name),
    links: unit.links.map((link) => join(unitFolder, link)),
    live,
    start: live && starts && unit.start !== null,
    noBlock: unit.noBlock,
    restartOn: files
      .filter(({ entry }) => unit.restartOn.includes(entry.path) || entry === own?.entry)
      .map(({ entry, digest }) => ({ path: entry.path, digest })),
  });
}

function speaksFor(check: CheckEntry, unit: string): boolean {
  return check.unit === unit || check.unit === unit.replace(/\.service$/, "");
}
