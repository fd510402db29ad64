/** What kubectl and etcdctl say when there is nobody to ask, or nothing to tell. */
import { setTimeout as pause } from "node:timers/promises";
import type { HostReader } from "../host/host.ts";

/** Of kubectl: the API is not there. What it held cannot be taken back, and need not be. */
export const unreachable =
  /connection refused|connection to the server .* was refused|Unable to connect to the server|no route to host|i\/o timeout|deadline exceeded|ServiceUnavailable|server is currently unable/;

/**
 * Of kubectl and etcdctl: somebody answers, and will soon do what it cannot do now: etcd changes its leader or is slow, the
 * API server is asked too much, or has just begun to serve; a connection was cut. Not what stays so: a full etcd, a request that is too large.
 */
export const passing =
  /etcdserver: (leader changed|request timed out|too many requests|no leader|server stopped)|\((TooManyRequests|ServerTimeout|Timeout)\)|TLS handshake timeout|request did not complete within|connection lost|connection reset by peer|unexpected EOF|no matches for kind "\w+" in version "rbac\./;

/** Of kubectl: since it looked, somebody else has made or changed the object. */
export const meanwhile = /\((AlreadyExists|Conflict)\)/;

/** Of kubectl: no such object. */
export const notThere = /\(NotFound\)/;

/** Of kubectl: RBAC refuses it. */
export const forbidden = /\(Forbidden\)/;

/** Of etcdctl, either API: no member answers, or they have no leader. */
export const etcdUnreachable =
  /connection refused|deadline exceeded|cluster is unavailable|no leader|no route to host|i\/o timeout|did not end/;

/** Milliseconds: etcd elects a leader in some seconds, and one that has lost its quorum is not waited for. */
const patience = 15_000;

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  /** Its last line of complaint, for people. */
  readonly said: string;
  readonly stderr: string;
}

/** Runs a program that only looks, and again where what it says is passing; one that is not there yet says so. */
export async function answerOf(
  host: HostReader,
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Answer> {
  const options = { environment: { ...environment }, timeoutSeconds: 60, outputLimit: 32 * 1024 * 1024 };
  const until = performance.now() + patience;
  let answer = await host.query(argv, options);
  while (answer.code !== 0 && passing.test(answer.stderr) && performance.now() < until) {
    await pause(1000);
    answer = await host.query(argv, options);
  }
  const { code, stdout, stderr } = answer;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const said = code === 127 ? `${argv[0]} is not there yet` : last === "" ? `${argv[0]} ended with ${code}` : last;
  return { code, stdout, stderr, said: said.slice(0, 300) };
}
