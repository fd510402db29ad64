/** An object as the API server has it, and as a text that kubectl takes again. */
import type { Identity } from "./manifest.ts";

export const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

export interface Live {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Record<string, string>;
  };
  readonly items?: readonly Live[];
}

export function liveIn(stdout: string): readonly Live[] {
  if (stdout.trim() === "") return [];
  const value = JSON.parse(stdout) as Live;
  return value.items ?? [value];
}

export function identityOf({ apiVersion, kind, metadata }: Live): Identity {
  return { apiVersion, kind, namespace: metadata.namespace ?? null, name: metadata.name };
}

/** Without what the API server alone writes, and what would tie it to one moment. */
export function bare(live: Live): unknown {
  const own = ["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"];
  const { annotations = {}, ...named } = live.metadata;
  const metadata: Record<string, unknown> = Object.fromEntries(
    Object.entries(named).filter(([name]) => !own.includes(name)),
  );
  const kept = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastApplied));
  if (Object.keys(kept).length > 0) metadata["annotations"] = kept;
  const rest = Object.fromEntries(Object.entries(live).filter(([name]) => name !== "status"));
  return { ...rest, metadata };
}

export function listOf(items: readonly unknown[]): string {
  return `${JSON.stringify({ apiVersion: "v1", kind: "List", items })}\n`;
}
