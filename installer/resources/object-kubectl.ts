/**
 * A manifest through kubectl: applied, and marked with the digest of its content when all of it is there. Undo deletes
 * the objects that were made, and gives those that were there before the content that they had.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { holdsOthers, type Identity, identitiesIn, keyOf } from "./manifest.ts";
import { bare, identityOf, lastApplied, type Live, listOf, liveIn } from "./object-live.ts";
import { type Answer, answerOf, forbidden, meanwhile, notThere, passing, unreachable } from "./object-answer.ts";
import type { Client, GrantId, ManifestId } from "./object-id.ts";
import { isSame, type Unknown } from "./resource.ts";

export interface ManifestState {
  /** Digest of the content that all objects were applied with; null: not all are there, or not all of one content. */
  readonly applied: string | null;
  /** Objects that are not there: those that apply makes, in its order. */
  readonly missing: readonly Identity[];
  /** What is there, as a list that kubectl reads; null where nothing is. `text` is left out of support archives. */
  readonly earlier: { readonly text: string } | null;
  /** What `kubectl apply` noted in them as last applied: `replace` would note all of them, defaults included. */
  readonly noted: { readonly text: string } | null;
}

/** The mark: an annotation with the digest of the manifest's file. */
export const mark = "kubeferry.local/content";

export const timeout = "--request-timeout=60s";
const owner = { uid: 0, gid: 0 };

export async function inspect(host: HostReader, id: ManifestId | GrantId): Promise<Unknown | ManifestState> {
  const { path, digest } = id;
  const text = await host.read(path);
  if (text === null || (await host.digest(path)) !== digest) return unknown(`${path} is not in place yet`);
  const identities = identitiesIn(text);
  if (identities === null || identities.length === 0)
    return unknown(`${path} is not of a form whose objects can be told`);
  const looked = await look(host, id, identities);
  if ("unknown" in looked) return looked;
  const { found } = looked;
  const there = new Set(found.map((one) => keyOf(identityOf(one))));
  const missing = identities.filter((identity) => !there.has(keyOf(identity)));
  // kubectl read the same file: what it found must be what we take it to be about.
  if (found.length + missing.length !== identities.length)
    return unknown(`kubectl finds other objects in ${path} than those that it names`);
  const marks = new Set(found.map(({ metadata }) => metadata.annotations?.[mark]));
  const [only] = missing.length === 0 && marks.size === 1 ? marks : [];
  const applied = only ?? null;
  if (applied === digest) return { applied, missing, earlier: null, noted: null };
  const notes = found.flatMap(({ metadata }) => metadata.annotations?.[lastApplied] ?? []);
  return {
    applied,
    missing,
    earlier: found.length === 0 ? null : { text: listOf(found.map(bare)) },
    noted: notes.length === 0 ? null : { text: listOf(notes.map((note): unknown => JSON.parse(note))) },
  };
}

/** What of a manifest is in the cluster. */
async function look(
  host: HostReader,
  { via, path, client, environment }: ManifestId | GrantId,
  identities: readonly Identity[],
): Promise<Unknown | { readonly found: readonly Live[] }> {
  // Of an administrator without rights is known that what gives them is not there, or not as it is to be.
  const isMissing = ({ stderr }: Answer): boolean =>
    notThere.test(stderr) || (via === "grant" && forbidden.test(stderr));
  const get = (words: readonly string[]) =>
    answerOf(host, [...client, timeout, "get", "-o", "json", ...words], environment);
  const all = await get(["--ignore-not-found=true", "-f", path]);
  if (all.code === 0) return { found: liveIn(all.stdout) };
  if (isMissing(all)) return { found: [] };
  if (!/unknown flag: --ignore-not-found/.test(all.stderr)) return unknown(all.said);
  // kubectl of 1.6 gives nothing where anything is missing: one by one.
  const found: Live[] = [];
  for (const { apiVersion, kind, namespace, name } of identities) {
    const one = await get([...(namespace === null ? [] : [`--namespace=${namespace}`]), kind.toLowerCase(), name]);
    // It may answer with another version of the API than the manifest's, even of another group.
    if (one.code === 0) found.push(...liveIn(one.stdout).map((live) => ({ ...live, apiVersion })));
    else if (!isMissing(one)) return unknown(one.said);
  }
  return { found };
}

/** What is applied is the id's. */
export function spec({ digest }: ManifestId | GrantId): ManifestState {
  return { applied: digest, missing: [], earlier: null, noted: null };
}

export function equal(a: ManifestState, b: ManifestState): boolean {
  return (a.applied !== null && a.applied === b.applied) || isSame(a, b);
}

export function steps(id: ManifestId | GrantId, to: ManifestState): Effect[] {
  return to.applied === id.digest ? bring(id) : takeBack(id, to);
}

/** Without the objects of those keys: they only moved to another manifest. Null where nothing is left. */
export function without(state: ManifestState, keys: ReadonlyMap<string, string>): ManifestState | null {
  const goes = (identity: Identity): boolean => !keys.has(keyOf(identity));
  const items = (list: ManifestState["earlier"]): ManifestState["earlier"] => {
    const left = list === null ? [] : liveIn(list.text).filter((live) => goes(identityOf(live)));
    return left.length === 0 ? null : { text: listOf(left) };
  };
  const missing = state.missing.filter(goes);
  const earlier = items(state.earlier);
  return missing.length === 0 && earlier === null ? null : { ...state, missing, earlier, noted: items(state.noted) };
}

function bring(id: ManifestId | GrantId): Effect[] {
  // It answered a moment ago: an API server that starts anew, or one of several that is gone, is not the end of an installation.
  // Nor is another master that brings the same objects in the same moment.
  const retry = `${passing.source}|${unreachable.source}|${meanwhile.source}`;
  return [
    { ...run(id, ["apply", "-f", id.path]), retry },
    { ...run(id, ["annotate", "-f", id.path, "--overwrite", `${mark}=${id.digest}`]), retry },
  ];
}

function takeBack(id: ManifestId | GrantId, { missing, earlier, noted }: ManifestState): Effect[] {
  const going = missing.filter((identity) => !holdsOthers(identity)).toReversed();
  const made = going.map(({ apiVersion, kind, namespace, name }) => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === null ? {} : { namespace }) },
  }));
  return [
    ...(made.length === 0
      ? []
      : withText(id, listOf(made), ["delete", "--ignore-not-found=true", "--timeout=20s", "-f", id.scratch])),
    ...(earlier === null ? [] : withText(id, earlier.text, ["replace", "-f", id.scratch])),
    ...(noted === null
      ? []
      : withText(id, noted.text, ["apply", "set-last-applied", "--create-annotation=true", "-f", id.scratch])),
  ];
}

/**
 * A namespace ends with its last pod, and one on a node whose kubelet has stopped already ends with that Node: the API has
 * taken the order, and whoever waited for its end would wait for ever.
 */
const ordered = /timed out waiting for the condition/;

/** A text for the program, private and only for as long as it runs. A cluster that is gone keeps nothing of ours. */
export function withText(id: Client, text: string, words: readonly string[]): Effect[] {
  const { scratch: path } = id;
  return [
    { do: "write", path, content: { text }, mode: 0o600, owner },
    { ...run(id, words), forgive: `${unreachable.source}|${ordered.source}`, retry: passing.source },
    { do: "remove", path },
  ];
}

function run({ client, environment }: Client, words: readonly string[]): Effect & { do: "run" } {
  return { do: "run", argv: [...client, timeout, ...words], environment, timeoutSeconds: 300 };
}

function unknown(why: string): Unknown {
  return { unknown: why };
}
