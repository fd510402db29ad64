/** Is a unit still enabled, unmasked, without additions, and does it run the program that was installed? */
import type { Finding } from "#cli/finding";
import type { HostReader } from "../host/host.ts";
import { keptInstaller } from "../journal/state.ts";
import type { FileId } from "../resources/file.ts";
import type { UnitId } from "../resources/unit.ts";
import { drift } from "./drift-finding.ts";

/** `files`: everything installed, by which a running program is recognised. */
export async function unitDrift(host: HostReader, unit: UnitId, files: readonly FileId[]): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const path of unit.links) {
    const stat = await host.stat(path);
    if (stat?.type !== "symlink" || stat.target !== unit.file) {
      found.push(drift("missing", path, `no longer enables ${unit.name}`, `ln -sf ${unit.file} ${path}`));
    }
  }
  // What an administrator adds to a unit of the host's own (its time daemon) is none of ours.
  const isOurs = files.some(({ path }) => path === unit.file);
  for (const folder of isOurs ? ["/etc/systemd/system", "/run/systemd/system"] : []) {
    for (const name of await host.list(`${folder}/${unit.name}.d`)) {
      const path = `${folder}/${unit.name}.d/${name}`;
      found.push(drift("extra", path, `changes ${unit.name}`, `systemctl cat ${unit.name}`));
    }
  }
  const mask = `/run/systemd/system/${unit.name}`;
  if (mask !== unit.file && (await host.stat(mask))?.type === "symlink") {
    found.push(drift("changed", unit.name, "is masked", `systemctl unmask --runtime ${unit.name}`));
  }
  return host.live && unit.start ? [...found, ...(await processDrift(host, unit, files))] : found;
}

async function processDrift(host: HostReader, { name, file }: UnitId, files: readonly FileId[]): Promise<Finding[]> {
  const { stdout } = await host.query(["systemctl", "show", "-p", "MainPID", "-p", "NeedDaemonReload", name]);
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(stdout)?.[1]?.trim() ?? "";
  const found: Finding[] = [];
  if (value("NeedDaemonReload") === "yes") {
    const message = "is loaded by systemd as it was before a file of it changed";
    found.push(drift("running", name, message, `systemctl daemon-reload && systemctl restart ${name}`));
  }
  const pid = value("MainPID");
  if (!/^[1-9]\d*$/.test(pid)) return found;
  const exe = `/proc/${pid}/exe`;
  const program = await host.stat(exe);
  if (program?.type !== "symlink") return found;
  const restart = `systemctl restart ${name}`;
  const path = program.target.replace(/ \(deleted\)$/, "");
  const installed = files.find((file) => file.path === path);
  if (installed === undefined) {
    if (path !== program.target) {
      // An upgrade exchanged the kept installer; what runs from it ends by itself at its next round.
      if (path === keptInstaller && (await host.stat(path)) !== null) return found;
      return [...found, drift("running", name, `runs a ${path} that is no longer on the disk`, restart)];
    }
    const expected = /^ExecStart=(\S+)/m.exec((await host.read(file)) ?? "")?.[1];
    // The distribution's own program, which the bundle did not bring.
    if (expected === undefined || !files.some((one) => one.path === expected)) return found;
    const strange = drift("running", name, "runs a program that was not installed", restart);
    return [...found, { ...strange, expected, found: path }];
  }
  const digest = await digestOf(host, exe);
  if (digest === installed.digest) return found;
  const message = `runs another ${path} than the one that was installed`;
  return [...found, { ...drift("running", name, message, restart), expected: installed.digest, found: digest }];
}

async function digestOf(host: HostReader, path: string): Promise<string> {
  try {
    return await host.digest(path);
  } catch {
    return "it ended meanwhile";
  }
}
