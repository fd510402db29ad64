/** A label that only an administrator may put on a Kubernetes node: which of them are masters. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { answerOf, notThere, passing, unreachable } from "./object-answer.ts";
import type { LabelId } from "./object-id.ts";
import type { Unknown } from "./resource.ts";

/** Null: the node has no such label. */
export type LabelState = string | null;

const timeout = "--request-timeout=20s";

export async function inspect(host: HostReader, id: LabelId): Promise<Unknown | LabelState> {
  const argv = [...id.client, timeout, "get", "node", id.node, "-o", "json"];
  const { code, stdout, said } = await answerOf(host, argv, id.environment);
  if (code !== 0)
    return notThere.test(said) ? { unknown: `${id.node} has not joined yet`, soon: true } : { unknown: said };
  const { metadata } = JSON.parse(stdout) as { metadata: { labels?: Record<string, string> } };
  return metadata.labels?.[id.key] ?? null;
}

export function steps(id: LabelId, to: LabelState): Effect[] {
  const words = to === null ? [`${id.key}-`] : [`${id.key}=${to}`, "--overwrite"];
  const argv = [...id.client, timeout, "label", "node", id.node, ...words];
  const run: Effect = { do: "run", argv, environment: id.environment, timeoutSeconds: 60, retry: passing.source };
  // A node that left the cluster, or a cluster that is no more, has no label to be taken back.
  return [to === id.value ? run : { ...run, forgive: `${unreachable.source}|${notThere.source}` }];
}
