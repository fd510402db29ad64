/** `init`, `releases`: before there is a cluster.yaml. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { ExpectedError } from "#kit/errors";
import { reporterFor, type Surroundings } from "#kit/run";
import type { InitFlags } from "../config/init-answers.ts";

export function addReleaseCommands(program: Command, surroundings: Surroundings): void {
  program
    .command("init")
    .description("Write a commented cluster.yaml, from flags or (on a terminal, without any) from questions")
    .option("-o, --output <file>", "a new file (default: standard output)")
    .option("--name <name>", "of the cluster")
    .option("--release <name>", "see `kubeferry releases`")
    .option("--node <name=ip:role,role>", "a node; may be given again", collect)
    .option("--platform <platform>", "linux/amd64 or linux/arm64; may be given again", collect)
    .option("--workers <cidr>", "any address in it may become a worker")
    .option("--services <cidr>", "network of services")
    .option("--pods <cidr>", "network of pods")
    .option("--plugin <name>", "network plugin")
    .option("--endpoint <kind>", "first-master, vip or local-proxy")
    .option("--vip <address,interface>", "virtual address of the API")
    .option("--runtime <name>", "containerd or docker")
    .addHelpText(
      "after",
      "\nExample:\n  $ kubeferry init --name plant-7 --node n1=10.64.3.1:etcd,master -o cluster.yaml",
    )
    .action(async ({ output, ...flags }: InitFlags & { output?: string }) => {
      const text = await clusterText(flags, surroundings);
      if (output === undefined) return void surroundings.out.write(text);
      await writeNew(resolve(surroundings.workingDirectory, output), text);
      surroundings.out.write(`wrote ${output}; next: kubeferry build ${output}\n`);
    });

  program
    .command("releases")
    .description("List the releases that can be carried: components, versions, platforms, what is pinned by whom")
    .option("--json", "one JSON object a line on stdout, people's text on stderr")
    .action(async (flags: { json?: boolean }) => {
      const { describeRelease, releaseSummaries } = await import("../config/release-list.ts");
      const reporter = reporterFor(surroundings, flags);
      for (const release of await releaseSummaries()) {
        reporter.record("release", { ...release });
        for (const line of describeRelease(release)) reporter.info(line);
      }
    });
}

async function clusterText(flags: InitFlags, surroundings: Surroundings): Promise<string> {
  const { answersFromFlags, askAnswers } = await import("../config/init-answers.ts");
  const { clusterYaml } = await import("../config/init.ts");
  const { listReleases } = await import("../config/releases.ts");
  if (surroundings.in.isTTY !== true || Object.keys(flags).length > 0) return clusterYaml(answersFromFlags(flags));
  const questions = createInterface({ input: surroundings.in, output: process.stderr });
  const ask = async (question: string, preset: string): Promise<string> =>
    (await questions.question(`${question} [${preset}]: `)).trim() || preset;
  return clusterYaml(await askAnswers(flags, ask, listReleases()).finally(() => questions.close()));
}

/** Never over a file that is there. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new ExpectedError("USAGE", "that file is there already, and init never overwrites one", {
      where: path,
      cause,
      hint: "choose another -o",
    });
  }
}

function collect(value: string, all: string[] = []): string[] {
  return [...all, value];
}
