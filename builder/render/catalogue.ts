/** Every templated file of a node: template → path, mode, role, and when it is made. PKI and kubeconfigs have tables of their own. */
import type { Role } from "#bundle";
import { readsFields } from "../config/field-rules.ts";
import {
  has,
  isAtLeast,
  type NodeContext,
  runsContainerd,
  runsDocker,
  runsFlanneld,
  usesLocalProxy,
  usesVip,
} from "./context.ts";
import { type ConfiguredDaemon, configurationText, type FieldRow } from "./configurations/configuration.ts";
import { containerdText } from "./configurations/containerd.ts";
import { kubeletFields } from "./configurations/kubelet.ts";
import { proxyFields } from "./configurations/kube-proxy.ts";
import { schedulerFields } from "./configurations/kube-scheduler.ts";
import * as data from "./data.ts";
import { apiserverFlags } from "./daemons/kube-apiserver.ts";
import { controllerManagerFlags } from "./daemons/kube-controller-manager.ts";
import { proxyFlags } from "./daemons/kube-proxy.ts";
import { schedulerFlags } from "./daemons/kube-scheduler.ts";
import { etcdFlags } from "./daemons/etcd.ts";
import { flanneldFlags } from "./daemons/flanneld.ts";
import { kubeletFlags } from "./daemons/kubelet.ts";
import { type FlagRow, flagsOf } from "./flags.ts";
import { admissionText } from "./admission.ts";
import { isHardened } from "./profile.ts";

export interface CatalogueEntry {
  /** Below manifests/. */
  readonly template: string;
  readonly path: (context: NodeContext) => string;
  readonly mode: "0644" | "0600";
  /** Read at logins of everybody. */
  readonly everyone?: true;
  readonly roles: readonly Role[];
  readonly sensitive?: boolean;
  readonly when?: (context: NodeContext) => boolean;
  /** Names for the template besides `topology`, `node` and `paths`. */
  readonly data?: (context: NodeContext) => Record<string, unknown>;
}

type When = (context: NodeContext) => boolean;

/** A daemon whose flags are rows of data. */
export interface Daemon {
  readonly name: string;
  readonly role: Role;
  readonly rows: readonly FlagRow[];
  readonly when: When;
}

const setsLimits: When = (c) => Object.keys(c.topology.cluster.host.limits).length > 0;
const kubernetes: When = (c) => c.topology.generation.daemons;
const both =
  (...conditions: When[]): When =>
  (c) =>
    conditions.every((condition) => condition(c));

/** Daemons with a unit `units/<name>.service.ejs` and a table of flags. */
export const daemons: readonly Daemon[] = [
  { name: "etcd", role: "etcd", rows: etcdFlags, when: () => true },
  { name: "kube-apiserver", role: "master", rows: apiserverFlags, when: kubernetes },
  { name: "kube-controller-manager", role: "master", rows: controllerManagerFlags, when: kubernetes },
  { name: "kube-scheduler", role: "master", rows: schedulerFlags, when: kubernetes },
  { name: "flanneld", role: "worker", rows: flanneldFlags, when: runsFlanneld },
  { name: "kubelet", role: "worker", rows: kubeletFlags, when: kubernetes },
  { name: "kube-proxy", role: "worker", rows: proxyFlags, when: kubernetes },
];

const everyone: readonly Role[] = ["etcd", "master", "worker"];
const unit = (name: string) => (context: NodeContext) => `${context.paths.units}/${name}`;
const config = (name: string) => (context: NodeContext) => `${context.paths.config}/${name}`;
const since =
  (version: string): When =>
  (c) =>
    isAtLeast(c, version);

const entry = (
  template: string,
  path: (context: NodeContext) => string,
  roles: readonly Role[],
  rest: Partial<CatalogueEntry> = {},
): CatalogueEntry => ({ template: `${template}.ejs`, path, mode: "0644", roles, ...rest });

const daemonUnits = daemons.map(({ name, role, rows, when }) =>
  entry(`units/${name}.service`, unit(`${name}.service`), [role], {
    when,
    data: (c) => ({ flags: flagsOf(rows, c, name), ...data.unitOrder(c, name) }),
  }),
);

const configuration = (daemon: ConfiguredDaemon, file: string, role: Role, rows: readonly FieldRow[]): CatalogueEntry =>
  entry(`configs/${daemon}.yaml`, config(file), [role], {
    when: since(readsFields[daemon]),
    data: (c) => ({ text: configurationText(rows, c, daemon) }),
  });

/** Configuration files of Kubernetes' daemons, from the version on that reads one. */
const configurations = [
  configuration("kubelet", "kubelet-config.yaml", "worker", kubeletFields),
  configuration("kube-proxy", "kube-proxy.yaml", "worker", proxyFields),
  configuration("kube-scheduler", "kube-scheduler.yaml", "master", schedulerFields),
];

export const catalogue: readonly CatalogueEntry[] = [
  ...daemonUnits,
  entry("units/containerd.service", unit("containerd.service"), ["worker"], {
    when: runsContainerd,
    data: (c) => ({ notifies: c.topology.generation.containerdNotifies }),
  }),
  entry("configs/containerd.toml", () => "/etc/containerd/config.toml", ["worker"], {
    when: runsContainerd,
    data: (c) => ({ text: containerdText(c) }),
  }),
  entry("configs/crictl.yaml", () => "/etc/crictl.yaml", ["worker"], {
    when: both(runsContainerd, (c) => c.binaries.has("crictl")),
  }),
  entry("units/docker.service", unit("docker.service"), ["worker"], { when: runsDocker, data: data.dockerUnit }),
  entry("configs/docker-daemon.json", () => "/etc/docker/daemon.json", ["worker"], {
    when: runsDocker,
    data: data.dockerSettings,
  }),

  ...configurations,
  entry("configs/resolv.conf", config("resolv.conf"), ["worker"], { when: kubernetes }),
  entry("configs/encryption-config.yaml", config("encryption-config.yaml"), ["master"], {
    mode: "0600",
    sensitive: true,
    when: both(since("1.11"), (c) => c.topology.cluster.encryptionAtRest),
    data: data.encryption,
  }),
  entry("configs/audit-policy.yaml", config("audit-policy.yaml"), ["master"], {
    when: both(since("1.11"), (c) => c.topology.cluster.audit),
    data: data.auditPolicy,
  }),
  entry("configs/admission.yaml", config("admission.yaml"), ["master"], {
    when: isHardened,
    data: (c) => ({ text: admissionText(c) }),
  }),
  entry("configs/token.csv", config("token.csv"), ["master"], {
    mode: "0600",
    sensitive: true,
    when: both(kubernetes, (c) => !isAtLeast(c, "1.11")),
    data: data.tokenFile,
  }),

  entry("units/kube-nginx.service", unit("kube-nginx.service"), ["master", "worker"], {
    when: usesLocalProxy,
    data: data.nginx,
  }),
  entry("configs/kube-nginx.conf", config("kube-nginx.conf"), ["master", "worker"], {
    when: usesLocalProxy,
    data: data.nginx,
  }),
  entry("units/haproxy.service", unit("haproxy.service"), ["master"], { when: usesVip, data: data.haproxy }),
  entry("configs/haproxy.cfg", () => "/etc/haproxy/haproxy.cfg", ["master"], { when: usesVip }),
  entry("units/keepalived.service", unit("keepalived.service"), ["master"], { when: usesVip, data: data.keepalived }),
  entry("configs/keepalived.conf", () => "/etc/keepalived/keepalived.conf", ["master"], {
    mode: "0600",
    when: usesVip,
    data: data.keepalived,
  }),

  entry("configs/10-flannel.conflist", (c) => `${c.paths.cniConfig}/10-flannel.conflist`, ["worker"], {
    when: both(
      kubernetes,
      (c) => c.topology.network.plugin === "flannel-etcd",
      (c) => !runsDocker(c),
    ),
  }),
  entry("configs/10-bridge.conflist", (c) => `${c.paths.cniConfig}/10-bridge.conflist`, ["worker"], {
    when: both(kubernetes, data.hasStaticSubnet),
    data: data.staticSubnet,
  }),
  entry("configs/99-loopback.conf", (c) => `${c.paths.cniConfig}/99-loopback.conf`, ["worker"], {
    when: both(kubernetes, data.hasStaticSubnet),
  }),
  entry("configs/profile.sh", () => "/etc/profile.d/kubeferry.sh", everyone, {
    everyone: true,
    when: (c) => c.topology.cluster.host.path,
  }),
  entry("configs/login-limits.conf", () => "/etc/security/limits.d/99-kubeferry.conf", everyone, {
    everyone: true,
    when: setsLimits,
    data: data.limits,
  }),
  entry("configs/service-limits.conf", () => "/etc/systemd/system.conf.d/99-kubeferry.conf", everyone, {
    everyone: true,
    when: setsLimits,
    data: data.limits,
  }),
  // On every node, whatever its roles: the copy of the installer there says how long its certificates hold.
  entry("units/kubeferry-expiry.service", unit("kubeferry-expiry.service"), everyone),
  entry("units/kubeferry-expiry.timer", unit("kubeferry-expiry.timer"), everyone),
  ...["service", "timer"].map((kind) =>
    entry(`units/kubeferry-snapshot.${kind}`, unit(`kubeferry-snapshot.${kind}`), ["etcd"], {
      when: (c) => c.topology.cluster.etcd.snapshots !== undefined,
      data: (c) => ({ ...c.topology.cluster.etcd.snapshots }),
    }),
  ),
  // What a master needs to know to judge requests for certificates, and to try the network.
  entry("configs/cluster.json", (c) => `${c.paths.own}/cluster.json`, ["master"], {
    when: kubernetes,
    data: data.clusterFacts,
  }),
  // Of secrets, and so sealed and not rendered, though an id by itself opens nothing.
  entry("configs/token-owners.json", (c) => `${c.paths.own}/token-owners.json`, ["master"], {
    mode: "0600",
    when: kubernetes,
    sensitive: true,
    data: data.tokenOwners,
  }),
  entry("units/kubeferry-approve.service", unit("kubeferry-approve.service"), ["master"], { when: kubernetes }),
  // A master that is no worker reaches the pods of aggregated APIs and webhooks by them.
  entry("units/kubeferry-routes.service", unit("kubeferry-routes.service"), ["master", "worker"], {
    when: both(kubernetes, (c) => has(c, "worker") || c.topology.network.plugin === "static-routes"),
    data: data.routes,
  }),
];

/** The mode of an entry on a node: with `profile: cis` root alone reads units and configuration files. */
export function modeOf({ mode, everyone }: CatalogueEntry, context: NodeContext): string {
  return isHardened(context) && everyone !== true ? "0600" : mode;
}

/** The entries that a node has. */
export function entriesOf(context: NodeContext): CatalogueEntry[] {
  return catalogue.filter(
    ({ roles, when }) => roles.some((role) => has(context, role)) && (when === undefined || when(context)),
  );
}
