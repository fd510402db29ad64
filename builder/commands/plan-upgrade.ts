/** `plan-upgrade`: the road from one minor to a later one, and for a cluster of one's own the bundles of its steps. */
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { ExpectedError } from "#cli/errors";
import { example } from "#cli/help";
import { collect, withJson } from "#cli/options";
import { formatBytes } from "#cli/quantities";
import type { Reporter } from "#cli/reporter";
import { reporterFor, type Surroundings } from "#cli/run";
import type { MakeRoadOptions, RoadBundle } from "../road/make-road.ts";
import type { Road } from "../road/plan.ts";
import type { Step } from "../config/road.ts";
import { addNetworkOptions, type NetworkFlags, networkOf } from "./network.ts";
import { addPackOptions, type PackFlags, packingOf } from "./pack-options.ts";

interface Flags extends NetworkFlags, PackFlags {
  readonly from?: string;
  readonly to: string;
  readonly output?: string;
  readonly release?: string[];
  readonly delta?: boolean;
  readonly base?: string;
  readonly update?: boolean;
  readonly dryRun?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const clusterHelp = `
With cluster.yaml each step is held against it, and with -o its bundle is made: cluster-1.24.yaml beside it is what the cluster is to
be from 1.24 on. What is there already and unchanged is kept, so the same command goes on where it was cut short:
  $ kubeferry plan-upgrade cluster.yaml --to 1.36 -o road --dry-run
  $ kubeferry plan-upgrade cluster.yaml --to 1.36 -o road`;

export function addPlanUpgradeCommand(program: Command, surroundings: Surroundings): void {
  addPackOptions(addNetworkOptions(withJson(program.command("plan-upgrade"))))
    .description("List the steps from one minor of Kubernetes to a later one, and make the bundle of each")
    .addHelpText("after", example("kubeferry plan-upgrade --from 1.33 --to 1.36"))
    .addHelpText("after", clusterHelp)
    .argument("[cluster.yaml]", "of the cluster that runs")
    .option("--from <minor>", "the cluster's own, 1.16 (default: of the release in cluster.yaml)")
    .requiredOption("--to <minor>", "where it is to go, 1.36")
    .option(
      "-o, --output <folder>",
      "make the steps' bundles in this folder, with road.txt: what to run in which order",
    )
    .option(
      "--release <name>",
      "for the step of its minor, instead of Kubeferry's own: a name of `kubeferry releases`, or a manifest's path (repeatable)",
      collect,
    )
    .option("--delta", "also write what is new since the bundle of the step before, as FILE.delta")
    .option("--base <old.tar>", "as --delta, also of the first step: the bundle that the hosts run now")
    .option("--update", "resolve every step again, and make the bundles that change by it")
    .option("--dry-run", "with -o: tell what would be made, kept and downloaded, and change nothing")
    .option("--strict", "refuse what is only a warning about cluster.yaml")
    .action(async (config: string | undefined, flags: Flags) => {
      const reporter = reporterFor(surroundings, flags);
      if (config === undefined) return await listOnly(flags, reporter);
      const { planRoad } = await import("../road/plan.ts");
      const path = (given: string): string => resolve(surroundings.workingDirectory, given);
      const folder = path(flags.output ?? ".");
      const { isReleasePath } = await import("../config/releases.ts");
      const releases = (flags.release ?? []).map((name) => (isReleasePath(name) ? path(name) : name));
      const { from, to, strict = false } = flags;
      const road = await planRoad({ config, folder, releases, from, to, strict });
      for (const warning of road.warnings) reporter.warn(warning);
      if (flags.output === undefined) return await tellSteps(road.steps, reporter);
      const options: MakeRoadOptions = {
        ...(await networkOf(flags, surroundings)),
        ...(await packingOf(flags, surroundings)),
        ...{ config, strict, reporter, output: folder, force: false, now: new Date(), signal: surroundings.signal },
        delta: flags.delta === true || flags.base !== undefined,
        base: flags.base === undefined ? null : path(flags.base),
        update: flags.update ?? false,
      };
      await (flags.dryRun === true ? foresee(road, options) : make(road, options));
    });
}

async function listOnly({ from, to, output }: Flags, reporter: Reporter): Promise<void> {
  if (from === undefined || output !== undefined) {
    const message = "without cluster.yaml the steps are listed, and nothing is made";
    throw new ExpectedError("USAGE", message, {
      expected: "--from and --to, or cluster.yaml",
      hint: "kubeferry plan-upgrade cluster.yaml --to 1.36 -o road",
    });
  }
  const { road } = await import("../config/road.ts");
  await tellSteps(await road(from, to), reporter);
}

async function tellSteps(steps: readonly Step[], reporter: Reporter): Promise<void> {
  const { describeStep } = await import("../config/road.ts");
  for (const step of steps) {
    const { from, to, release, changes, needs, removed, oldestKubelet } = step;
    reporter.record("step", { from, to, release, changes, needs, removed, oldestKubelet });
    for (const line of describeStep(step)) reporter.info(line);
  }
}

async function foresee(road: Road, options: MakeRoadOptions): Promise<void> {
  const { foreseeRoad } = await import("../road/make-road.ts");
  await tellSteps(road.steps, options.reporter);
  await foreseeRoad(road, options, (bundle) => tellBundle(bundle, options));
  options.reporter.info("nothing was changed (--dry-run)");
}

async function make(road: Road, options: MakeRoadOptions): Promise<void> {
  const { makeRoad } = await import("../road/make-road.ts");
  const { reporter, output } = options;
  await makeRoad(road, options, (bundle) => tellBundle(bundle, options));
  const [list, text] = [join(output, "road.json"), join(output, "road.txt")];
  reporter.record("road", { cluster: road.cluster, from: road.from, to: road.to, list, text });
  reporter.info(`${text}: what to carry and run, in its order`);
  if (options.plaintextSecrets) reporter.warn("the secrets in these bundles are not encrypted (--plaintext-secrets)");
}

const words = { kept: "kept", made: "made", "to-make": "to be made", "to-resolve": "to be resolved again" };

function tellBundle({ step, record, state, why }: RoadBundle, { reporter, output }: MakeRoadOptions): void {
  const { made, delta } = record;
  const { from, to, release, config, bundle, lock } = step;
  reporter.record("road-bundle", {
    ...{ from, to, release, config, bundle, lock, state, why },
    digest: made?.digest ?? null,
    payloadDigest: made?.payloadDigest ?? null,
    size: made?.size ?? null,
    delta:
      delta === null
        ? null
        : { path: join(output, delta.name), digest: delta.digest, size: delta.size, base: delta.base },
  });
  const what = made === null ? [why] : [formatBytes(made.size), `payload ${made.payloadDigest}`];
  reporter.info([`${to}  ${words[state]}  ${bundle}`, ...what].join("  "));
  if (delta !== null) reporter.info(`${to}  ${join(output, delta.name)}  ${formatBytes(delta.size)}`);
}
