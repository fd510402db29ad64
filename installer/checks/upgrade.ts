/** Preflight of a bundle over an older one: may this version follow that one, and will the cluster serve meanwhile? */
import type { Bundle } from "#bundle";
import { error, type Finding, ok, warning } from "#cli/finding";
import type { HostReader } from "../host/host.ts";
import { currentTransactions, installedGoals } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import { idsOf } from "../resources/catalogue.ts";
import type { Plan } from "../resources/resource.ts";
import type { Selection } from "../plan/select.ts";
import { etcdClient, etcdUnit, olderInstallations, willChange } from "../plan/upgrade.ts";
import { apiVersion } from "../cluster/api-version.ts";
import { replay } from "./replay.ts";
import { sameKeys } from "./same-keys.ts";
import { eachOf, familyOf } from "#formats/address";
import { parseVersion } from "#formats/version";
import { etcdSkew, kubeletSkew, kubernetesSkew } from "./skew.ts";

/** What preflight has. */
export interface UpgradeCheckInput {
  readonly host: HostReader;
  readonly bundle: Pick<Bundle, "index" | "payloadDigest">;
  readonly selection: Selection;
  readonly plan: Plan;
  readonly past: readonly Transaction[];
}

/** How the version of the API server is found out, from a kubeconfig's text. */
export type AskVersion = (kubeconfig: string) => Promise<string | null>;

/** [] where no older bundle is installed for these roles. */
export async function upgradeChecks(input: UpgradeCheckInput, ask: AskVersion = apiVersion): Promise<Finding[]> {
  const { past, bundle, selection, plan, host } = input;
  const { roles } = selection;
  const older = olderInstallations({ past, payload: bundle.payloadDigest, roles });
  const last = older.at(-1);
  if (last === undefined) return renewed(past);
  const from = last.header.bundle;
  const to = bundle.index.release;
  return [
    ...renewed(past),
    ...replay(from, bundle.index),
    ...kubernetesSkew(from, to),
    ...(roles.includes("etcd") ? etcdSkew(from, to) : []),
    ...sameNode(last, input),
    ...sameFamilies(older, input),
    ...(await sameKeys(input)),
    ...together(input),
    ...(await kubelet(input, from.kubernetes ?? null, ask)),
    ...(host.live && willChange(etcdUnit, plan, past) ? await etcdMembers(input, last) : []),
  ];
}

/** What was signed on this node is in no bundle. */
function renewed(past: readonly Transaction[]): Finding[] {
  const one = past.find(({ state, header }) => state !== "gone" && header.action === "renew");
  if (one === undefined) return [];
  const message = `certificates that were renewed on ${one.at.slice(0, 10)} give way to those of the bundle`;
  const hint = "./install renew   afterwards, if the bundle's end sooner";
  return [warning("renewed", message, { hint })];
}

function sameNode({ header }: Transaction, { selection }: UpgradeCheckInput): Finding[] {
  const { name, ip } = header.node;
  if (name === selection.name && ip === selection.ip) return [];
  return [
    error("same-node", "this host is another node of the cluster", {
      expected: `${name} (${ip})`,
      found: `${selection.name} (${selection.ip})`,
      hint: `./install upgrade --ip ${ip}; to make it another node: ./install undo first`,
    }),
  ];
}

const familiesOf = (ranges: string): string => eachOf(ranges).map(familyOf).join();

/** A Node keeps the ranges of pods that it was given: flannel and pods would wait in vain for one of the other family. */
function sameFamilies(older: readonly Transaction[], { bundle }: UpgradeCheckInput): Finding[] {
  const goals = older.flatMap(({ phases }) => phases.flatMap((phase) => phase.goals));
  const before = idsOf("grown-interfaces", goals).at(-1)?.pods;
  const { podCidr } = bundle.index.cluster;
  if (before === undefined || familiesOf(before) === familiesOf(podCidr)) return [];
  const message =
    "a cluster does not go to IPv6 or to dual stack, or back, by an upgrade: its nodes keep the ranges that they were given";
  const hint =
    "keep network.pods in cluster.yaml as it was; or ./install undo on every node, and install the cluster anew";
  return [error("networks", message, { expected: before, found: podCidr, hint })];
}

function together({ past, bundle, selection }: UpgradeCheckInput): Finding[] {
  const behind = currentTransactions(past)
    .filter(({ header }) => header.bundle.payload !== bundle.payloadDigest)
    .flatMap(({ header }) => header.roles)
    .filter((role) => !selection.roles.includes(role));
  if (behind.length === 0) return [];
  const roles = [...new Set([...selection.roles, ...behind])].join(",");
  const message = `this host stays ${[...new Set(behind)].join(" and ")} of the older bundle`;
  const hint = `./install upgrade --role ${roles}   upgrades all of it at once`;
  return [warning("one-bundle", message, { hint })];
}

async function kubelet(input: UpgradeCheckInput, from: string | null, ask: AskVersion): Promise<Finding[]> {
  const { selection, bundle, host, past } = input;
  const { kubernetes } = bundle.index.release;
  const [old, next] = [parseVersion(from), parseVersion(kubernetes)];
  const changes = old !== null && next !== null && (old.minor !== next.minor || old.major !== next.major);
  if (!changes || !selection.roles.includes("worker")) return [];
  const masters = bundle.index.nodes.filter(({ roles }) => roles.includes("master"));
  if (selection.roles.includes("master")) {
    if (masters.length < 2) return [];
    const message = "until the other masters are upgraded, this kubelet is newer than their API servers";
    const hint = "upgrade --role etcd,master on every master first, then --role worker everywhere";
    return [warning("kubelet-skew", message, { hint })];
  }
  if (!host.live) return [];
  const paths = [...installedGoals(past).keys()].filter((path) => path.endsWith("/kube-proxy.kubeconfig"));
  const text = paths[0] === undefined ? null : await host.read(paths[0]);
  return kubeletSkew(kubernetes, text === null ? null : await ask(text));
}

/** Every member must be there before one is restarted, or the cluster stops serving while it is away. */
async function etcdMembers({ host, past }: UpgradeCheckInput, last: Transaction): Promise<Finding[]> {
  const client = etcdClient(past);
  if (client === null) return [];
  const argv = [...client.argv, "endpoint", "health", ...(last.header.alone ? [] : ["--cluster"])];
  const { code, stdout, stderr } = await host.query(argv, { environment: client.environment, timeoutSeconds: 60 });
  const check = "etcd-members";
  if (code === 0) return [ok(check, "every member of etcd is healthy")];
  const said = `${stdout}\n${stderr}`.split("\n").filter((line) => /unhealthy|error|refused|deadline/i.test(line));
  return [
    error(check, "a member of etcd is not healthy, and this one would be away while it restarts", {
      found: said.slice(0, 3).join("; ").slice(0, 300) || `code ${code}`,
      hint: argv.join(" "),
    }),
  ];
}
