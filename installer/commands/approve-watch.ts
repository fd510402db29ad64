/**
 * `./install approve --watch`: one process that stays, and approves each request as it comes. Nothing is started until
 * there is one to judge.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isExpected, messageOf } from "#cli/errors";
import { approve, type ApproveRequest, isUndecided, type RequestItem } from "./approve.ts";
import { adminKubeconfig } from "../certificates/kubeconfig.ts";
import { type Api, apiOf } from "../cluster/ask-api.ts";
import { clusterFacts } from "../cluster/ask-cluster.ts";
import type { Context } from "../context.ts";
import type { HostReader } from "../host/host.ts";
import { hostOf } from "../transaction/installation.ts";

export interface WatchRequest extends Pick<ApproveRequest, "client" | "folder"> {
  /** Default: the administrator's on this master. */
  readonly kubeconfig?: string;
  /** Default: 30 seconds. */
  readonly pauseMs?: number;
}

interface List {
  readonly metadata: { readonly resourceVersion?: string };
  readonly items: readonly RequestItem[];
}

const group = "certificates.k8s.io";
/** After so long, what was left is judged again: its node may be known by now. */
const hour = 3_600_000;

/** Ends with a signal, or when an upgrade has exchanged this very program. USAGE where this is no master. */
export async function approveAsTheyCome(request: WatchRequest, context: Context): Promise<void> {
  const { reporter, signal } = context;
  const host = hostOf("/");
  await clusterFacts(host, request.folder);
  reporter.stage("approve", "waits for requests of kubelets");
  const left = new Set<string>();
  let since = context.now().getTime();
  let trouble = "";
  const program = await programOf(host, context);
  while (!signal.aborted && program === (await programOf(host, context))) {
    if (context.now().getTime() - since > hour) {
      left.clear();
      since = context.now().getTime();
    }
    try {
      // Read each time: certificates are renewed.
      const kubeconfig = await host.read(request.kubeconfig ?? adminKubeconfig);
      await untilAsked(apiOf(kubeconfig ?? ""), left, signal, async (waiting) => {
        await approve({ ...request, dryRun: false }, context);
        for (const name of waiting) left.add(name);
      });
      trouble = "";
    } catch (error) {
      if (signal.aborted) return;
      if (!isExpected(error)) throw error;
      // An API that is down for an hour is told once.
      if (trouble !== messageOf(error)) reporter.warn(`${messageOf(error)}; it is asked again`);
      trouble = messageOf(error);
      await sleep(request.pauseMs ?? 30_000, undefined, { signal }).catch(() => {});
    }
  }
}

/** What lies where this program was started from. */
async function programOf(host: HostReader, { executable }: Context): Promise<string> {
  const stat = executable === null ? null : await host.stat(executable);
  return stat?.type === "file" ? `${stat.size} bytes of ${stat.mtimeMs}` : "";
}

/** Judges what waits; where nothing does, returns when a request comes, or the server ends the watch. */
async function untilAsked(
  api: Api,
  left: ReadonlySet<string>,
  signal: AbortSignal,
  judge: (waiting: readonly string[]) => Promise<void>,
): Promise<void> {
  const { groups } = await api.get<Groups>("/apis");
  const version = groups.find(({ name }) => name === group)?.preferredVersion.groupVersion ?? `${group}/v1`;
  const path = `/apis/${version}/certificatesigningrequests`;
  const { items, metadata } = await api.get<List>(path);
  const isNew = (item: RequestItem): boolean => isUndecided(item) && !left.has(item.metadata.name);
  const waiting = items.filter(isNew).map((item) => item.metadata.name);
  if (waiting.length > 0) return await judge(waiting);
  for await (const { type, object } of api.watch(path, metadata.resourceVersion ?? "", signal)) {
    // What it watched from is forgotten: the list is asked for anew.
    if (type === "ERROR" || (type !== "DELETED" && isNew(object as RequestItem))) return;
  }
}

interface Groups {
  readonly groups: readonly { readonly name: string; readonly preferredVersion: { readonly groupVersion: string } }[];
}
