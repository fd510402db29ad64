/** calico, as pods. */
import { apiServerOfHosts } from "../../config/topology.ts";
import { available } from "../check.ts";
import type { Component } from "../component.ts";
import { neededImage, type NodeContext, plugin } from "../context.ts";

/** The definitions of its own resources come as a file with later releases. */
const bringsCrds = (c: NodeContext): boolean => c.binaries.has("calico-crds.yaml");

const resources = [
  ["felixconfigurations", "FelixConfiguration", "Cluster"],
  ["ipamblocks", "IPAMBlock", "Cluster"],
  ["blockaffinities", "BlockAffinity", "Cluster"],
  ["ipamhandles", "IPAMHandle", "Cluster"],
  ["ipamconfigs", "IPAMConfig", "Cluster"],
  ["bgppeers", "BGPPeer", "Cluster"],
  ["bgpconfigurations", "BGPConfiguration", "Cluster"],
  ["ippools", "IPPool", "Cluster"],
  ["hostendpoints", "HostEndpoint", "Cluster"],
  ["clusterinformations", "ClusterInformation", "Cluster"],
  ["globalnetworkpolicies", "GlobalNetworkPolicy", "Cluster"],
  ["globalnetworksets", "GlobalNetworkSet", "Cluster"],
  ["networkpolicies", "NetworkPolicy", "Namespaced"],
  ["networksets", "NetworkSet", "Namespaced"],
] as const;

export const calico: Component = {
  name: "calico",
  roles: ["worker"],
  when: plugin("calico"),
  // BGP, and IPIP for its tunnel.
  host: () => ({ ports: [{ port: "179", protocol: "tcp" }], protocols: [4] }),
  objects: [
    { name: "calico-crds.yaml", brought: true, when: bringsCrds },
    {
      name: "calico.yaml",
      data: (c) => ({
        old: !bringsCrds(c),
        resources,
        image: neededImage(c, "node"),
        cni: neededImage(c, "cni"),
        controllers: neededImage(c, "kube-controllers"),
        api: apiServerOfHosts(c.topology),
      }),
    },
  ],
  checks: [available("daemonset", "calico-node"), available("deployment", "calico-kube-controllers")],
  written: ({ paths: { cniBinaries, cniConfig } }) =>
    [
      { path: `${cniConfig}/10-calico.conflist` },
      { path: `${cniConfig}/calico-kubeconfig`, credential: true },
      { path: `${cniBinaries}/calico` },
      { path: `${cniBinaries}/calico-ipam` },
    ].map((row) => ({ ...row, by: "the pod of calico" })),
};
