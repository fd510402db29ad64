/**
 * Rotation without an outage: which generation of each of a cluster's keys signs, and which ones are trusted. Three steps
 * lead from one generation to the next, and every host has the bundle of a step before the next one is taken:
 *
 *     trust      the old one signs, both are trusted
 *     reissue    the new one signs, both are trusted
 *     drop       the new one alone
 *
 * Each step is a file `rotation.<n>.json` in the PKI's folder that says how many steps each key has taken; the highest
 * number holds. A cluster that never rotated has none.
 */
import { X509Certificate } from "node:crypto";
import * as z from "zod";
import { type RotationStep, rotationSteps } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { Topology } from "../config/topology.ts";
import { isSince } from "#formats/version";
import type { AuthorityName } from "../components/credentials.ts";
import { authorities, authorityFile, requestedKey, wantedAuthorities } from "./certificates.ts";
import { blocks, signsItself } from "./issued.ts";
import type { Vault } from "./vault.ts";

/** What can be rotated, by its name on the command line. */
export const rotatable = ["kubernetes-ca", "etcd-ca", "front-proxy-ca", "service-accounts", "encryption-key"] as const;
export type Rotatable = (typeof rotatable)[number];

/** How many steps each has taken; absent: none. */
export type Rotation = Readonly<Partial<Record<Rotatable, number>>>;

const schema = z.partialRecord(z.enum(rotatable), z.int().positive());

/** Generations that are trusted, from 1; the first of them signs. */
export function generations(rotation: Rotation, key: Rotatable): readonly [number, ...number[]] {
  const taken = rotation[key] ?? 0;
  const old = 1 + Math.floor(taken / 3);
  if (taken % 3 === 0) return [old];
  return taken % 3 === 1 ? [old, old + 1] : [old + 1, old];
}

/** The step that was taken last; null where none was. */
export function lastStep(rotation: Rotation, key: Rotatable): RotationStep | null {
  const taken = rotation[key] ?? 0;
  return taken === 0 ? null : (rotationSteps[(taken - 1) % 3] ?? null);
}

export function nextStep(rotation: Rotation, key: Rotatable): RotationStep {
  return rotationSteps[(rotation[key] ?? 0) % 3] ?? "trust";
}

/** `kubernetes-ca.pem` of the first generation, `kubernetes-ca.2.pem` of the second. */
export function generationFile(file: string, generation: number): string {
  return generation === 1 ? file : file.replace(/\.(\w+)$/, `.${generation}.$1`);
}

/** PKI_INVALID where the newest file is none of ours. */
export async function readRotation(vault: Vault): Promise<Rotation> {
  const number = await newest(vault);
  return number === 0 ? {} : parse((await vault.read(fileOf(number))) ?? "", `${vault.dir}/${fileOf(number)}`);
}

/** What this cluster has of it. */
export function rotatableOf(topology: Topology): Rotatable[] {
  const cas = wantedAuthorities(topology).map((name) => authorities[name]);
  const { kubernetes } = topology.release;
  const masters = kubernetes !== null && topology.masters.length > 0;
  const encrypts = masters && topology.cluster.encryptionAtRest && isSince(kubernetes, "1.11");
  return [
    ...cas,
    ...(masters ? (["service-accounts"] as const) : []),
    ...(encrypts ? (["encryption-key"] as const) : []),
  ];
}

/**
 * Takes one step with each of `keys`. Those that have taken it already stay where they are and are not in the answer.
 * USAGE where another step comes first, and where the cluster has no such key; PKI_INVALID for a CA that another CA signed.
 */
export async function rotate(
  vault: Vault,
  topology: Topology,
  keys: readonly Rotatable[],
  step: RotationStep,
): Promise<Rotatable[]> {
  const number = await newest(vault);
  const before = await readRotation(vault);
  const known = rotatableOf(topology);
  const moved: Rotatable[] = [];
  for (const key of keys) {
    if (!known.includes(key)) {
      throw new ExpectedError("USAGE", `this cluster has no ${key}`, { expected: known.join(", "), where: vault.dir });
    }
    if (lastStep(before, key) === step) continue;
    const next = nextStep(before, key);
    if (next !== step) {
      const last = lastStep(before, key) ?? "none";
      throw new ExpectedError("USAGE", `${key} is not ready for the step ${step}: ${next} comes first`, {
        where: vault.dir,
        expected: next,
        found: `${step}, and the last step was ${last}`,
        hint: `kubeferry pki rotate cluster.yaml ${key} --step ${next}   # once every host has the bundle of the step before`,
      });
    }
    if (step === "trust") await refuseForeign(vault, key, before);
    moved.push(key);
  }
  if (moved.length === 0) return [];
  const after = { ...before, ...Object.fromEntries(moved.map((key) => [key, (before[key] ?? 0) + 1])) };
  const text = `${JSON.stringify(after)}\n`;
  if ((await vault.readOrMake(fileOf(number + 1), () => text)) !== text) {
    throw new ExpectedError("PKI_INVALID", "somebody else took a step at the same time", {
      where: vault.dir,
      hint: "kubeferry pki rotate cluster.yaml   # tells where it stands",
    });
  }
  return moved;
}

/** The generation after the one that is there. USAGE while two are. */
export function nextGeneration(rotation: Rotation, key: Rotatable): number {
  const [own, other] = generations(rotation, key);
  if (other === undefined) return own + 1;
  throw new ExpectedError("USAGE", `${key} is being rotated already`, {
    found: `step ${lastStep(rotation, key) ?? "none"}`,
    hint: "kubeferry pki rotate cluster.yaml   # tells where it stands",
  });
}

/** A CA that another one signed was given to us: its successor must be, too. */
async function refuseForeign(vault: Vault, key: Rotatable, rotation: Rotation): Promise<void> {
  const name = (Object.keys(authorities) as AuthorityName[]).find((one) => authorities[one] === key);
  if (name === undefined) return;
  const next = nextGeneration(rotation, key);
  if ((await vault.read(generationFile(authorityFile(name), next))) !== null) return;
  if ((await vault.read(generationFile(requestedKey(name), next))) !== null) {
    throw new ExpectedError("PKI_INVALID", `a certificate for the next ${key} was requested and is not here yet`, {
      where: vault.dir,
      hint: "kubeferry pki import --next cluster.yaml CERTIFICATE.pem, once it is signed",
    });
  }
  const text = await vault.read(generationFile(authorityFile(name), generations(rotation, key)[0]));
  if (text === null) {
    throw new ExpectedError("USAGE", `there is no ${key} yet that could be rotated`, {
      where: vault.dir,
      hint: "kubeferry build cluster.yaml   makes it",
    });
  }
  const [own] = blocks(text, "CERTIFICATE");
  if (own === undefined || signsItself(new X509Certificate(own))) return;
  throw new ExpectedError("PKI_INVALID", `${key} is signed by another CA, and so must be the one after it`, {
    where: vault.dir,
    hint: "kubeferry pki csr --next cluster.yaml --out requests, then pki import --next; docs/day-2-rotation.md",
  });
}

async function newest(vault: Vault): Promise<number> {
  const names = await vault.list("");
  return Math.max(0, ...names.map((name) => Number(/^rotation\.(\d+)\.json$/.exec(name)?.[1] ?? 0)));
}

function fileOf(number: number): string {
  return `rotation.${number}.json`;
}

function parse(text: string, where: string): Rotation {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ExpectedError("PKI_INVALID", "this file does not say how far a rotation is", {
      where,
      cause,
      hint: `restore ${where} from your backup of the keys`,
    });
  }
}
