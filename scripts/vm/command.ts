/** Runs the host's programs with an argv array. */
import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  /** Written to standard input. */
  readonly input?: string;
}

/** Resolves with standard output; throws with the end of standard error when the program fails. */
export async function command(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<string> {
  const [program, ...rest] = argv;
  const child = spawn(program, rest, {
    stdio: "pipe",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const output: Buffer[] = [];
  let complaint = "";
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaint = (complaint + chunk).slice(-4000)));
  child.stdin.on("error", () => {}); // The program may end before it has read all; its exit code tells.
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}\n${complaint.trim()}`);
  return Buffer.concat(output).toString("utf8");
}
