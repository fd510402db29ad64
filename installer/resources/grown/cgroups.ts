/** Control groups of pods: the kubelet makes them itself, or has systemd make slices. */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { grown } from "./grown.ts";

export interface CgroupsId {
  readonly docker: boolean;
}

export interface CgroupsState {
  /** Folders in /sys/fs/cgroup, each before those below it. */
  readonly groups: readonly string[];
}

const top = "/sys/fs/cgroup";
const slice = "kubepods.slice";

export const cgroups = grown<CgroupsId, CgroupsState>({
  name: () => "control groups of pods",
  async inspect(host, { docker }) {
    if (!host.live) return { groups: [] };
    const names = await host.list(top);
    // The second version has one hierarchy, the first one for each controller.
    const roots = names.includes("cgroup.controllers") ? [top] : names.map((name) => `${top}/${name}`);
    const groups: string[] = [];
    for (const root of roots) {
      // `cpu` is a link to `cpu,cpuacct`.
      if ((await host.stat(root))?.type !== "directory") continue;
      for (const name of ["kubepods", slice, ...(docker ? ["docker"] : [])]) {
        if ((await host.stat(`${root}/${name}`))?.type === "directory")
          groups.push(...(await below(host, `${root}/${name}`)));
      }
    }
    return { groups };
  },
  steps(_id, now, before) {
    const fresh = now.groups.filter((path) => !before.groups.includes(path));
    const slices = fresh.some((path) => path.endsWith(`/${slice}`));
    return [
      ...(slices ? [{ do: "systemctl", verb: "stop", unit: slice } as const] : []),
      ...fresh.toReversed().map((path): Effect => ({ do: "rmdir-if-empty", path })),
    ];
  },
});

async function below(host: HostReader, path: string): Promise<string[]> {
  const found = [path];
  for (const name of await host.list(path)) {
    const inner = `${path}/${name}`;
    if ((await host.stat(inner))?.type === "directory") found.push(...(await below(host, inner)));
  }
  return found;
}
