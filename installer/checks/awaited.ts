/** What a check cannot pass without and other hosts bring: do they take connections yet? */
import { connect } from "node:net";
import type { CheckEntry } from "#bundle";

export type Awaited = NonNullable<CheckEntry["awaits"]>;
/** Whether enough of the places answer. */
export type IsThere = (awaited: Awaited) => Promise<boolean>;

const patience = 3000;

/** Connects to all of them at once; one that says nothing within 3 seconds is not there. */
export const isThere: IsThere = async ({ at, enough }) => {
  const answers = await Promise.all(at.map(takesConnection));
  return answers.filter(Boolean).length >= enough;
};

/** `an API server: 10.0.0.11:6443 does not answer` */
export function describeAwaited({ what, at, enough }: Awaited): string {
  if (at.length === 1) return `${what}: ${at.join()} does not answer`;
  return `${what}: of ${at.join(", ")} fewer than ${enough} answer${enough === 1 ? "s" : ""}`;
}

/** What this node still waits for, each once. */
export async function stillAwaited(checks: readonly CheckEntry[], ask: IsThere = isThere): Promise<Awaited[]> {
  const all = checks.flatMap(({ awaits }) => awaits ?? []);
  const distinct = [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
  const there = await Promise.all(distinct.map(ask));
  return distinct.filter((_, place) => there[place] === false);
}

function takesConnection(place: string): Promise<boolean> {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: patience });
    const end = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}
