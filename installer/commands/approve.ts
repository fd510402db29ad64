/** `./install approve`: certificates for kubelets that are known, with exactly their names; the rest is told, with why. */
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import { type Cluster, clusterFacts, clusterOf, tokenOwners } from "../cluster/ask-cluster.ts";
import { type Asked, judge, type KnownNodes, type Registered, type Verdict } from "../certificates/approval.ts";
import { parseRequest } from "../certificates/request.ts";
import type { Context } from "../context.ts";
import type { Host } from "../host/host.ts";
import { hostOf } from "../transaction/installation.ts";

export interface ApproveRequest {
  readonly dryRun: boolean;
  /** Default: this master's kubectl, and the folder of Kubeferry's own files. */
  readonly client?: readonly string[];
  readonly folder?: string;
}

/** A CertificateSigningRequest, as far as it is judged. */
export interface RequestItem {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly request: string;
    readonly username?: string;
    readonly groups?: readonly string[];
    readonly signerName?: string;
    readonly usages?: readonly string[];
  };
  readonly status?: { readonly conditions?: readonly unknown[]; readonly certificate?: string };
}

interface NodeItem {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

export interface Judged {
  readonly name: string;
  readonly verdict: Verdict;
}

/** UNHEALTHY where the API does not answer, or refuses an approval; USAGE where this is no master. */
export async function approve(request: ApproveRequest, context: Context): Promise<void> {
  const { reporter } = context;
  const host = hostOf("/");
  const known = {
    ...(await clusterFacts(host, request.folder)),
    tokens: await tokenOwners(host, request.folder),
  };
  const cluster = clusterOf(host, request.client);
  const judged = await judgeAll(cluster, known);
  const good = judged.filter(({ verdict }) => verdict.approve);
  reporter.stage("approve", `${judged.length} requests wait, ${good.length} of them for what their node may have`);
  const failed: string[] = [];
  for (const { name, verdict } of judged) {
    const result = request.dryRun || !verdict.approve ? null : await perform(host, cluster, name);
    if (result !== null) failed.push(`${name}: ${result}`);
    const approved = verdict.approve && !request.dryRun && result === null;
    reporter.record("request", { name, approved, ...verdict });
    if (!verdict.approve) {
      reporter.warn(`${name} is left: ${verdict.why}`);
      const next = reporter.language.say("next: ");
      reporter.info(`         ${next}kubectl describe csr ${name}; kubectl certificate approve ${name}   or   deny`);
    } else if (result === null) {
      const what = `${verdict.use} certificate of ${verdict.node}`;
      reporter.info(`  ${request.dryRun ? "would approve" : "approved"}  ${name}: ${what}`);
    }
  }
  if (failed.length === 0) return;
  throw new ExpectedError("UNHEALTHY", `the cluster refused: ${failed.join("; ")}`, { hint: "kubectl get csr" });
}

/** Every request that nobody has decided on, with the verdict. */
async function judgeAll(cluster: Cluster, known: KnownNodes): Promise<Judged[]> {
  const { items } = await cluster.get<{ items: readonly RequestItem[] }>("certificatesigningrequests");
  const waiting = items.filter(isUndecided);
  if (waiting.length === 0) return [];
  const nodes = await cluster.get<{ items: readonly NodeItem[] }>("nodes");
  const registered = nodes.items.map(({ metadata, status }): Registered => ({
    name: metadata.name,
    addresses: (status?.addresses ?? []).map(({ address }) => address),
  }));
  return waiting.map((item) => ({
    name: item.metadata.name,
    verdict: judge(askedBy(item), known, registered),
  }));
}

export function isUndecided({ status }: RequestItem): boolean {
  return (status?.conditions ?? []).length === 0 && status?.certificate === undefined;
}

function askedBy({ metadata, spec }: RequestItem): Asked {
  const shared = {
    name: metadata.name,
    username: spec.username ?? "",
    groups: spec.groups ?? [],
    signer: spec.signerName ?? null,
    usages: spec.usages ?? [],
  };
  try {
    return { ...shared, request: parseRequest(Buffer.from(spec.request, "base64").toString("utf8")) };
  } catch (error) {
    return { ...shared, request: null, unread: `its request cannot be read: ${messageOf(error)}` };
  }
}

/** Null when it is done; else what the cluster said. One that was decided in the meantime is not decided again. */
async function perform(host: Host, cluster: Cluster, name: string): Promise<string | null> {
  try {
    await host.perform(cluster.effect("certificate", "approve", name));
    return null;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return error.message;
  }
}
