/** A label that only an administrator may put on a Kubernetes node: which of them are masters. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { answerOf, notThere, unreachable } from "./object-answer.ts";
import type { LabelSpec, Unseen } from "./object-spec.ts";

export interface LabelBefore {
  readonly state: "seen";
  /** Null: the node has no such label. */
  readonly value: string | null;
}

const timeout = "--request-timeout=20s";

export async function inspect(host: HostReader, spec: LabelSpec): Promise<Unseen | LabelBefore> {
  const argv = [...spec.client, timeout, "get", "node", spec.node, "-o", "json"];
  const { code, stdout, said } = await answerOf(host, argv, spec.environment);
  if (code !== 0) return { state: "unseen", why: notThere.test(said) ? `${spec.node} has not joined yet` : said };
  const { metadata } = JSON.parse(stdout) as { metadata: { labels?: Record<string, string> } };
  return { state: "seen", value: metadata.labels?.[spec.key] ?? null };
}

export function forward(spec: LabelSpec, before: Unseen | LabelBefore): Effect[] {
  if (before.state === "seen" && before.value === spec.value) return [];
  return [run(spec, [`${spec.key}=${spec.value}`, "--overwrite"])];
}

export function backward(spec: LabelSpec, before: LabelBefore): Effect[] {
  if (before.value === spec.value) return [];
  const words = before.value === null ? [`${spec.key}-`] : [`${spec.key}=${before.value}`, "--overwrite"];
  // A node that left the cluster, or a cluster that is no more, has no label.
  return [{ ...run(spec, words), forgive: `${unreachable.source}|${notThere.source}` }];
}

function run(spec: LabelSpec, words: readonly string[]): Effect & { do: "run" } {
  const argv = [...spec.client, timeout, "label", "node", spec.node, ...words];
  return { do: "run", argv, environment: spec.environment, timeoutSeconds: 60 };
}
