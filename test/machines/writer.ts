/** The client that writes every so often, and what became of each of its writes. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import * as z from "zod";

const program = join(import.meta.dirname, "../programs/writing-client.ts");
const line = z.object({ name: z.string(), refused: z.string().nullable() });

export interface Writes {
  /** Names of ConfigMaps. */
  readonly acknowledged: readonly string[];
  /** Each in the words of whoever refused it. */
  readonly refused: readonly string[];
}

export class Writer {
  readonly acknowledged: string[] = [];
  readonly refused: string[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #closed: Promise<unknown>;

  /** Begins to write into a namespace. `on`: the command that runs a program where the client is. */
  constructor(
    on: (argv: readonly string[]) => string[],
    client: { readonly kubeconfig: string; readonly namespace: string; readonly prefix: string },
    milliseconds = 1000,
  ) {
    const [command = "", ...words] = on([
      process.execPath,
      program,
      client.kubeconfig,
      client.namespace,
      client.prefix,
      String(milliseconds),
    ]);
    this.#child = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(this.#child.stdout);
    lines.on("line", (text) => {
      const { name, refused } = line.parse(JSON.parse(text));
      if (refused === null) this.acknowledged.push(name);
      else this.refused.push(`${name}: ${refused}`);
    });
    this.#closed = new Promise((resolve) => lines.once("close", resolve));
  }

  /** What it wrote while something else was done. */
  async during(action: () => Promise<unknown>): Promise<Writes> {
    const [acknowledged, refused] = [this.acknowledged.length, this.refused.length];
    await action();
    return { acknowledged: this.acknowledged.slice(acknowledged), refused: this.refused.slice(refused) };
  }

  /** Ends it after the write in hand. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }
}

/** Failures that a client has to live with: a write that etcd had in hand while its leader handed over, which it answers after some seconds. */
const known = [/: 500 .*etcdserver: (request timed out, possibly due to previous leader failure|leader changed)/s];

/** No write failed, but in a known way. */
export function nothingLost(
  t: { diagnostic(text: string): void },
  what: string,
  { acknowledged, refused }: Writes,
): void {
  t.diagnostic(`${what}: ${acknowledged.length} writes acknowledged, ${refused.length} refused\n${reasons(refused)}`);
  assert.deepEqual(
    refused.filter((text) => !known.some((kind) => kind.test(text))),
    [],
    what,
  );
  assert.ok(acknowledged.length > 10, `${what}: ${acknowledged.length} writes`);
}

/** How many writes were refused for which reason. */
export function reasons(refused: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of refused) {
    const reason = text.replace(/^\S+ /, "").replaceAll(/write-[\d-]+/g, "…");
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} × ${reason}`).join("\n");
}
