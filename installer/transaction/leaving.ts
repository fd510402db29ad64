/** What undo says where the cluster goes on without this host. */
import type { Context } from "../context.ts";
import type { HostReader } from "../host/host.ts";
import type { Transaction } from "../journal/transaction.ts";
import { isShared } from "../journal/undo.ts";
import { etcdClient } from "../plan/upgrade.ts";
import { resourceOf } from "../resources/catalogue.ts";
import { askMembers } from "../resources/etcd-start.ts";
import { isUnknown, type OtherNodes } from "../resources/resource.ts";

/** `chosen`: newest first. May only look. */
export async function tellLeaving(
  host: HostReader,
  chosen: readonly Transaction[],
  others: OtherNodes,
  { reporter }: Context,
): Promise<void> {
  const shared = chosen.flatMap(({ changes }) => changes).filter(({ change }) => isShared(change, others));
  const names = [...new Set(shared.map(({ change }) => resourceOf(change).describe(change.id)))];
  const nodes = [...new Set([...others.master, ...others.etcd])].join(", ");
  if (names.length > 0) reporter.info(`The cluster goes on with ${nodes}, and these stay in it: ${names.join(", ")}.`);
  const node = chosen[0]?.header.node.name;
  if (node === undefined || others.etcd.length === 0 || !(await isMember(host, chosen, node))) return;
  const remedy = `./install remove-node ${node}, on another master, before this`;
  reporter.warn(`etcd goes on counting ${node}, and bears the loss of one member less: ${remedy}`);
}

async function isMember(host: HostReader, chosen: readonly Transaction[], node: string): Promise<boolean> {
  const client = host.live ? etcdClient(chosen) : null;
  if (client === null) return false;
  const members = await askMembers(host, client);
  return !isUnknown(members) && members.some(({ name }) => name === node);
}
