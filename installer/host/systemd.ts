/** How systemd is asked and told. */
import type { Effect } from "./effect.ts";
import type { HostReader } from "./host.ts";

/** Where administrators' units, masks and links are, and what a boot forgets. */
export const unitFolder = "/etc/systemd/system";
export const runtimeFolder = "/run/systemd/system";
const vendorFolders = ["/usr/lib/systemd/system", "/lib/systemd/system"];
export const unitFolders = [unitFolder, ...vendorFolders];

/** `failed` counts as not running, but a unit that is to leave no trace must be told to forget it. */
export type Running = "active" | "inactive" | "failed";

/** With its suffix: a name without one is a service. */
export const unitName = (name: string): string => (/\.[a-z]+$/.test(name) ? name : `${name}.service`);

export async function runningState(host: HostReader, name: string): Promise<Running> {
  const { stdout } = await host.query(["systemctl", "is-active", name]);
  const said = stdout.trim();
  if (["active", "activating", "reloading"].includes(said)) return "active";
  return said === "failed" ? "failed" : "inactive";
}

/** Whether systemd has it running or is starting it. */
export async function isActive(host: HostReader, name: string): Promise<boolean> {
  return (await runningState(host, name)) === "active";
}

/** Whether its program ended by itself, and systemd has given it up or will start it again. */
export async function hasEnded(host: HostReader, name: string): Promise<boolean> {
  const { stdout } = await host.query(["systemctl", "show", "--property=SubState,Result", name]);
  const isOver = /^SubState=(failed|auto-restart)$/m.test(stdout);
  return isOver && /^Result=(exit-code|signal|core-dump)$/m.test(stdout);
}

export async function isMask(host: HostReader, path: string): Promise<boolean> {
  const stat = await host.stat(path);
  return stat?.type === "symlink" && stat.target === "/dev/null";
}

export const reload: Effect = { do: "systemctl", verb: "daemon-reload" };

export function mask(path: string): Effect {
  return { do: "symlink", path, target: "/dev/null" };
}

/** Systemd waits until it runs, unless `noBlock`: for one that waits for its peers. */
export function start(verb: "start" | "restart" | "reload", unit: string, noBlock = false): Effect {
  return noBlock ? { do: "systemctl", verb, unit, noBlock } : { do: "systemctl", verb, unit };
}

export function stop(unit: string): Effect[] {
  return [
    { do: "systemctl", verb: "stop", unit },
    { do: "systemctl", verb: "reset-failed", unit },
  ];
}

/** The unit that an effect starts, if it starts one, or tells to read its files anew. */
export function startedBy(effect: Effect): string | undefined {
  return effect.do === "systemctl" && /^(start|restart|reload)$/.test(effect.verb) ? effect.unit : undefined;
}

/** The command line of an effect, and the exit codes that are well: 5 and 1 are of units that are gone already. */
export function commandOf(effect: Effect & { do: "systemctl" }): { argv: string[]; accept: readonly number[] } {
  const options = effect.noBlock === true ? ["--no-block"] : [];
  const unit = effect.unit === undefined ? [] : [effect.unit];
  const accept = {
    "daemon-reload": [0],
    start: [0],
    restart: [0],
    reload: [0],
    stop: [0, 5],
    "reset-failed": [0, 1, 5],
  };
  return { argv: ["systemctl", effect.verb, ...options, ...unit], accept: accept[effect.verb] };
}
