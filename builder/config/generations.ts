/**
 * What a generation of Kubernetes is, as data: where its files lie, which defaults it takes, which formats it reads.
 * Flags that differ are rows in builder/render/daemons; nothing else in the builder asks for a generation by name.
 */
import type { ReleaseManifest } from "./release.ts";

export type GenerationName = ReleaseManifest["generation"];

/** The order in which things appeared and vanished. `distro` has the formats of `1.16` and no Kubernetes daemons. */
export const eras = ["1.6", "1.11", "1.16", "1.36"] as const;
export type Era = (typeof eras)[number];

export interface Generation {
  readonly era: Era;
  /** Whether Kubernetes' own daemons are rendered. */
  readonly daemons: boolean;
  /** Folder of the cluster's certificates, keys and CA. */
  readonly pki: string;
  readonly etcdPki: string;
  /** Where the kubelet keeps what it was issued. */
  readonly kubeletPki: string;
  /** `version` of containerd's configuration file. */
  readonly containerdConfig: 2 | 3;
  /** Whether containerd tells systemd when it is up. */
  readonly containerdNotifies: boolean;
  /** Whether docker is given our containerd; otherwise it starts its own. */
  readonly dockerUsesContainerd: boolean;
  readonly cgroupDriver: "cgroupfs" | "systemd";
  /** etcdctl's API for flannel's key; `null`: flannel does not use etcd by default. */
  readonly etcdApiOfFlannel: "2" | "3";
  readonly plugin: "flannel" | "flannel-etcd" | "calico" | "static-routes";
  readonly proxyMode: "iptables" | "ipvs" | "nftables";
  readonly addons: readonly string[];
  /** Node label and taint of masters. */
  readonly masterRole: "master" | "control-plane";
}

/** A record for every generation that a release manifest may name. */
export const generations: Readonly<Record<GenerationName, Generation>> = {
  distro: {
    era: "1.16",
    daemons: false,
    pki: "/etc/kubernetes/pki",
    etcdPki: "/etc/kubernetes/pki/etcd",
    kubeletPki: "/var/lib/kubelet/pki",
    containerdConfig: 2,
    containerdNotifies: true,
    dockerUsesContainerd: true,
    cgroupDriver: "systemd",
    etcdApiOfFlannel: "3",
    plugin: "static-routes",
    proxyMode: "iptables",
    addons: [],
    masterRole: "master",
  },
  "1.6": {
    era: "1.6",
    daemons: true,
    pki: "/etc/kubernetes/ssl",
    etcdPki: "/etc/etcd/ssl",
    kubeletPki: "/etc/kubernetes/ssl",
    containerdConfig: 2,
    containerdNotifies: false,
    dockerUsesContainerd: false,
    cgroupDriver: "cgroupfs",
    etcdApiOfFlannel: "2",
    plugin: "flannel-etcd",
    proxyMode: "iptables",
    addons: ["kube-dns"],
    masterRole: "master",
  },
  "1.11": {
    era: "1.11",
    daemons: true,
    pki: "/etc/kubernetes/cert",
    etcdPki: "/etc/etcd/cert",
    kubeletPki: "/etc/kubernetes/cert",
    containerdConfig: 2,
    containerdNotifies: false,
    dockerUsesContainerd: false,
    cgroupDriver: "cgroupfs",
    etcdApiOfFlannel: "2",
    plugin: "flannel-etcd",
    proxyMode: "ipvs",
    addons: ["coredns"],
    masterRole: "master",
  },
  "1.16": {
    era: "1.16",
    daemons: true,
    pki: "/etc/kubernetes/cert",
    etcdPki: "/etc/etcd/cert",
    kubeletPki: "/etc/kubernetes/cert",
    containerdConfig: 2,
    containerdNotifies: false,
    dockerUsesContainerd: false,
    cgroupDriver: "cgroupfs",
    etcdApiOfFlannel: "2",
    plugin: "calico",
    proxyMode: "ipvs",
    addons: ["coredns", "metrics-server"],
    masterRole: "master",
  },
  "1.36": {
    era: "1.36",
    daemons: true,
    pki: "/etc/kubernetes/pki",
    etcdPki: "/etc/kubernetes/pki/etcd",
    kubeletPki: "/var/lib/kubelet/pki",
    containerdConfig: 3,
    containerdNotifies: true,
    dockerUsesContainerd: true,
    cgroupDriver: "systemd",
    etcdApiOfFlannel: "3",
    plugin: "flannel",
    proxyMode: "nftables",
    addons: ["coredns", "metrics-server"],
    masterRole: "control-plane",
  },
};

/** Whether `era` lies between two eras, both included; an absent end is open. */
export function isWithin(era: Era, from: Era | null, until: Era | null): boolean {
  const at = eras.indexOf(era);
  return (from === null || at >= eras.indexOf(from)) && (until === null || at <= eras.indexOf(until));
}
