/** The one table of what Kubeferry can change on a host. The names are those in the journal. */
import { block } from "./block.ts";
import { directory } from "./directory.ts";
import { etcdData } from "./etcd-data.ts";
import { file } from "./file.ts";
import { firewall } from "./firewall.ts";
import { cgroups } from "./grown/cgroups.ts";
import { interfaces } from "./grown/interfaces.ts";
import { leftovers } from "./grown/leftovers.ts";
import { modules } from "./grown/modules.ts";
import { mounts } from "./grown/mounts.ts";
import { netfilter } from "./grown/netfilter.ts";
import { pods } from "./grown/pods.ts";
import { traces } from "./grown/traces.ts";
import { values } from "./grown/values.ts";
import { virtualServers } from "./grown/virtual-servers.ts";
import { hostname } from "./hostname.ts";
import { image } from "./image.ts";
import { module, sysctl } from "./kernel.ts";
import { kubeconfigTrust } from "./kubeconfig-trust.ts";
import { nftables } from "./nftables.ts";
import { object } from "./object.ts";
import { osPackages } from "./package.ts";
import type { Goal, Resource } from "./resource.ts";
import { selinux } from "./selinux.ts";
import { service } from "./service.ts";
import { swap } from "./swap.ts";
import { unit } from "./unit.ts";

const catalogue = {
  file,
  directory,
  unit,
  module,
  sysctl,
  swap,
  block,
  "kubeconfig-trust": kubeconfigTrust,
  hostname,
  service,
  selinux,
  firewall,
  nftables,
  package: osPackages,
  image,
  object,
  "etcd-data": etcdData,
  "grown-pods": pods,
  "grown-processes": leftovers,
  "grown-cgroups": cgroups,
  "grown-mounts": mounts,
  "grown-rules": netfilter,
  "grown-virtual-servers": virtualServers,
  "grown-interfaces": interfaces,
  "grown-files": traces,
  "grown-values": values,
  "grown-modules": modules,
};

type Catalogue = typeof catalogue;
type IdOf<Name extends keyof Catalogue> = Catalogue[Name] extends Resource<infer Id, infer _> ? Id : never;

/** A goal with its resource's own id. */
export function goal<Name extends keyof Catalogue>(resource: Name, id: IdOf<Name>): Goal {
  return { resource, id };
}

/** The resource of a goal or change. A name that is not in the table is a bug, or a journal of a newer installer. */
export function resourceOf({ resource }: Pick<Goal, "resource">): Resource<unknown, unknown> {
  const found = (catalogue as Partial<Record<string, unknown>>)[resource];
  if (found === undefined) throw new Error(`there is no resource ${resource}`);
  // Each id and state was made by the very resource that is looked up here, and has been JSON at most in between.
  return found as Resource<unknown, unknown>;
}

export function nameOf(one: Pick<Goal, "resource" | "id">): string {
  return resourceOf(one).name(one.id);
}

/** The ids of all that is wanted of one resource. */
export function idsOf<Name extends keyof Catalogue>(
  resource: Name,
  all: readonly Pick<Goal, "resource" | "id" | "back">[],
): IdOf<Name>[] {
  return of(resource, all)
    .filter(({ back }) => back === undefined)
    .map(({ id }) => id as IdOf<Name>);
}

/** Those of one resource. */
export function of<One extends Pick<Goal, "resource">>(resource: keyof Catalogue, all: readonly One[]): One[] {
  return all.filter((one) => one.resource === resource);
}

/** All that a plan, or a transaction, wants. */
export function goalsIn({ phases }: { readonly phases: readonly { readonly goals: readonly Goal[] }[] }): Goal[] {
  return phases.flatMap(({ goals }) => goals);
}
