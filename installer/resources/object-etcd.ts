/**
 * A key in etcd: put only where there is none, compared and put in one step. A key that says something else is somebody's
 * own, and an error. Undo takes away exactly what was put.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { answerOf, etcdUnreachable, passing } from "./object-answer.ts";
import type { KeyId } from "./object-id.ts";
import { isSame, type Unknown } from "./resource.ts";

export interface KeyState {
  /** Null: there is no such key. */
  readonly value: string | null;
  /** Of the v2 store: folders above the key that are not there, outermost first. */
  readonly folders: readonly string[];
}

const owner = { uid: 0, gid: 0 };

export async function inspect(host: HostReader, id: KeyId): Promise<Unknown | KeyState> {
  return id.via === "etcd3" ? inspect3(host, id) : inspect2(host, id);
}

/** A key that is not there may have left its folders. */
export function equal(a: KeyState, b: KeyState): boolean {
  return a.value === b.value && (a.value !== null || isSame(a.folders, b.folders));
}

/** What is put is of the id; another value is somebody's own, which is neither written over nor taken away. */
export function steps(id: KeyId, from: KeyState, to: KeyState): Effect[] {
  return to.value === id.value ? put(id, from) : take(id, to);
}

function put(id: KeyId, from: KeyState): Effect[] {
  const pattern = `^${literal(id.value)}$`;
  // Fails where something else is there, and shows it.
  const compare: Effect = { ...run(id, getWords(id)), matches: pattern };
  if (from.value !== null) return [compare];
  // 105: it is there already; a power cut may have come right after it was put.
  if (id.via === "etcd2") return [{ ...run(id, ["mk", id.key, id.value]), forgive: "^Error:\\s+105:" }, compare];
  const [key, value] = [quote(id.key), quote(id.value)];
  const text = `create(${key}) = "0"\n\nput ${key} ${value}\n\nget ${key}\n\n`;
  return transaction(id, text, { matches: `^SUCCESS|^FAILURE\\s+${literal(id.key)}\\s+${pattern.slice(1)}` });
}

function take(id: KeyId, to: KeyState): Effect[] {
  if (to.value !== null) return [];
  if (id.via === "etcd3") {
    const text = `value(${quote(id.key)}) = ${quote(id.value)}\n\ndel ${quote(id.key)}\n\n\n`;
    // etcdctl's own time-out does not hold for transactions.
    return transaction(id, text, { forgive: etcdUnreachable.source, timeoutSeconds: 15 });
  }
  // Not there any more, changed since by somebody else, or a folder that others use: theirs.
  const forgive = `${etcdUnreachable.source}|^Error:\\s+(100|101|108):`;
  return [
    { ...run(id, ["rm", "--with-value", id.value, id.key]), forgive },
    ...to.folders.toReversed().map((path) => ({ ...run(id, ["rmdir", path]), forgive })),
  ];
}

async function inspect3(host: HostReader, id: KeyId): Promise<Unknown | KeyState> {
  const argv = [...id.client, "get", id.key, "-w", "json"];
  const { code, stdout, said } = await answerOf(host, argv, id.environment);
  if (code !== 0) return { unknown: said };
  const { kvs = [] } = JSON.parse(stdout) as { kvs?: { value?: string }[] };
  const [first] = kvs;
  const value = first === undefined ? null : Buffer.from(first.value ?? "", "base64").toString("utf8");
  return { value, folders: [] };
}

async function inspect2(host: HostReader, id: KeyId): Promise<Unknown | KeyState> {
  const { code, stdout, stderr, said } = await answerOf(host, [...id.client, "get", id.key], id.environment);
  const isMissing = /^Error:\s+100:/m.test(stderr);
  if (code !== 0 && !isMissing) return { unknown: said };
  if (code === 0) return { value: stdout.replace(/\n$/, ""), folders: [] };
  const folders: string[] = [];
  for (const path of ancestors(id.key)) {
    const { code } = await answerOf(host, [...id.client, "ls", path], id.environment);
    if (code !== 0) folders.push(path);
  }
  return { value: null, folders };
}

function getWords({ via, key }: KeyId): string[] {
  return via === "etcd2" ? ["get", key] : ["get", key, "--print-value-only"];
}

/** etcdctl reads a transaction from its standard input only. */
function transaction(id: KeyId, text: string, rest: Partial<Effect & { do: "run" }>): Effect[] {
  const { scratch: path } = id;
  return [
    { do: "write", path, content: { text }, mode: 0o600, owner },
    { ...run(id, ["txn"]), stdin: path, ...rest },
    { do: "remove", path },
  ];
}

function run({ client, environment }: KeyId, words: readonly string[]): Effect & { do: "run" } {
  return { do: "run", argv: [...client, ...words], environment, timeoutSeconds: 60, retry: passing.source };
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
