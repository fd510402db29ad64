/** Processes that outlive a stopped runtime: shims, what they hold, helpers of docker. */
import { processes } from "../../host/processes.ts";
import { isActive } from "../../host/systemd.ts";
import { type EndState, endSteps, noted } from "./ending.ts";
import { grown } from "./grown.ts";
import { containersOf, type Runtime, shimOf } from "./runtime.ts";

export interface LeftoversId {
  readonly runtimes: readonly Runtime[];
  readonly kubelet: boolean;
}

export const leftovers = grown<LeftoversId, EndState>({
  name: () => "processes of the container runtime",
  async inspect(host, { runtimes, kubelet }) {
    const all = await processes(host);
    const { all: own, foreign } = containersOf(all, runtimes, kubelet);
    const units: string[] = [];
    for (const { name } of runtimes) {
      // One that runs, before its turn or because the host had it running, has its daemon there.
      if (host.live && !(await isActive(host, `${name}.service`))) units.push(`/system.slice/${name}.service`);
    }
    // A shim of another namespace is somebody's who uses the same containerd.
    const inUnit = all.filter(
      (one) => one.cgroups.some((path) => units.includes(path)) && !foreign.has(one) && shimOf(one) === null,
    );
    return { processes: noted([...new Set([...own, ...inUnit])]) };
  },
  steps: (_id, now, before) => endSteps(now, before, 0),
});
