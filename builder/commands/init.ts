/** `init`: before there is a cluster.yaml. */
import { stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { ask } from "#cli/ask";
import { example } from "#cli/help";
import { ExpectedError, isExpected } from "#cli/errors";
import { collect } from "#cli/options";
import type { Surroundings } from "#cli/run";
import type { Dialogue, InitFlags } from "../config/init-answers.ts";

export function addInitCommand(program: Command, surroundings: Surroundings): void {
  program
    .command("init")
    .description("Write a commented cluster.yaml, from flags or (on a terminal, without any) from questions")
    .option("-o, --output <file>", "a new file (default: standard output)")
    .option("--name <name>", "of the cluster")
    .option("--release <name>", "see `kubeferry releases` (default: the newest Kubernetes)")
    .option("--node <name=ip:role,role>", "a node; repeatable", collect)
    .option("--platform <platform>", "linux/amd64 or linux/arm64; repeatable", collect)
    .option("--workers <cidr>", "any address in it may become a worker")
    .option("--services <cidr>", "network of services")
    .option("--pods <cidr>", "network of pods")
    .option("--plugin <name>", "network plugin")
    .option("--endpoint <kind>", "first-master, vip or local-proxy")
    .option("--vip <address,interface>", "virtual address of the API")
    .option("--runtime <name>", "containerd or docker (default: what the release has)")
    .addHelpText(
      "after",
      example("kubeferry init --name plant-7 --node n1=10.64.3.1:etcd,master,worker -o cluster.yaml"),
    )
    .action(async ({ output, ...flags }: InitFlags & { output?: string }) => {
      const path = output === undefined ? null : resolve(surroundings.workingDirectory, output);
      if (path !== null) await refuse(path);
      const text = await clusterText(
        flags,
        path ?? resolve(surroundings.workingDirectory, "cluster.yaml"),
        surroundings,
      );
      if (path === null) return void surroundings.out.write(text);
      await writeNew(path, text);
      surroundings.out.write(`wrote ${output}; next: kubeferry build ${output}\n`);
    });
}

async function clusterText(flags: InitFlags, path: string, surroundings: Surroundings): Promise<string> {
  const { answersFromFlags, askAnswers, checkAnswers } = await import("../config/init-answers.ts");
  const { clusterYaml } = await import("../config/init.ts");
  if (surroundings.in.isTTY === true && Object.keys(flags).length === 0) {
    return clusterYaml(await askAnswers(path, dialogue(surroundings)));
  }
  const answers = await answersFromFlags(flags);
  const problems = await checkAnswers(answers, path);
  if (problems.length === 0) return clusterYaml(answers);
  throw new ExpectedError("USAGE", "this does not make a cluster", {
    problems: problems.map((message) => ({ message })),
    hint: "kubeferry init --help; kubeferry releases",
  });
}

/** Questions on a terminal; INTERRUPTED when the person leaves them with Ctrl-C or Ctrl-D. */
function dialogue(surroundings: Surroundings): Dialogue {
  return {
    async ask(question, preset) {
      const given = await ask(surroundings, `${question} [${preset}]: `).catch((error: unknown) => {
        if (isExpected(error, "INTERRUPTED")) return null;
        throw error;
      });
      if (given !== null) return given.trim() || preset;
      surroundings.err.write("\n");
      throw new ExpectedError("INTERRUPTED", "nothing was written", { hint: "kubeferry init" });
    },
    tell: (text) => void surroundings.err.write(`${text}\n`),
  };
}

/** Before anything is asked: where nothing could be written then. */
async function refuse(path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) !== null) throw isThere(path);
  const folder = dirname(path);
  if ((await stat(folder).catch(() => null))?.isDirectory() === true) return;
  throw new ExpectedError("USAGE", "there is no such folder", { where: folder, hint: `mkdir -p ${folder}` });
}

/** Never over a file that is there. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw isThere(path);
  }
}

function isThere(path: string): ExpectedError {
  return new ExpectedError("USAGE", "that file is there already, and init never overwrites one", {
    where: path,
    hint: "choose another -o",
  });
}
