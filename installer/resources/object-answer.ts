/** What kubectl and etcdctl say when there is nobody to ask, or nothing to tell. */
import type { HostReader } from "../host/host.ts";

/** Of kubectl: the API is not there. What it held cannot be taken back, and need not be. */
export const unreachable =
  /connection refused|connection to the server .* was refused|Unable to connect to the server|no route to host|i\/o timeout|deadline exceeded|ServiceUnavailable|server is currently unable/;

/** Of kubectl: no such object. */
export const notThere = /\(NotFound\)/;

/** Of etcdctl, either API: no member answers, or they have no leader. */
export const etcdUnreachable =
  /connection refused|deadline exceeded|cluster is unavailable|no leader|no route to host|i\/o timeout|did not end/;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  /** Its last line of complaint, for people. */
  readonly said: string;
  readonly stderr: string;
}

/** Runs a program that only looks; a program that is not there yet says so. */
export async function answerOf(
  host: HostReader,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Answer> {
  const options = { environment: { ...environment }, timeoutSeconds: 60, outputLimit: 32 * 1024 * 1024 };
  const { code, stdout, stderr } = await host.query(argv, options);
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const said = code === 127 ? `${argv[0]} is not there yet` : last === "" ? `${argv[0]} ended with ${code}` : last;
  return { code, stdout, stderr, said: said.slice(0, 300) };
}
