/** A road for one cluster: which file, release and bundle each step has, and everything that would refuse one of them. */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ErrorProblem, ExpectedError, isExpected } from "#cli/errors";
import { clusterSchema } from "../config/cluster.ts";
import { besides, type LoadedCluster, loadClusterAndRelease } from "../config/load.ts";
import { loadRelease } from "../config/releases.ts";
import { minorOf, minorsBetween, releaseOfMinor, type Step, stepsBetween, type Stop } from "../config/road.ts";
import { loadYaml } from "../config/yaml-file.ts";
import { staysRule } from "./stays.ts";

export interface RoadOptions {
  /** cluster.yaml of the cluster that runs; files for later steps lie beside it, `cluster-1.24.yaml`. */
  readonly config: string;
  /** The minor that runs, `1.16`; of the file's release where none is given. */
  readonly from?: string | undefined;
  readonly to: string;
  /** Releases to take instead of Kubeferry's own for their minors: names, or paths of manifests. */
  readonly releases: readonly string[];
  /** Where bundles go. */
  readonly folder: string;
  readonly strict: boolean;
}

export interface PlannedStep extends Step {
  /** Its cluster.yaml. */
  readonly config: string;
  /** Name, or path of the manifest. */
  readonly wanted: string;
  readonly loaded: LoadedCluster;
  /** Paths. */
  readonly bundle: string;
  readonly lock: string;
}

export interface Road {
  readonly cluster: string;
  readonly from: string;
  readonly to: string;
  readonly steps: readonly PlannedStep[];
  /** What is doubtful in the steps' files, each place once. */
  readonly warnings: readonly string[];
}

/**
 * Reads and judges every step's file against its release; asks no network and writes nothing. CONFIG_INVALID has every
 * problem of every step, each with its place and the first step that has it. USAGE where the file is of another minor than
 * `from`, or a release is of none on the road.
 */
export async function planRoad(options: RoadOptions): Promise<Road> {
  const { config, folder } = options;
  const today = await loadClusterAndRelease(config);
  const from = await beginning(today, options);
  const minors = minorsBetween(from, options.to);
  const own = await releasesByMinor(options.releases, minors);
  const files = await filesByMinor(config);
  const refused = new Refusals(options.strict);
  const stops: (Stop & { config: string; wanted: string; loaded: LoadedCluster })[] = [];
  for (const minor of minors.slice(1)) {
    const file = files.findLast(([first]) => minorOf(first) > minorOf(from) && minorOf(first) <= minorOf(minor));
    const path = file?.[1] ?? config;
    await refused.gather(minor, path, async () => {
      const wanted = own.get(minor) ?? (await releaseOf(path, file?.[0] === minor, minor));
      const before = stops.at(-1)?.loaded ?? today;
      const loaded = await loadClusterAndRelease(path, wanted, staysRule(before, today));
      stops.push({ minor, manifest: loaded.manifest, cluster: loaded.cluster, config: path, wanted, loaded });
      return loaded.warnings;
    });
  }
  refused.throwAny();
  const first: Stop = { minor: minors[0] ?? from, manifest: today.manifest, cluster: today.cluster };
  const { name } = today.cluster;
  const steps = stepsBetween([first, ...stops]).flatMap((step, index): PlannedStep[] => {
    const stop = stops[index];
    if (stop === undefined) return [];
    const stem = join(folder, `${name}-kubernetes-${stop.manifest.kubernetes}`);
    const { config, wanted, loaded } = stop;
    return [{ ...step, config, wanted, loaded, bundle: `${stem}.tar`, lock: `${stem}.lock` }];
  });
  return { cluster: name, from: first.minor, to: minors.at(-1) ?? options.to, steps, warnings: refused.warnings };
}

async function beginning({ manifest }: LoadedCluster, { config, from }: RoadOptions): Promise<string> {
  if (manifest.kubernetes === null) {
    throw new ExpectedError("USAGE", `release ${manifest.release} has no Kubernetes: there is no road for it`, {
      where: config,
    });
  }
  const running = `1.${minorOf(manifest.kubernetes)}`;
  if (from === undefined || minorOf(from) === minorOf(running)) return running;
  throw new ExpectedError("USAGE", "cluster.yaml is of another minor than the road begins with", {
    where: config,
    expected: `a release of ${from}, which runs`,
    found: manifest.release,
    hint: `leave out --from, or give the cluster.yaml of what runs`,
  });
}

async function releasesByMinor(given: readonly string[], minors: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of given) {
    const { kubernetes } = (await loadRelease(name)).manifest;
    const minor = kubernetes === null ? "" : `1.${minorOf(kubernetes)}`;
    if (!minors.slice(1).includes(minor) || found.has(minor)) {
      throw new ExpectedError("USAGE", `--release ${name} is of no step of its own`, {
        expected: `one release each of ${minors.slice(1).join(", ")}`,
        found: kubernetes ?? "no Kubernetes",
      });
    }
    found.set(minor, name);
  }
  return found;
}

/** `cluster-1.24.yaml` beside cluster.yaml is what the cluster is to be from 1.24 on. In their order. */
async function filesByMinor(config: string): Promise<(readonly [minor: string, path: string])[]> {
  const [, stem = "", extension = ""] = /^(.*?)(\.ya?ml)?$/.exec(basename(config)) ?? [];
  const names = await readdir(dirname(config));
  return names
    .flatMap((name): (readonly [string, string])[] => {
      const inside = name.startsWith(`${stem}-`) && name.endsWith(extension);
      const minor = inside ? name.slice(stem.length + 1, name.length - extension.length) : "";
      return /^1\.\d+$/.test(minor) ? [[minor, join(dirname(config), name)]] : [];
    })
    .toSorted(([a], [b]) => minorOf(a) - minorOf(b));
}

/** A file for this very minor may name a release of it; else it is Kubeferry's own. */
async function releaseOf(path: string, isItsOwn: boolean, minor: string): Promise<string> {
  if (!isItsOwn) return releaseOfMinor(minor);
  const named = besides(path, (await loadYaml(path, clusterSchema)).release);
  const { kubernetes } = (await loadRelease(named)).manifest;
  return kubernetes !== null && minorOf(kubernetes) === minorOf(minor) ? named : releaseOfMinor(minor);
}

/** What is wrong with the files of a road: the same place is wrong in most of the steps, and is told once. */
class Refusals {
  readonly #strict: boolean;
  readonly #problems = new Map<string, { minor: string; problems: ErrorProblem[] }>();
  readonly #warnings = new Map<string, string>();

  constructor(strict: boolean) {
    this.#strict = strict;
  }

  get warnings(): string[] {
    return [...this.#warnings.values()];
  }

  /** Does `work`, which gives warnings; what an operator can correct waits for the other steps. */
  async gather(minor: string, path: string, work: () => Promise<readonly string[]>): Promise<void> {
    try {
      for (const warning of await work()) {
        const place = /^.*?:\d+:\d+(?=: )/.exec(warning)?.[0] ?? warning;
        if (!this.#warnings.has(place)) this.#warnings.set(place, `step ${minor}: ${warning}`);
        if (this.#strict) this.#add(minor, { where: place, message: warning.slice(place.length + 2) });
      }
    } catch (error) {
      if (!isExpected(error)) throw error;
      const { problems, where = path, summary: message } = error;
      for (const problem of problems.length > 0 ? problems : [{ where, message }]) this.#add(minor, problem);
    }
  }

  throwAny(): void {
    const problems = [...this.#problems.values()].flatMap((one) => one.problems);
    if (problems.length === 0) return;
    const places = problems.length === 1 ? "1 place" : `${problems.length} places`;
    throw new ExpectedError("CONFIG_INVALID", `${places} would be refused on the road; nothing was built`, {
      where: problems[0]?.where,
      problems,
      hint: "correct these places, or write what the cluster is to be from that step on: cluster-1.24.yaml beside cluster.yaml",
    });
  }

  #add(minor: string, problem: ErrorProblem): void {
    const { where = "" } = problem;
    const found = this.#problems.get(where) ?? { minor, problems: [] };
    if (found.minor === minor) found.problems.push({ where, message: `step ${minor}: ${problem.message}` });
    this.#problems.set(where, found);
  }
}
