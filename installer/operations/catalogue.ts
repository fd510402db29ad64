/** The one table of what Kubeferry can do to a host. The names are those in the journal: never rename one. */
import { absentBlock, absentDirectory, absentFile, absentUnit } from "./absent.ts";
import { block } from "./block.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";
import { firewall } from "./firewall.ts";
import { absentHostUnit, absentImage, absentModule, absentObject, absentPackages, absentSysctl } from "./given-back.ts";
import { grownKind } from "./grown/grown.ts";
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
import { hosts } from "./hosts.ts";
import { image } from "./image.ts";
import { module, sysctl } from "./kernel.ts";
import { labels } from "./labels.ts";
import { nftables } from "./nftables.ts";
import { object } from "./object.ts";
import type { Change, Kind, Operation } from "./operation.ts";
import { osPackages } from "./package.ts";
import { selinux } from "./selinux.ts";
import { service } from "./service.ts";
import { snapshot } from "./snapshot.ts";
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
  hosts,
  hostname,
  service,
  selinux,
  firewall,
  nftables,
  labels,
  package: osPackages,
  image,
  object,
  "absent-file": absentFile,
  "absent-directory": absentDirectory,
  "absent-unit": absentUnit,
  "absent-block": absentBlock,
  "absent-sysctl": absentSysctl,
  "absent-module": absentModule,
  "absent-image": absentImage,
  "absent-object": absentObject,
  "absent-package": absentPackages,
  "absent-host-unit": absentHostUnit,
  snapshot,
  "grown-pods": grownKind(pods),
  "grown-processes": grownKind(leftovers),
  "grown-mounts": grownKind(mounts),
  "grown-rules": grownKind(netfilter),
  "grown-virtual-servers": grownKind(virtualServers),
  "grown-interfaces": grownKind(interfaces),
  "grown-files": grownKind(traces),
  "grown-values": grownKind(values),
  "grown-modules": grownKind(modules),
};

export type KindName = keyof typeof catalogue;
type SpecOf<K> = K extends Kind<infer Spec, infer _> ? Spec : never;

/** An operation with its kind's own spec. */
export function operation<Name extends KindName>(kind: Name, spec: SpecOf<(typeof catalogue)[Name]>): Operation {
  return { kind, spec };
}

/** The kind of an operation or change. A name that is not in the table is a bug, or a journal of a newer installer. */
export function kindOf({ kind }: Operation | Change): Kind<unknown, unknown> {
  const found = (catalogue as Partial<Record<string, unknown>>)[kind];
  if (found === undefined) throw new Error(`no kind of operation is called ${kind}`);
  // Each spec and before was made by the very kind that is looked up here, and has been JSON at most in between.
  return found as Kind<unknown, unknown>;
}
