/** The containers of our runtime, ended while it runs: asked to stop first, then taken out of it. */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { processes } from "../../host/processes.ts";
import { grown } from "./grown.ts";
import { endSteps, type EndState, noted } from "./ending.ts";
import { containersOf, type Runtime } from "./runtime.ts";

export interface PodsId {
  readonly runtime: Runtime;
  /** Whether a kubelet of ours runs pods in it. */
  readonly kubelet: boolean;
}

export interface PodsState extends EndState {
  /** Ids of what the runtime knows; none where it does not answer. */
  readonly containers: readonly string[];
  /** Of these, those that a kubelet made. */
  readonly pods: readonly string[];
}

/** As long as a kubelet waits by default. */
const graceSeconds = 30;
const timeoutSeconds = 180;
/** It is gone already, or with its runtime. */
const forgive =
  "not found|no such|does not exist|is not there|connection refused|cannot connect|dial unix|already in progress|context deadline|did not end within";

export const pods = grown<PodsId, PodsState>({
  name: ({ runtime }) => `containers of ${runtime.name}`,
  async inspect(host, { runtime, kubelet }) {
    if (!host.live) return { processes: [], containers: [], pods: [] };
    const { mains } = containersOf(await processes(host), [runtime], kubelet);
    return { processes: noted(mains), ...(await known(host, runtime)) };
  },
  steps({ runtime }, now, before) {
    const fresh = now.containers.filter((id) => !before.containers.includes(id));
    const made = now.pods.filter((id) => !before.pods.includes(id));
    return [...stop(runtime, fresh), ...endSteps(now, before, graceSeconds), ...takeOut(runtime, made)];
  },
});

/** docker must know that they are to stay stopped: it would start some of them again. */
function stop({ name, client }: Runtime, ids: readonly string[]): Effect[] {
  if (name !== "docker" || ids.length === 0) return [];
  return [lenient([...client, "stop", "--time", String(graceSeconds), ...ids])];
}

function takeOut({ name, client }: Runtime, ids: readonly string[]): Effect[] {
  if (ids.length === 0) return [];
  if (name === "docker") return [lenient([...client, "rm", "--force", "--volumes", ...ids])];
  return [
    lenient([...client, "-n", "k8s.io", "tasks", "delete", "--force", ...ids]),
    lenient([...client, "-n", "k8s.io", "containers", "delete", ...ids]),
  ];
}

function lenient(argv: readonly string[]): Effect {
  return { do: "run", argv, forgive: `(?i:${forgive})`, timeoutSeconds };
}

/** Containers of somebody who uses our docker without a kubelet are stopped with it, and stay in its data. */
async function known(host: HostReader, { name, client }: Runtime): Promise<Pick<PodsState, "containers" | "pods">> {
  const ask = async (...words: string[]): Promise<string[]> => {
    const { code, stdout } = await host.query([...client, ...words], { outputLimit: 1 << 24 });
    return code === 0
      ? stdout
          .split("\n")
          .filter((line) => line !== "")
          .toSorted()
      : [];
  };
  if (name === "containerd") {
    const ids = await ask("-n", "k8s.io", "containers", "list", "--quiet");
    return { containers: ids, pods: ids };
  }
  const list = ["ps", "--all", "--quiet", "--no-trunc"];
  return {
    containers: await ask("ps", "--quiet", "--no-trunc"),
    pods: await ask(...list, "--filter", "label=io.kubernetes.pod.uid"),
  };
}
