/** A systemd unit: the links that enable it, whether it is masked, and whether it runs. Its file is an operation `file`. */
import type { Digest } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import type { Kind } from "./operation.ts";

export interface UnitSpec {
  readonly name: string;
  /** Where its links point: the unit's own file. */
  readonly file: string;
  /** Absolute paths of the links that enable it. */
  readonly links: readonly string[];
  /** False with `--root`: links only, no systemctl. */
  readonly live: boolean;
  readonly start: boolean;
  readonly noBlock: boolean;
  /** Files whose change restarts it, with the digest they will have. */
  readonly restartOn: readonly { readonly path: string; readonly digest: Digest }[];
}

export interface UnitBefore {
  /** What was at each of `links`. */
  readonly links: readonly (string | null)[];
  /** Links to /dev/null that masked it. */
  readonly masks: readonly string[];
  readonly active: boolean;
  /** Whether a file of `restartOn` is about to change. */
  readonly stale: boolean;
}

export const unit: Kind<UnitSpec, UnitBefore> = {
  resource: ({ name }) => `unit ${name}`,
  describe: ({ name, start }) => `unit ${name}${start ? ", started" : ""}`,
  async inspect(host, spec) {
    const links = await Promise.all(spec.links.map((path) => linkAt(host, path)));
    const places = [`/etc/systemd/system/${spec.name}`, `/run/systemd/system/${spec.name}`];
    const masks: string[] = [];
    // A mask at the place of the unit's own file is replaced, and put back, by that file's operation.
    for (const path of places) if (path !== spec.file && (await isMask(host, path))) masks.push(path);
    const active = spec.live && (await isActive(host, spec.name));
    return { links, masks, active, stale: await anyDiffers(host, spec.restartOn) };
  },
  forward(spec, before) {
    const links = spec.links.flatMap((path, index): Effect[] =>
      before.links[index] === spec.file ? [] : [{ do: "symlink", path, target: spec.file }],
    );
    const unmask = before.masks.map((path): Effect => ({ do: "remove", path }));
    const startIt = spec.start && (!before.active || before.stale);
    const changes = [...unmask, ...links];
    if (!spec.live) return changes;
    if (changes.length === 0 && !startIt && !before.stale) return [];
    // What ran before has peers that run: it is waited for, or its check would still meet the one that is to end.
    const block = spec.noBlock && !before.active ? ["--no-block"] : [];
    const verb = before.active ? "restart" : "start";
    return [...changes, reload, ...(startIt ? [starting(verb, spec.name, block)] : [])];
  },
  // Its files are in place by now, but what runs may still be what they were.
  resume: (before, now, begun) => ({ ...(begun ? before : now), stale: before.stale || now.stale }),
  backward(spec, before) {
    const stop =
      spec.live && !before.active
        ? [systemctl(["stop", spec.name], [0, 5]), systemctl(["reset-failed", spec.name], [0, 1, 5])]
        : [];
    const links = spec.links.map((path, index): Effect => {
      const target = before.links[index] ?? null;
      return target === null ? { do: "remove", path } : { do: "symlink", path, target };
    });
    return [...stop, ...links, ...before.masks.map((path): Effect => ({ do: "symlink", path, target: "/dev/null" }))];
  },
  settle(spec, before) {
    if (!spec.live) return [];
    return [reload, ...(before.active && before.stale ? [starting("restart", spec.name)] : [])];
  },
};

const reload: Effect = systemctl(["daemon-reload"]);

function starting(verb: "start" | "restart", name: string, options: readonly string[] = []): Effect {
  return { do: "run", argv: ["systemctl", verb, ...options, name], watch: name };
}

function systemctl(args: string[], accept?: number[]): Effect {
  const argv = ["systemctl", ...args];
  return accept === undefined ? { do: "run", argv } : { do: "run", argv, accept };
}

/** Whether systemd has it running or is starting it. */
export async function isActive(host: HostReader, name: string): Promise<boolean> {
  const { stdout } = await host.query(["systemctl", "is-active", name]);
  return ["active", "activating", "reloading"].includes(stdout.trim());
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

async function isMask(host: HostReader, path: string): Promise<boolean> {
  const stat = await host.stat(path);
  return stat?.type === "symlink" && stat.target === "/dev/null";
}

async function anyDiffers(host: HostReader, files: UnitSpec["restartOn"]): Promise<boolean> {
  for (const { path, digest } of files) {
    const stat = await host.stat(path);
    if (stat?.type !== "file" || (await host.digest(path)) !== digest) return true;
  }
  return false;
}
