/** Programs that units, health checks and objects run. */
import { error, type Finding, warning } from "#cli/finding";
import type { Component } from "../../components/component.ts";
import { components } from "../../components/list.ts";
import { mergedUsr } from "./base.ts";
import { readUnit } from "./unit-text.ts";
import { findProgram, type View } from "./view.ts";

const unitPattern = /\.(service|socket|timer|mount|target|path)$/;

const companions = Object.assign(
  {},
  ...components.map((component) => component.companions ?? {}),
) as Required<Component>["companions"];

/** Every Exec line of every unit file, every unit that is to be enabled, and the programs that those start in turn. */
export function checkUnits(view: View): Finding[] {
  const findings: Finding[] = [];
  for (const unit of view.units) {
    const paths = ["/etc/systemd/system", "/usr/lib/systemd/system"].map((folder) => `${folder}/${unit.name}`);
    if (!paths.some((path) => view.files.has(path))) findings.push(missingUnit(view, unit.name));
    for (const path of unit.restartOn) {
      if (!view.files.has(path)) findings.push(missingFile(view, path, `unit ${unit.name} (restartOn)`));
    }
  }
  for (const file of view.files.values()) {
    if (!unitPattern.test(file.path) || typeof file.content !== "string") continue;
    const { executables, files } = readUnit(file.content);
    for (const program of executables) {
      findings.push(...checkProgram(view, program, file.path));
      // Only a program of ours is known to want these; the distribution's own has its dependencies.
      if (!view.files.has(program)) continue;
      for (const names of companions[baseName(program)] ?? []) {
        if (names.some((name) => hasNamed(view, name))) continue;
        const old = [...view.files.keys()].some((path) => baseName(path).startsWith("docker-containerd"));
        const path = `${program.slice(0, program.lastIndexOf("/"))}/${old ? names.at(-1) : names[0]}`;
        findings.push(...checkProgram(view, path, `${program} of ${file.path}`));
      }
    }
    for (const path of files) {
      if (!path.startsWith("/run/") && !view.files.has(path)) findings.push(missingFile(view, path, file.path));
    }
  }
  return findings;
}

/** Programs of health checks, and those that bring objects about. */
export function checkCommands(view: View): Finding[] {
  const findings = view.checks.flatMap((check) => {
    const program = check.argv[0] ?? "";
    return program.startsWith("/") ? checkProgram(view, program, `health check "${check.name}"`) : [];
  });
  for (const object of view.objects) {
    const program = object.via.startsWith("etcd") ? "etcdctl" : "kubectl";
    if (!hasNamed(view, program))
      findings.push(...checkProgram(view, `/usr/local/bin/${program}`, `object ${object.name}`));
    if (object.path !== undefined && !view.files.has(object.path))
      findings.push(missingFile(view, object.path, `object ${object.name}`));
  }
  return findings;
}

/** [] when a program is there and may be executed. */
function checkProgram(view: View, path: string, where: string): Finding[] {
  const check = "executable";
  const file = view.files.get(path);
  if (file !== undefined && (Number.parseInt(file.mode, 8) & 0o111) === 0) {
    const message = `${path}, which ${where} runs, has mode ${file.mode}: it is not executable`;
    const hint = "a fault of the release's rendering: its mode wants to be 0755";
    return [error(check, message, { where, expected: path, hint })];
  }
  const state = findProgram(view, path);
  if (state === "here") return [];
  const message = `${path} is missing on ${view.label}: ${where} runs it`;
  const hint =
    packageHint(view.base.offers.get(mergedUsr(path))?.packages) ??
    "add the component that brings it to the release manifest";
  return [(state === "likely" ? warning : error)(check, message, { where, expected: path, hint })];
}

/** The line of cluster.yaml that would bring a program or library; null where no package is known for it. */
export function packageHint(packages: readonly string[] | undefined): string | null {
  const [first] = packages ?? [];
  return first === undefined ? null : `add "${first}" to packages: in cluster.yaml`;
}

export function missingFile(view: View, path: string, where: string, check = "file"): Finding {
  return error(check, `${path} is missing on ${view.label}: ${where} names it`, {
    where,
    expected: path,
    hint: "a fault of the release's rendering: render the file, or take its name out",
  });
}

function missingUnit(view: View, name: string): Finding {
  return error("unit", `the unit ${name} is to be enabled on ${view.label} and has no file`, {
    where: "the list of units to enable",
    expected: name,
    hint: "a fault of the release's rendering: render the unit's file",
  });
}

function hasNamed(view: View, name: string): boolean {
  return [...view.files.keys()].some((path) => baseName(path) === name);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
