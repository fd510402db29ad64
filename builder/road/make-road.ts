/** Makes the bundles of a road, one after the other. What is there, whole and of the same things, is kept. */
import { existsSync, statSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { digestFile, openBundle } from "#bundle";
import { ExpectedError, isExpected } from "#cli/errors";
import { type Built, build, type BuildOptions, lockOf, newLock, pkiPath } from "../build.ts";
import { diffLocks } from "../lock/diff.ts";
import { readLock, writeLock } from "../lock/lock-file.ts";
import { checkLock } from "../lock/stale.ts";
import { makeFolder } from "../pack/output.ts";
import { writeDelta } from "../pack/delta.ts";
import { forEachOf } from "../together.ts";
import { inputsOf } from "./inputs.ts";
import type { PlannedStep, Road } from "./plan.ts";
import { type MadeFile, readRoad, type RoadRecord, type StepRecord, writeRoad } from "./record.ts";
import { writeRoadText } from "./road-text.ts";
import { tellFetch } from "./to-fetch.ts";

export interface MakeRoadOptions extends BuildOptions {
  /** Also what is new since the bundle before; of the first step since `base`, where one is given. */
  readonly delta: boolean;
  readonly base: string | null;
  /** Resolve every step again. */
  readonly update: boolean;
}

export interface RoadBundle {
  readonly step: PlannedStep;
  readonly record: StepRecord;
  readonly state: "kept" | "made" | "to-make" | "to-resolve";
  /** Why it is not kept. */
  readonly why: string | null;
}

/** Judges, locks every step, then builds what is not there. `tell` is called with each step's bundle as it is done. */
export async function makeRoad(
  road: Road,
  options: MakeRoadOptions,
  tell: (bundle: RoadBundle) => void,
): Promise<void> {
  const folder = options.output;
  const known = await judge(road, options);
  await makeFolder(folder);
  await removeLeftovers(folder, road);
  const records = road.steps.map((step) => known.get(step.to) ?? newRecord(step));
  const write = async (): Promise<void> => writeRoad(folder, recordOf(road, records));
  // A bundle that is there is known as one of the road's, whenever this ends.
  await write();
  await forEachOf(road.steps, 1, (step) => lockStep(step, options));
  const whys = await judgeBundles(road, known, options);
  for (const [index, step] of road.steps.entries()) {
    options.reporter.progress("road", index, road.steps.length, "items");
    const why = whys[index] ?? null;
    if (why !== null) {
      options.reporter.stage("step", `${step.from} → ${step.to}, ${index + 1} of ${road.steps.length}: ${why}`);
      records[index] = { ...newRecord(step), made: await makeStep(step, options) };
      await write();
    }
    const record = newRecord(step, records[index]);
    const delta = await deltaOf(step, record, road.steps[index - 1], records[index - 1], options);
    records[index] = { ...record, delta };
    await write();
    tell({ step, record: { ...record, delta }, state: why === null ? "kept" : "made", why });
  }
  options.reporter.progress("road", road.steps.length, road.steps.length, "items");
  await writeRoadText(folder, recordOf(road, records));
}

/** What {@link makeRoad} would do, of which nothing is done. */
export async function foreseeRoad(
  road: Road,
  options: MakeRoadOptions,
  tell: (bundle: RoadBundle) => void,
): Promise<void> {
  const known = await judge(road, options);
  const whys = await judgeBundles(road, known, options);
  for (const [index, step] of road.steps.entries()) {
    const record = known.get(step.to);
    const why = whys[index] ?? null;
    const state = options.update ? "to-resolve" : why === null ? "kept" : "to-make";
    tell({ step, record: newRecord(step, why === null ? record : undefined), state, why });
  }
}

/** Refuses before anything is made; what is known of bundles by their steps' minors. */
async function judge(road: Road, options: MakeRoadOptions): Promise<Map<string, StepRecord>> {
  const [first] = road.steps;
  const pki = first === undefined ? "" : pkiPath(options.config, first.loaded.cluster);
  if (!existsSync(pki)) {
    throw new ExpectedError("PKI_INVALID", "the keys and certificates of the running cluster are not here", {
      where: pki,
      hint: "bring the folder from where the cluster's bundle was built: with others every host would refuse the road's bundles (same-keys)",
    });
  }
  if (options.base !== null) await requireBase(options.base, road);
  if (!options.update) for (const step of road.steps) await requireFresh(step);
  const known = await readRoad(options.output);
  const found = new Map((known?.steps ?? []).map((step) => [step.bundle, step]));
  for (const { bundle } of road.steps) {
    if (!existsSync(bundle) || found.has(basename(bundle))) continue;
    throw new ExpectedError("USAGE", "this file is none of the road's, and would be overwritten", {
      where: bundle,
      hint: "choose another folder, or take it away",
    });
  }
  return new Map(
    road.steps.flatMap(({ to, bundle }) => {
      const one = found.get(basename(bundle));
      return one === undefined ? [] : [[to, one] as const];
    }),
  );
}

async function requireBase(base: string, { cluster, from }: Road): Promise<void> {
  const { index } = await openBundle(base);
  const runs = index.release.kubernetes ?? "none";
  if (index.cluster.name === cluster && runs.startsWith(`${from}.`)) return;
  throw new ExpectedError("USAGE", "--base is not the bundle that the hosts run now", {
    where: base,
    expected: `${cluster}, Kubernetes ${from}`,
    found: `${index.cluster.name}, Kubernetes ${runs}`,
  });
}

/** Every lock before the first download: what upstream does not have is told for all steps at once. */
async function lockStep(step: PlannedStep, options: MakeRoadOptions): Promise<void> {
  const own = ownOptions(step, options);
  if (options.update) {
    const [present, made] = [await readLock(step.lock), await newLock(own, step.loaded)];
    if (present === null || diffLocks(present, made).length > 0) await writeLock(step.lock, made);
    return;
  }
  await lockOf(own, step.loaded);
}

/** A lock that is there must be of what the step now asks for. */
async function requireFresh({ to, lock, config, loaded }: PlannedStep): Promise<void> {
  const present = await readLock(lock);
  if (present === null) return;
  try {
    await checkLock(present, loaded, lock, config);
  } catch (error) {
    if (!isExpected(error, "LOCK_STALE")) throw error;
    const { problems, summary } = error;
    const hint = "resolve every step again, and make what changes by it: the same command with --update";
    throw new ExpectedError("LOCK_STALE", `step ${to}: ${summary}`, { where: lock, problems, hint });
  }
}

/** Of each step why it has to be made, or null; tells what that downloads. */
async function judgeBundles(
  { steps }: Road,
  known: ReadonlyMap<string, StepRecord>,
  options: MakeRoadOptions,
): Promise<(string | null)[]> {
  const whys: (string | null)[] = [];
  for (const step of steps) whys.push(await whyNot(step, known.get(step.to), options));
  await tellFetch(
    steps.filter((_, index) => whys[index] !== null),
    options,
  );
  return whys;
}

/** Why the step's bundle has to be made; null where it is kept. */
async function whyNot(
  step: PlannedStep,
  record: StepRecord | undefined,
  options: MakeRoadOptions,
): Promise<string | null> {
  if (record === undefined || record.made === null) return "not made yet";
  if (!existsSync(step.bundle)) return "its file is gone";
  if ((await inputsOf(step, options)) !== record.made.inputs) return "what it is made of has changed";
  return isWhole(step.bundle, record.made) ? null : "its file is damaged";
}

function isWhole(path: string, { digest, size }: MadeFile): boolean {
  return statSync(path).size === size && digestFile(path).digest === digest;
}

async function makeStep(step: PlannedStep, options: MakeRoadOptions): Promise<StepRecord["made"]> {
  const built: Built = await build(ownOptions(step, options));
  const inputs = await inputsOf(step, options);
  if (inputs === null) throw new Error(`${step.bundle} was built, and what it was made of is not there`);
  return { ...digestFile(built.path), payloadDigest: built.payloadDigest, inputs };
}

/** Its file was judged, and its warnings told. */
function ownOptions(step: PlannedStep, options: MakeRoadOptions): MakeRoadOptions {
  const { config, wanted: release, lock, bundle: output, loaded } = step;
  const warn = (text: string): void => void (loaded.warnings.includes(text) || options.reporter.warn(text));
  const reporter = { ...options.reporter, warn };
  return { ...options, config, release, lock, output, reporter, strict: false, force: true };
}

async function deltaOf(
  step: PlannedStep,
  { made, delta }: StepRecord,
  before: PlannedStep | undefined,
  recordBefore: StepRecord | undefined,
  { delta: wanted, base, output, reporter }: MakeRoadOptions,
): Promise<StepRecord["delta"]> {
  const from = before === undefined ? base : before.bundle;
  if (!wanted || from === null || made === null) return null;
  const digest = recordBefore?.made?.digest ?? digestFile(from).digest;
  const name = `${basename(step.bundle)}.delta`;
  const path = join(output, name);
  if (delta !== null && delta.base === digest && existsSync(path) && isWhole(path, delta)) return delta;
  reporter.stage("delta", path);
  await writeDelta(step.bundle, from, path);
  return { ...digestFile(path), name, base: digest };
}

/** What a killed run was writing. */
async function removeLeftovers(folder: string, { steps }: Road): Promise<void> {
  const ours = steps.flatMap(({ bundle }) => [basename(bundle), `${basename(bundle)}.delta`]);
  for (const name of await readdir(folder)) {
    const whole = /^\.(.+)\.[0-9a-f]{8}\.partial$/.exec(name)?.[1];
    if (whole !== undefined && ours.includes(whole)) await rm(join(folder, name), { force: true });
  }
}

function newRecord(step: PlannedStep, known?: StepRecord): StepRecord {
  const { from, to, release, changes, needs, removed, oldestKubelet, config } = step;
  return {
    ...{ from, to, release, config, oldestKubelet, changes: [...changes], needs: [...needs] },
    removed: removed.map(({ api, kinds, now }) => ({ api, kinds: [...kinds], now })),
    bundle: basename(step.bundle),
    lock: basename(step.lock),
    made: known?.made ?? null,
    delta: known?.delta ?? null,
  };
}

function recordOf({ cluster, from, to }: Road, steps: readonly StepRecord[]): RoadRecord {
  return { version: 1, cluster, from, to, steps: [...steps] };
}
