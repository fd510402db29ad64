/**
 * `./install remove-node`, on a master: the cluster lets go of a node. Its pods go elsewhere, its etcd member and its Node
 * are removed, its bootstrap token and its requests for certificates with them. The host itself is `./install undo`'s.
 */
import { ExpectedError } from "#cli/errors";
import { adminKubeconfig } from "../certificates/kubeconfig.ts";
import { kubeconfigOf } from "../certificates/kubelet-client.ts";
import { type Api, apiWith } from "../cluster/ask-api.ts";
import { ownEtcd } from "../cluster/ask-etcd.ts";
import { cordonAndEvict, patience } from "../cluster/drain.ts";
import type { Context } from "../context.ts";
import type { Effect } from "../host/effect.ts";
import type { Host } from "../host/host.ts";
import type { Transaction } from "../journal/transaction.ts";
import { describeEffect } from "../plan/print.ts";
import { etcdClient } from "../plan/upgrade.ts";
import { askMembers } from "../resources/etcd-start.ts";
import { isUnknown } from "../resources/resource.ts";
import { confirm } from "../transaction/confirm.ts";
import { openInstallation } from "../transaction/installation.ts";

export interface RemoveNodeRequest {
  readonly node: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly data?: Readonly<Record<string, string>>;
    readonly spec?: { readonly username?: string };
  }[];
}

/** USAGE where nothing can be asked from here, or nothing is known of the node; UNHEALTHY, APPLY_FAILED. */
export async function removeNode(request: RemoveNodeRequest, context: Context): Promise<void> {
  const { node, dryRun } = request;
  const { reporter } = context;
  const { host, past, current } = openInstallation("/");
  if (current.some(({ header }) => header.node.name === node)) {
    throw new ExpectedError("USAGE", `${node} is this very host`, { hint: "./install undo --drain" });
  }
  const admin = await kubeconfigOf(host, adminKubeconfig);
  const api = admin === null ? null : apiWith(admin);
  const removals = await membersNamed(host, past, node);
  const paths = api === null ? [] : await traces(api, node);
  const isNode = api !== null && (await has(api, `/api/v1/nodes/${node}`));
  if (!isNode && paths.length === 0 && removals.length === 0) throw unknown(node, api !== null, past);
  reporter.stage("remove", node);
  if (isNode) reporter.info(`  drain     ${node}`);
  for (const effect of removals) reporter.info(`  ${describeEffect(effect)}`);
  for (const path of [...(isNode ? [`/api/v1/nodes/${node}`] : []), ...paths]) reporter.info(`  delete    ${path}`);
  if (!dryRun) {
    if (!request.yes) await confirm(`Remove ${node} from the cluster now?`, context);
    // Its Node goes last: what fails before leaves a node that is told to be out of service.
    if (api !== null && isNode) await cordonAndEvict(api, { node, dryRun, ...patience }, context);
    for (const effect of removals) await host.perform(effect);
    for (const path of [...paths, ...(isNode ? [`/api/v1/nodes/${node}`] : [])]) {
      if (api !== null) await remove(api, path);
    }
    reporter.record("removed", { node, members: removals.length, objects: paths.length + (isNode ? 1 : 0) });
  }
  tellWhatStays(node, isNode, context);
}

/** What Kubernetes cannot take back, and where the rest is done. */
function tellWhatStays(node: string, isNode: boolean, { reporter }: Context): void {
  if (isNode) {
    const end = `until its certificate ends (./install certificates, there) or the CA is another`;
    reporter.warn(`Kubernetes revokes no certificate: ${node}'s kubelet can register again ${end}`);
  }
  reporter.info(`Next, on ${node}: ./install undo --delete-data`);
  reporter.info(`Then take ${node} out of cluster.yaml: a later build makes it no certificate and no token.`);
}

/** By the member that is on this host; none where there is none. */
async function membersNamed(host: Host, past: readonly Transaction[], node: string): Promise<Effect[]> {
  if (etcdClient(past) === null) return [];
  const { argv, environment } = ownEtcd(past);
  const members = await askMembers(host, { argv, environment });
  if (isUnknown(members))
    throw new ExpectedError("UNHEALTHY", `etcd does not answer: ${members.unknown}`, { hint: "./install status" });
  return members
    .filter(({ name }) => name === node)
    .map(({ id }) => ({
      ...{ do: "run", argv: [...argv, "member", "remove", id], environment: { ...environment } },
      ...{ timeoutSeconds: 60, retry: "unhealthy cluster" },
    }));
}

/** Objects by which it could get, or was to get, credentials. */
async function traces(api: Api, node: string): Promise<string[]> {
  const secrets = "/api/v1/namespaces/kube-system/secrets";
  const tokens = await api.get<Listed>(`${secrets}?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken`);
  const description = Buffer.from(`kubelet of ${node}`).toString("base64");
  const own = tokens.items.filter(({ data }) => data?.["description"] === description);
  const requests = await csrPath(api);
  const asked = requests === null ? [] : (await api.get<Listed>(requests)).items;
  const pending = asked.filter(({ spec }) => spec?.username === `system:node:${node}`);
  return [
    ...own.map(({ metadata }) => `${secrets}/${metadata.name}`),
    ...pending.map(({ metadata }) => `${requests}/${metadata.name}`),
  ];
}

/** `v1` from Kubernetes 1.19 on. */
async function csrPath(api: Api): Promise<string | null> {
  const { groups } = await api.get<{ groups: { name: string; preferredVersion: { version: string } }[] }>("/apis");
  const group = groups.find(({ name }) => name === "certificates.k8s.io");
  return group === undefined
    ? null
    : `/apis/certificates.k8s.io/${group.preferredVersion.version}/certificatesigningrequests`;
}

async function has(api: Api, path: string): Promise<boolean> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const { items } = await api.get<Listed>(path.slice(0, path.lastIndexOf("/")));
  return items.some(({ metadata }) => metadata.name === name);
}

async function remove(api: Api, path: string): Promise<void> {
  const { status, text } = await api.send("DELETE", path);
  if (status < 300 || status === 404) return;
  throw new ExpectedError("UNHEALTHY", `the cluster refuses to delete: ${text.slice(0, 200)}`, { where: path });
}

function unknown(node: string, asked: boolean, past: readonly Transaction[]): ExpectedError {
  if (!asked && etcdClient(past) === null) {
    return new ExpectedError("USAGE", "this host is no master and no member of etcd", { hint: "run it on a master" });
  }
  return new ExpectedError("USAGE", `the cluster knows nothing of ${node}`, { hint: "kubectl get nodes" });
}
