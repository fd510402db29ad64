/**
 * An object that an older content of a manifest brought, and the newer one no longer has: the manifest stays, so the object
 * goes by itself. It is ours as long as it bears the mark; one that somebody made anew under its name is left alone.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { answerOf, notThere } from "./object-answer.ts";
import type { FormerId } from "./object-id.ts";
import { mark, timeout, withText } from "./object-kubectl.ts";
import { bare, lastApplied, type Live, listOf } from "./object-live.ts";
import type { Unknown } from "./resource.ts";

/** The object as kubectl reads it, and what `kubectl apply` noted in it; null: there is none. Both are texts of a list. */
export type FormerState = { readonly text: string; readonly noted: { readonly text: string } | null } | null;

/** Of kubectl: the definition of a kind went before, and all objects of it with it. */
const noSuchKind = /the server doesn't have a resource type/;

export async function inspect(
  host: HostReader,
  { client, environment, identity }: FormerId,
): Promise<Unknown | FormerState> {
  const { apiVersion, kind, namespace, name } = identity;
  // Whatever version of its group the API serves by now.
  const group = apiVersion.includes("/") ? `.${apiVersion.slice(0, apiVersion.indexOf("/"))}` : "";
  const where = namespace === null ? [] : [`--namespace=${namespace}`];
  const words = [timeout, "get", "-o", "json", ...where, `${kind.toLowerCase()}${group}`, name];
  const { code, stdout, stderr, said } = await answerOf(host, [...client, ...words], environment);
  if (code !== 0) return notThere.test(stderr) || noSuchKind.test(stderr) ? null : { unknown: said };
  const live = JSON.parse(stdout) as Live;
  const note = live.metadata.annotations?.[lastApplied];
  return { text: listOf([bare(live)]), noted: note === undefined ? null : { text: listOf([JSON.parse(note)]) } };
}

/** What of it is ours. */
export function spec(now: FormerState): FormerState {
  if (now === null) return null;
  const { items } = JSON.parse(now.text) as { items: readonly Live[] };
  return items.some(({ metadata }) => metadata.annotations?.[mark] !== undefined) ? now : null;
}

export function steps(id: FormerId, from: FormerState, to: FormerState): Effect[] {
  if (to === null) {
    const { apiVersion, kind, namespace, name } = id.identity;
    const metadata = { name, ...(namespace === null ? {} : { namespace }) };
    const words = ["delete", "--ignore-not-found=true", "--timeout=20s", "-f", id.scratch];
    return withText(id, listOf([{ apiVersion, kind, metadata }]), words);
  }
  const note = ["apply", "set-last-applied", "--create-annotation=true", "-f", id.scratch];
  return [
    ...withText(id, to.text, [from === null ? "create" : "replace", "-f", id.scratch]),
    ...(to.noted === null ? [] : withText(id, to.noted.text, note)),
  ];
}
