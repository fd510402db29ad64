/** `road.txt`: what people carry and run, in their order, and what they do in between. */
import { join } from "node:path";
import { replaceFile } from "#bundle";
import { formatBytes } from "#cli/quantities";
import { version } from "#cli/version";
import { isSince } from "#formats/version";
import { describeStep } from "../config/road.ts";
import type { RoadRecord, StepRecord } from "./record.ts";

/** As a whole or not at all. */
export async function writeRoadText(folder: string, road: RoadRecord): Promise<void> {
  await replaceFile(join(folder, "road.txt"), roadText(road), 0o644);
}

export function roadText({ cluster, from, to, steps }: RoadRecord): string {
  return `The road of ${cluster} from Kubernetes ${from} to ${to}: ${steps.length} steps. Made by kubeferry ${version()}.

The nodes' keys are those that they have. Run the steps in this order. A step ends when every host has its bundle; where kubelets
may stay behind, workers may follow later, but each of them takes every step.

In each step: members of etcd, then masters, then workers, one host after the other. On each host, in the folder with the unpacked
bundle of the step:

  ./install verify
  ./install upgrade --key NODE.key --dry-run
  ./install upgrade --key NODE.key
  ./install status

${steps.map((step, index) => stepText(step, index + 1)).join("\n")}`;
}

function stepText(step: StepRecord, number: number): string {
  const [head = "", ...rest] = describeStep(step);
  const { bundle, made, delta, removed, from } = step;
  const files = [
    ...(made === null ? [] : [`  ${bundle}  ${formatBytes(made.size)}`, `    sha256 ${made.digest}`]),
    ...(delta === null
      ? []
      : [
          `  or ${delta.name}  ${formatBytes(delta.size)}`,
          `    sha256 ${delta.digest}`,
          `    kubeferry join ${delta.name} --base OLD.tar -o ${bundle}    (OLD.tar: the bundle of ${from}, sha256 ${delta.base})`,
        ]),
  ];
  return `${[`${number}. ${head}`, ...files, ...rest, ...users(from, removed.length > 0)].join("\n")}\n`;
}

/** Its API server counts who asks for what ends. */
function users(from: string, ends: boolean): string[] {
  if (!ends || !isSince(from, "1.19")) return [];
  return ["  who uses what ends: kubectl get --raw /metrics | grep apiserver_requested_deprecated_apis"];
}
