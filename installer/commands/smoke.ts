/** `./install smoke`: a pod on every node, asked from this master on every address that it can be reached by; then all of it goes. */
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import { error, type Finding, refuseErrors, reportFindings } from "#cli/finding";
import { askAddress } from "../cluster/ask-address.ts";
import { type Cluster, type ClusterFacts, clusterFacts, clusterOf, ownFolder } from "../cluster/ask-cluster.ts";
import * as judged from "../checks/smoke.ts";
import type { Context } from "../context.ts";
import type { Host } from "../host/host.ts";
import { hostOf } from "../transaction/installation.ts";
import { describeEffect } from "../plan/print.ts";

export interface SmokeRequest {
  readonly dryRun: boolean;
  /** Leaves what was made, for a person to look at. */
  readonly keep: boolean;
  /** How long the pods have to become ready. */
  readonly timeoutSeconds: number;
  /** Default: this master's kubectl, the folder of Kubeferry's own files, this host's addresses. */
  readonly client?: readonly string[];
  readonly folder?: string;
  readonly addresses?: readonly string[];
}

interface Run {
  readonly request: SmokeRequest;
  readonly context: Context;
  readonly host: Host;
  readonly cluster: Cluster;
  readonly facts: ClusterFacts;
  readonly manifest: string;
}

const second = 1000;
/** kube-proxy hears of a pod some seconds after it is ready. */
const settleSeconds = 20;
/** Pods are given half a minute to end. */
const removalSeconds = 60;
/** So many failures tell enough: a host that is off would keep the others waiting for its every try. */
const enough = 3;
const inDefault = ["-n", "default"] as const;

/** UNHEALTHY (exit 9) where something does not answer, USAGE where this is no master or the bundle has no image for it. */
export async function smoke(request: SmokeRequest, context: Context): Promise<void> {
  const { reporter } = context;
  const host = hostOf("/");
  const facts = await clusterFacts(host, request.folder);
  const cluster = clusterOf(host, request.client);
  const run: Run = { request, context, host, cluster, facts, manifest: await manifestOf(host, request.folder) };
  const nodes = await nodesOf(cluster);
  const taking = nodes.filter(judged.takesPods).map(({ metadata }) => metadata.name);
  reporter.stage("smoke", `a pod on ${taking.length === 0 ? "no node" : taking.join(", ")}`);
  if (taking.length === 0)
    throw new ExpectedError("UNHEALTHY", "no node takes pods", {
      expected: "a node that is not cordoned",
      found: `${nodes.length} nodes`,
      hint: "kubectl get nodes",
    });
  if (request.dryRun) return tellDry(run);
  const findings = await tryOut(run);
  reportFindings(findings, reporter, true);
  refuseErrors(findings, "UNHEALTHY");
  reporter.info("All nodes run pods and reach each other.");
}

async function manifestOf(host: Host, folder = ownFolder): Promise<string> {
  const path = `${folder}/smoke.yaml`;
  if ((await host.stat(path)) !== null) return path;
  throw new ExpectedError(
    "USAGE",
    "the bundle has no image that could answer: the test takes the one of coredns or kube-dns, or a release's image called smoke",
    {
      where: path,
      expected: "addons: [coredns], or kube-dns, in cluster.yaml",
      found: "neither",
      hint: "kubeferry build cluster.yaml, with the addon; then ./install upgrade",
    },
  );
}

const applyOf = ({ cluster, manifest }: Run) => cluster.effect("apply", "-f", manifest);
const deleteOf = ({ cluster, manifest }: Run) => cluster.effect("delete", "-f", manifest, "--ignore-not-found=true");

function tellDry(run: Run): void {
  for (const effect of [applyOf(run), ...(run.request.keep ? [] : [deleteOf(run)])]) {
    run.context.reporter.record("effect", { ...effect });
    run.context.reporter.info(`  would ${describeEffect(effect)}`);
  }
}

/** Makes, asks, and takes away again, whatever came in between. */
async function tryOut(run: Run): Promise<Finding[]> {
  const { request, host } = run;
  let findings: Finding[];
  try {
    await host.perform(applyOf(run)).catch((error: unknown) => {
      throw refused(error);
    });
    findings = await findingsOf(run);
  } catch (error) {
    const left = request.keep ? null : await takeAway(run);
    if (left !== null) run.context.reporter.warn(left.message);
    throw error;
  }
  if (!request.keep) {
    const left = await takeAway(run);
    return left === null ? findings : [...findings, left];
  }
  run.context.reporter.info(`Left as it is. To remove it: ${deleteWords(run)}`);
  return findings;
}

function refused(error: unknown): unknown {
  if (!isExpected(error)) return error;
  const { where, hint } = error;
  return new ExpectedError("UNHEALTHY", `the cluster refused the test: ${messageOf(error)}`, { where, hint });
}

async function findingsOf(run: Run): Promise<Finding[]> {
  const { request, cluster, facts } = run;
  const { nodes, places } = await readyPlaces(run);
  const service = await cluster.get<judged.ServiceItem>(...inDefault, "service", judged.smokeName);
  const own = new Set(request.addresses ?? ownAddresses());
  const isNode = places.some(({ addresses }) => addresses.some((address) => own.has(address)));
  const questions = judged.questionsOf(places, service, isNode);
  return [
    ...nodes.filter((node) => !judged.takesPods(node)).map(judged.cordonedFinding),
    ...judged.podFindings(places, facts.pods),
    ...(await logFindings(cluster, places)),
    judged.portFinding(service, facts.nodePorts),
    ...(isNode ? [] : [judged.notNodeFinding]),
    ...(await ask(questions, run)),
  ];
}

/** Waits until every node's pod is ready, or for as long as was given; returns how it is then. */
async function readyPlaces({ request, context, cluster }: Run): Promise<{
  readonly nodes: readonly judged.NodeItem[];
  readonly places: readonly judged.SmokeTarget[];
}> {
  const { signal, reporter } = context;
  const until = performance.now() + request.timeoutSeconds * second;
  for (;;) {
    signal.throwIfAborted();
    const nodes = await nodesOf(cluster);
    const places = judged.targetsOf(nodes, await podsOf(cluster));
    const ready = places.filter(({ lacks }) => lacks === null).length;
    reporter.progress("pods", ready, places.length, "items");
    if (ready === places.length || performance.now() >= until) return { nodes, places };
    await sleep(second, undefined, { signal });
  }
}

/** All at once, each address one try after the other; what fails is asked again for a while. */
async function ask(questions: readonly judged.Question[], { request, context }: Run): Promise<Finding[]> {
  const { signal } = context;
  const until = performance.now() + Math.min(settleSeconds, request.timeoutSeconds) * second;
  return Promise.all(
    questions.map(async (question) => {
      for (;;) {
        const failures = await failuresOf(question, signal);
        signal.throwIfAborted();
        if (failures.length === 0 || performance.now() >= until) return judged.answerFinding(question, failures);
        await sleep(second, undefined, { signal });
      }
    }),
  );
}

async function failuresOf(question: judged.Question, signal: AbortSignal): Promise<string[]> {
  const failures: string[] = [];
  for (let count = 0; count < question.tries && failures.length < enough; count += 1) {
    const said = await askAddress(question, signal);
    if (said !== null) failures.push(said);
  }
  return failures;
}

/** A pod's log comes from its kubelet, by way of the API server: the serving certificates are tried with it. */
async function logFindings(cluster: Cluster, places: readonly judged.SmokeTarget[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { node, pod } of places) {
    if (pod === null) continue;
    const { code, said } = await cluster.try(...inDefault, "logs", pod.metadata.name, "--tail=1");
    findings.push(judged.logFinding(node, code === 0 ? null : said));
  }
  return findings;
}

/** Null when nothing of the test is left in the cluster; else what is, and how to be rid of it. */
async function takeAway(run: Run): Promise<Finding | null> {
  const { context, host, cluster } = run;
  if (context.signal.aborted) context.reporter.info("Removing what was made; to leave it, interrupt again.");
  const left = (found: string): Finding =>
    error("removal", `what was made for the test is still in the cluster; to remove it: ${deleteWords(run)}`, {
      found,
      hint: deleteWords(run),
    });
  try {
    await host.perform(deleteOf(run));
    const until = performance.now() + removalSeconds * second;
    for (;;) {
      const pods = await podsOf(cluster);
      if (pods.length === 0) return null;
      if (performance.now() >= until || context.signal.aborted)
        return judged.lingeringFinding(pods.map(({ metadata }) => metadata.name));
      await sleep(second);
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
    return left(messageOf(error));
  }
}

function deleteWords(run: Run): string {
  return `kubectl delete -f ${run.manifest} --ignore-not-found`;
}

async function nodesOf(cluster: Cluster): Promise<readonly judged.NodeItem[]> {
  return (await cluster.get<{ items: readonly judged.NodeItem[] }>("nodes")).items;
}

async function podsOf(cluster: Cluster): Promise<readonly judged.PodItem[]> {
  const labelled = ["pods", "-l", `app=${judged.smokeName}`] as const;
  return (await cluster.get<{ items: readonly judged.PodItem[] }>(...inDefault, ...labelled)).items;
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
