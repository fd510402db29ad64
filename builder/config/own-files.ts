/** Files of the operator's own, beside cluster.yaml, which names them. */
import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { whyUnreadable } from "#cli/system-error";
import { formatBytes } from "#cli/quantities";
import type { ClusterConfig } from "./cluster.ts";
import type { KeyPath } from "./positions.ts";
import { error, type RuleFinding } from "./rule.ts";

/** Bytes by the path that cluster.yaml says. */
export type OwnFiles = ReadonlyMap<string, Buffer>;

export interface ReadFiles {
  readonly own: OwnFiles;
  /** Every file that cannot be read, at the place that names it. */
  readonly findings: readonly RuleFinding[];
}

/** They are settings, and held in memory until they are packed. */
const mostBytes = 64 * 1024 * 1024;

/** Reads every file that the cluster names; a relative path counts from `folder`, that of cluster.yaml. */
export async function readOwnFiles(cluster: ClusterConfig, folder: string): Promise<ReadFiles> {
  const own = new Map<string, Buffer>();
  const findings: RuleFinding[] = [];
  for (const { path, source } of namedIn(cluster)) {
    if (own.has(source)) continue;
    const place = isAbsolute(source) ? source : join(folder, source);
    try {
      const { size } = await stat(place);
      if (size <= mostBytes) own.set(source, await readFile(place));
      else
        findings.push(
          error(path, `${source} has ${formatBytes(size)}, and a file here may have ${formatBytes(mostBytes)}`),
        );
    } catch (cause) {
      findings.push(error(path, `cannot read ${source}: ${whyUnreadable(cause)}`));
    }
  }
  return { own, findings };
}

function namedIn({ files, registries, manifests }: ClusterConfig): { path: KeyPath; source: string }[] {
  return [
    ...manifests.map((source, index) => ({ path: ["manifests", index], source })),
    ...files.map(({ source }, index) => ({ path: ["files", index, "source"], source })),
    ...Object.entries(registries).flatMap(([name, registry]) =>
      (["ca", "credentials"] as const).flatMap((field) => {
        const source = registry[field];
        return source === undefined ? [] : [{ path: ["registries", name, field], source }];
      }),
    ),
  ];
}
