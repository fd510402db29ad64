/**
 * The manifest that gives the administrator his rights. Only who has all rights may give them, so the first of all have to come
 * from the CA itself: kubectl asks with a credential of system:masters that is signed for it, and removed when it has asked.
 */
import type { Effect } from "../host/effect.ts";
import { forbidden, passing, unreachable } from "./object-answer.ts";
import type { GrantId } from "./object-id.ts";
import { type ManifestState, steps as applied, timeout } from "./object-kubectl.ts";

const flag = "--kubeconfig=";

/** Brought or taken back, alike: also where nobody has the rights any more that are to be given back. */
export function steps(id: GrantId, to: ManifestState): Effect[] {
  const { scratch, authority, client, environment } = id;
  const path = `${scratch}.kubeconfig`;
  const like = client.find((word) => word.startsWith(flag))?.slice(flag.length) ?? "";
  const signed = client.map((word) => (word.startsWith(flag) ? flag + path : word));
  // What was given is there when the administrator himself may look: the API server hears of it a moment later.
  const argv = [...client, timeout, "get", "-f", id.path];
  const retry = `${forbidden.source}|${unreachable.source}|${passing.source}`;
  const given: Effect = { do: "run", argv, environment, retry, timeoutSeconds: 120 };
  return [
    { do: "sign", path, like, authority, user: "kubeferry:grant", group: "system:masters" },
    ...applied({ ...id, client: signed }, to),
    { do: "remove", path },
    ...(to.applied === id.digest ? [given] : []),
  ];
}
