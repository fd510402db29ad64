/**
 * Notes of what is there before daemons run, so that undo knows what grew since. Undo takes the phases from the last to the
 * first: pods while their runtime still runs, the rest once it has ended, kernel values and modules when nobody is left.
 */
import { goal, idsOf } from "../resources/catalogue.ts";
import type { Runtime } from "../resources/grown/runtime.ts";
import type { Goal, Phase } from "../resources/resource.ts";
import { chosen, type PlanInput } from "./input.ts";

const starters = ["flanneld.service", "containerd.service", "docker.service"];
const kubelets = ["kubelet.service", "kube-proxy.service"];

export function withGrowth(phases: readonly Phase[], input: PlanInput): Phase[] {
  const { index, selection, files } = input;
  const [pods] = chosen(index.pods === undefined ? [] : [index.pods], selection);
  const written = chosen(index.written ?? [], selection).map(({ path }) => path);
  const own = files.map(({ entry }) => entry.path);
  const units = chosen(index.units, selection).map(({ name }) => name);
  // Noted before any daemon runs, and so taken away when none is left: one that runs would make its folders anew.
  const withFiles = (id: { runtimes: readonly Runtime[]; kubelet: string | null }): Phase[] =>
    before(units, phases, note("files", [goal("grown-files", { ...id, written, own })]));
  if (pods === undefined) return written.length === 0 ? [...phases] : withFiles({ runtimes: [], kubelet: null });
  const runtimes = (["containerd", "docker"] as const).flatMap((name): Runtime[] => {
    const data = pods[name];
    const program = name === "docker" ? "docker" : "ctr";
    const client = own.find((path) => path.endsWith(`/bin/${program}`)) ?? program;
    return data === null ? [] : [{ name, client: [client], data }];
  });
  const { kubelet } = pods;
  const owner = { docker: pods.docker !== null, pods: index.cluster.podCidr };
  const host = [
    goal("grown-interfaces", owner),
    ...(usesIpvs(input) ? [goal("grown-virtual-servers", {})] : []),
    goal("grown-rules", owner),
    goal("grown-mounts", { runtimes, kubelet }),
    goal("grown-cgroups", { docker: owner.docker }),
    goal("grown-processes", { runtimes, kubelet: kubelet !== null }),
  ];
  const containers = runtimes.map((runtime) => goal("grown-pods", { runtime, kubelet: kubelet !== null }));
  return [
    note("kernel", [goal("grown-values", {}), goal("grown-modules", {})]),
    ...before(
      starters,
      before(kubelets, withFiles({ runtimes, kubelet }), note("pods", containers)),
      note("host", host),
    ),
  ];
}

function note(what: string, goals: readonly Goal[]): Phase {
  return { name: `note ${what}`, goals, gates: [] };
}

/** The phases with another one before the first that starts any of these units; at the end where none does. */
function before(units: readonly string[], phases: readonly Phase[], phase: Phase): Phase[] {
  const starts = ({ goals }: Phase): boolean => idsOf("unit", goals).some(({ name }) => units.includes(name));
  const at = phases.findIndex(starts);
  return at < 0 ? [...phases, phase] : [...phases.slice(0, at), phase, ...phases.slice(at)];
}

/** Only kube-proxy's; another program's are no business of a cluster that does without. */
function usesIpvs({ index, selection }: PlanInput): boolean {
  return chosen(index.host.modules, selection).some(({ name }) => name === "ip_vs");
}
