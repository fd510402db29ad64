/**
 * `undo --drain`: before anything is taken back, the cluster is asked to run this node's pods elsewhere, as
 * `kubectl drain` does. On a master with the administrator's kubeconfig, which also deletes the Node; on a worker with the
 * kubelet's own certificate, which may evict its own pods and no more.
 */
import { setTimeout } from "node:timers/promises";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import { type Api, apiWith } from "./ask-api.ts";
import { adminKubeconfig } from "../certificates/kubeconfig.ts";
import { kubeconfigOf } from "../certificates/kubelet-client.ts";
import type { Context } from "../context.ts";
import type { HostReader } from "../host/host.ts";

export interface DrainRequest {
  readonly node: string;
  /** Only tells what would be done. */
  readonly dryRun: boolean;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[];
  };
  readonly status?: { readonly phase?: string };
}

const kubelet = "/etc/kubernetes/kubelet.kubeconfig";
/** As long as a budget may hold pods back. */
export const patience = { tries: 150, seconds: 2 };

/** Tells where no API answers, and goes on. UNHEALTHY where it answers and pods stay: nothing was taken back then. */
export async function drain(host: HostReader, { node, dryRun }: DrainRequest, context: Context): Promise<void> {
  const { reporter } = context;
  reporter.stage("drain", node);
  try {
    const [api, mayDelete] = await apiAtHand(host);
    await drainBy(api, { node, dryRun, mayDelete, ...patience }, context);
  } catch (error) {
    if (!isExpected(error, "UNHEALTHY")) throw error;
    reporter.warn(
      `not drained: ${messageOf(error)}; pods of this node end here, and controllers make them anew elsewhere`,
    );
  }
}

export interface EvictOptions extends DrainRequest {
  /** How often, and after how long again, it is looked whether pods are gone. */
  readonly tries: number;
  readonly seconds: number;
}

export interface DrainOptions extends EvictOptions {
  readonly mayDelete: boolean;
}

/** The same with an API at hand. */
export async function drainBy(
  api: Api,
  options: DrainOptions,
  context: Pick<Context, "reporter" | "signal">,
): Promise<void> {
  const { node, dryRun, mayDelete } = options;
  await cordonAndEvict(api, options, context);
  if (dryRun) return;
  if (mayDelete) await settled(api.send("DELETE", nodePath(node)), "delete the Node");
  else
    context.reporter.info(
      `The Node stays in the cluster until an administrator removes it: kubectl delete node ${node}`,
    );
}

/** Ends when no pod is left there that could run elsewhere; what becomes of the Node is the caller's. */
export async function cordonAndEvict(
  api: Api,
  options: EvictOptions,
  context: Pick<Context, "reporter" | "signal">,
): Promise<void> {
  const { node, dryRun } = options;
  const { reporter } = context;
  const version = await evictionVersion(api);
  for (const { metadata } of movable(await podsOn(api, node))) {
    reporter.info(`  evict     ${metadata.namespace}/${metadata.name}`);
  }
  if (dryRun) return;
  await settled(api.send("PATCH", nodePath(node), { spec: { unschedulable: true } }), "cordon");
  await evict(api, version, options, context);
}

function nodePath(node: string): string {
  return `/api/v1/nodes/${node}`;
}

async function apiAtHand(host: HostReader): Promise<[api: Api, mayDelete: boolean]> {
  const admin = await kubeconfigOf(host, adminKubeconfig);
  const own = admin ?? (await kubeconfigOf(host, kubelet));
  if (own !== null) return [apiWith(own), admin !== null];
  throw new ExpectedError("UNHEALTHY", "there is no kubeconfig here that could ask the cluster", { where: kubelet });
}

/** `v1beta1` until Kubernetes 1.21. */
async function evictionVersion(api: Api): Promise<string> {
  const { resources } = await api.get<{ resources: { name: string; version?: string }[] }>("/api/v1");
  return resources.find(({ name }) => name === "pods/eviction")?.version ?? "v1beta1";
}

async function podsOn(api: Api, node: string): Promise<Pod[]> {
  return (await api.get<{ items: Pod[] }>(`/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`)).items;
}

/** A daemon set would make its pod anew at once; a pod of a file is the kubelet's own; what has ended is nowhere to move. */
export function movable(pods: readonly Pod[]): Pod[] {
  return pods.filter(
    ({ metadata, status }) =>
      metadata.annotations?.["kubernetes.io/config.mirror"] === undefined &&
      metadata.ownerReferences?.some(({ kind, controller }) => kind === "DaemonSet" && controller === true) !== true &&
      !["Succeeded", "Failed"].includes(status?.phase ?? ""),
  );
}

async function evict(
  api: Api,
  version: string,
  { node, tries, seconds }: EvictOptions,
  { reporter, signal }: Pick<Context, "reporter" | "signal">,
): Promise<void> {
  const asked = new Set<string>();
  for (let left = tries; ; left -= 1) {
    const pods = movable(await podsOn(api, node));
    if (pods.length === 0) return;
    const refused: string[] = [];
    for (const { metadata } of pods) {
      const { name, namespace, uid } = metadata;
      if (asked.has(uid)) continue;
      const body = { apiVersion: `policy/${version}`, kind: "Eviction", metadata: { name, namespace } };
      const answer = await api.send("POST", `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, body);
      // 429: a budget says that one less would be too few just now. 404: it is gone.
      if (answer.status < 300 || answer.status === 404) asked.add(uid);
      else refused.push(`${namespace}/${name}: ${reasonOf(answer.text)}`);
    }
    if (left === 0 || signal.aborted) throw stuck(node, pods, refused);
    if (left % 15 === 0) reporter.info(`  waiting   ${pods.length} pods are still here`);
    await setTimeout(seconds * 1000, undefined, { signal }).catch(() => {});
  }
}

function stuck(node: string, pods: readonly Pod[], refused: readonly string[]): ExpectedError {
  const names = pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ");
  return new ExpectedError("APPLY_FAILED", `${node} is not drained, and nothing was taken back: ${names} stay`, {
    where: node,
    found: refused.join("; ") || "they were asked to end and have not",
    hint: `run it again; or ./install undo without --drain; or kubectl uncordon ${node}`,
  });
}

function reasonOf(text: string): string {
  return /"message":\s*"([^"]*)"/.exec(text)?.[1] ?? text.slice(0, 200);
}

async function settled(answer: ReturnType<Api["send"]>, what: string): Promise<void> {
  const { status, text } = await answer;
  if (status < 300 || status === 404) return;
  throw new ExpectedError("UNHEALTHY", `the cluster refuses to ${what}: ${reasonOf(text)}`, {
    found: `HTTP ${status}`,
  });
}
