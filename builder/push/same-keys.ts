/** A rotation's bundle shuts out who is not at the step before it: every host is asked whether it is, before the first one is changed. */
import pLimit from "p-limit";
import { type ExpectedError, isExpected } from "#cli/errors";
import { installOn, type Task } from "./host-task.ts";
import type { Host } from "./inventory.ts";

/**
 * Which hosts refuse the bundle because of the keys that they and it trust, with what their `./install upgrade --dry-run` says.
 * Whatever else keeps a host from it is told when its turn comes. [] for a cluster whose keys were never rotated.
 */
export async function refusedForKeys(
  hosts: readonly Host[],
  keys: ReadonlyMap<Host, string | null>,
  parallel: number,
  task: Task,
): Promise<(readonly [Host, ExpectedError])[]> {
  const { bundle, reporter, view } = task;
  if (bundle.index.keys === undefined || hosts.length === 0) return [];
  reporter.stage("keys", `asks ${hosts.length} hosts whether they know those of the bundle, before any is changed`);
  const limit = pLimit(parallel);
  const asked = hosts.map((host) =>
    limit(async () => {
      let refused = false;
      try {
        await installOn(host, "upgrade", keys.get(host) ?? null, { ...task, dryRun: true }, ({ type, ...finding }) => {
          refused ||= type === "finding" && finding["check"] === "same-keys" && finding["severity"] === "error";
        });
      } catch (error) {
        if (!isExpected(error)) throw error;
        if (refused) return [[host, error] as const];
      } finally {
        view.show(host.label, null);
      }
      return [];
    }),
  );
  return (await Promise.all(asked)).flat();
}
