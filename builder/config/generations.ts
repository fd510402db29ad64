/**
 * What a generation of deployments is, as data: where files lie, and which defaults it takes. What a component can read
 * and do is asked by its own version (versions.ts); nothing in the builder asks for a generation by name.
 */
import type { ReleaseManifest } from "./release.ts";

type GenerationName = ReleaseManifest["generation"];

export interface Generation {
  /** Folder of the cluster's certificates, keys and CA. */
  readonly pki: string;
  readonly etcdPki: string;
  /** Where the kubelet keeps what it was issued. */
  readonly kubeletPki: string;
  /** Whether containerd tells systemd when it is up. */
  readonly containerdNotifies: boolean;
  /** Whether docker is given our containerd; otherwise it starts its own. */
  readonly dockerUsesContainerd: boolean;
  readonly cgroupDriver: "cgroupfs" | "systemd";
  readonly plugin: "flannel" | "flannel-etcd" | "calico" | "static-routes";
  readonly proxyMode: "iptables" | "ipvs" | "nftables";
  readonly addons: readonly string[];
  /** Node label and taint of masters. */
  readonly masterRole: "master" | "control-plane";
}

const current = {
  pki: "/etc/kubernetes/pki",
  etcdPki: "/etc/kubernetes/pki/etcd",
  kubeletPki: "/var/lib/kubelet/pki",
  containerdNotifies: true,
  dockerUsesContainerd: true,
  cgroupDriver: "systemd",
  plugin: "flannel",
  proxyMode: "nftables",
  addons: ["coredns", "metrics-server"],
  masterRole: "control-plane",
} satisfies Generation;

const former = {
  pki: "/etc/kubernetes/cert",
  etcdPki: "/etc/etcd/cert",
  kubeletPki: "/etc/kubernetes/cert",
  containerdNotifies: false,
  dockerUsesContainerd: false,
  cgroupDriver: "cgroupfs",
  plugin: "flannel-etcd",
  proxyMode: "ipvs",
  addons: ["coredns"],
  masterRole: "master",
} satisfies Generation;

const oldest = { pki: "/etc/kubernetes/ssl", etcdPki: "/etc/etcd/ssl", kubeletPki: "/etc/kubernetes/ssl" };

/** A record for every generation that a release manifest may name: what it has otherwise than its neighbour. */
export const generations: Readonly<Record<GenerationName, Generation>> = {
  distro: { ...current, plugin: "static-routes", proxyMode: "iptables", addons: [], masterRole: "master" },
  "1.6": { ...former, ...oldest, proxyMode: "iptables", addons: ["kube-dns"] },
  "1.11": former,
  "1.16": { ...former, plugin: "calico", addons: ["coredns", "metrics-server"] },
  "1.36": current,
};
