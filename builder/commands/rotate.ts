/** `pki rotate`: what a step does, and where each key of a cluster stands, for people and machines. */
import type { RotationStep } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import type { Topology } from "../config/topology.ts";
import {
  lastStep,
  nextStep,
  type Rotatable,
  rotatable,
  rotatableOf,
  type Rotation,
  readRotation,
  rotate,
} from "../pki/rotation.ts";
import type { Vault } from "../pki/vault.ts";

interface Given {
  readonly vault: Vault;
  readonly topology: Topology;
  /** As it was typed, for the commands that come next. */
  readonly config: string;
  readonly reporter: Reporter;
}

const meaning: Readonly<Record<RotationStep, string>> = {
  trust: "both are trusted, the old one signs",
  reissue: "both are trusted, the new one signs",
  drop: "only the new one is left",
};

/** USAGE without names: what is to be rotated is never guessed. */
export async function takeStep(given: Given, names: readonly string[], step: RotationStep): Promise<void> {
  const { vault, topology, config, reporter } = given;
  const keys = keysNamed(names, topology);
  if (keys.length === 0) {
    throw new ExpectedError("USAGE", "say what is to be rotated", {
      where: config,
      expected: rotatableOf(topology).join(", "),
      hint: `kubeferry pki rotate ${config} kubernetes-ca --step ${step}`,
    });
  }
  const moved = await rotate(vault, topology, keys, step);
  for (const key of keys.filter((one) => !moved.includes(one))) {
    reporter.warn(`${key} is at the step ${step} already; nothing was changed`);
  }
  if (moved.length === 0) return;
  reporter.info(`${moved.join(", ")}: ${meaning[step]}, from the next build on`);
  reporter.info(`next: kubeferry build ${config}, and ./install upgrade on every host`);
}

/** One line a key. */
export async function tellRotation(
  { vault, topology, config, reporter }: Given,
  names: readonly string[],
): Promise<void> {
  const rotation: Rotation = await readRotation(vault);
  const wanted = keysNamed(names, topology);
  for (const key of wanted.length > 0 ? wanted : rotatableOf(topology)) {
    const [step, next] = [lastStep(rotation, key), nextStep(rotation, key)];
    reporter.record("rotation", { key, step, next });
    const now = step === null ? "never rotated" : `${step}: ${meaning[step]}`;
    const after =
      next === "trust" ? "" : `; once every host has its bundle: kubeferry pki rotate ${config} ${key} --step ${next}`;
    reporter.info(`${key.padEnd(16)} ${now}${after}`);
  }
}

function keysNamed(names: readonly string[], topology: Topology): Rotatable[] {
  return names.map((name) => {
    const key = rotatable.find((one) => one === name);
    if (key !== undefined) return key;
    throw new ExpectedError("USAGE", "a cluster has no such key", {
      expected: rotatableOf(topology).join(", "),
      found: name,
      hint: "kubeferry pki rotate cluster.yaml   tells where each is",
    });
  });
}
