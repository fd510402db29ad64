/**
 * A key in etcd: put only where there is none, compared and put in one step. A key that says something else is somebody's
 * own, and an error. Undo takes away exactly what was put.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { answerOf, etcdUnreachable } from "./object-answer.ts";
import type { KeySpec, Unseen } from "./object-spec.ts";

export interface KeyBefore {
  readonly state: "seen";
  /** Null: there is no such key. */
  readonly value: string | null;
  /** Of the v2 store: folders above the key that are not there, outermost first. */
  readonly folders: readonly string[];
}

const owner = { uid: 0, gid: 0 };

export async function inspect(host: HostReader, spec: KeySpec): Promise<Unseen | KeyBefore> {
  return spec.via === "etcd3" ? inspect3(host, spec) : inspect2(host, spec);
}

export function forward(spec: KeySpec, before: Unseen | KeyBefore): Effect[] {
  const found = before.state === "seen" ? before.value : null;
  if (found === spec.value) return [];
  const wanted = `^${literal(spec.value)}$`;
  // Fails where something else is there, and shows it: nothing of somebody else's is written over.
  const compare: Effect = { ...run(spec, getWords(spec)), matches: wanted };
  if (found !== null) return [compare];
  // 105: it is there already; a power cut may have come right after it was put.
  if (spec.via === "etcd2")
    return [{ ...run(spec, ["mk", spec.key, spec.value]), forgive: "^Error:\\s+105:" }, compare];
  const [key, value] = [quote(spec.key), quote(spec.value)];
  const text = `create(${key}) = "0"\n\nput ${key} ${value}\n\nget ${key}\n\n`;
  return transaction(spec, text, { matches: `^SUCCESS|^FAILURE\\s+${literal(spec.key)}\\s+${wanted.slice(1)}` });
}

export function backward(spec: KeySpec, before: KeyBefore): Effect[] {
  if (before.value !== null) return [];
  if (spec.via === "etcd3") {
    const text = `value(${quote(spec.key)}) = ${quote(spec.value)}\n\ndel ${quote(spec.key)}\n\n\n`;
    // etcdctl's own time-out does not hold for transactions.
    return transaction(spec, text, { forgive: etcdUnreachable.source, timeoutSeconds: 15 });
  }
  // Not there any more, changed since by somebody else, or a folder that others use: theirs.
  const forgive = `${etcdUnreachable.source}|^Error:\\s+(100|101|108):`;
  return [
    { ...run(spec, ["rm", "--with-value", spec.value, spec.key]), forgive },
    ...before.folders.toReversed().map((path) => ({ ...run(spec, ["rmdir", path]), forgive })),
  ];
}

async function inspect3(host: HostReader, spec: KeySpec): Promise<Unseen | KeyBefore> {
  const argv = [...spec.client, "get", spec.key, "-w", "json"];
  const { code, stdout, said } = await answerOf(host, argv, spec.environment);
  if (code !== 0) return { state: "unseen", why: said };
  const { kvs = [] } = JSON.parse(stdout) as { kvs?: { value?: string }[] };
  const [first] = kvs;
  const value = first === undefined ? null : Buffer.from(first.value ?? "", "base64").toString("utf8");
  return { state: "seen", value, folders: [] };
}

async function inspect2(host: HostReader, spec: KeySpec): Promise<Unseen | KeyBefore> {
  const { code, stdout, stderr, said } = await answerOf(host, [...spec.client, "get", spec.key], spec.environment);
  const isMissing = /^Error:\s+100:/m.test(stderr);
  if (code !== 0 && !isMissing) return { state: "unseen", why: said };
  if (code === 0) return { state: "seen", value: stdout.replace(/\n$/, ""), folders: [] };
  const folders: string[] = [];
  for (const path of ancestors(spec.key)) {
    const { code } = await answerOf(host, [...spec.client, "ls", path], spec.environment);
    if (code !== 0) folders.push(path);
  }
  return { state: "seen", value: null, folders };
}

function getWords({ via, key }: KeySpec): string[] {
  return via === "etcd2" ? ["get", key] : ["get", key, "--print-value-only"];
}

/** etcdctl reads a transaction from its standard input only. */
function transaction(spec: KeySpec, text: string, rest: Partial<Effect & { do: "run" }>): Effect[] {
  const { scratch: path } = spec;
  return [
    { do: "write", path, content: { text }, mode: 0o600, owner },
    { ...run(spec, ["txn"]), stdin: path, ...rest },
    { do: "remove", path },
  ];
}

function run({ client, environment }: KeySpec, words: readonly string[]): Effect & { do: "run" } {
  return { do: "run", argv: [...client, ...words], environment, timeoutSeconds: 60 };
}

/** `/a` and `/a/b` of `/a/b/c`. */
function ancestors(key: string): string[] {
  const parts = key.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

/** As etcdctl reads a word. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
