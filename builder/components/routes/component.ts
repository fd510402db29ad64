/** Ways of a node to services and, with the network `static-routes`, to other nodes' pods, whose bridge is then made here too. */
import { addressText, familyOf, network } from "#formats/address";
import { nodeMask } from "../../config/node-mask.ts";
import type { Component } from "../component.ts";
import { has, kubernetes, type NodeContext, path, plugin } from "../context.ts";

const isStatic = plugin("static-routes");

export const routes: Component = {
  name: "routes",
  roles: ["worker"],
  when: kubernetes,
  units: [
    // A master that is no worker reaches the pods of aggregated APIs and webhooks by them.
    {
      name: "kubeferry-routes.service",
      start: 65,
      roles: ["master", "worker"],
      // Of a cluster that has no workers yet it would be a unit without a command, which systemd refuses.
      when: (c) => has(c, "worker") || (isStatic(c) && c.topology.workers.length > 0),
      data: waysOf,
    },
  ],
  files: [
    {
      name: "10-bridge.conflist",
      path: path("cniConfig", "10-bridge.conflist"),
      when: hasSubnet,
      data: (c) => ({
        ranges: c.topology.network.pods.map((pods) => subnetOf(c, c.node.name, pods)),
        mtu: c.topology.network.mtu,
      }),
    },
    { name: "99-loopback.conf", path: path("cniConfig", "99-loopback.conf"), when: hasSubnet },
  ],
};

/** With host routes each listed worker has the /24, or of IPv6 the /64, of its place in the list; a profile cannot have one. */
function hasSubnet(context: NodeContext): boolean {
  return isStatic(context) && context.node.subnet === null;
}

interface Ways {
  /** Programs that take them: `ip`, or `ip -6`; `iptables`, or `ip6tables`. */
  readonly ip: string;
  readonly iptables: string;
  readonly routes: readonly string[];
  readonly rules: readonly { readonly into: string; readonly rule: string }[];
}

/** Of each family of which the node has an address. */
function waysOf(context: NodeContext): { ways: Ways[] } {
  const { ips } = context.node;
  return { ways: context.topology.network.services.slice(0, ips.length).map((_range, at) => waysIn(context, at)) };
}

/**
 * What the node must have a way to. Services: a host with no default route answers "network is unreachable" before
 * kube-proxy's rules are asked, which then send it elsewhere; any interface will do, and lo has the same name everywhere
 * (by IPv6 only local addresses lead there: kernels take another route to it for one that rejects).
 * With host routes also the pods of the other workers, and a forwarding that a host with a firewall may deny.
 */
function waysIn(context: NodeContext, at: number): Ways {
  const { topology, node } = context;
  const [services = "", pods = ""] = [topology.network.services[at], topology.network.pods[at]];
  const isIPv6 = familyOf(services) === "ipv6";
  const others = topology.workers.filter(
    ({ subnet, name, ips }) => isStatic(context) && subnet === null && name !== node.name && ips[at] !== undefined,
  );
  const toServices = `${isIPv6 ? "local " : ""}${services} dev lo src ${node.ips[at]} mtu ${topology.network.mtu}`;
  return {
    ip: isIPv6 ? "ip -6" : "ip",
    iptables: isIPv6 ? "ip6tables" : "iptables",
    routes: [
      ...(has(context, "worker") ? [toServices] : []),
      ...others.map(({ name, ips }) => `${subnetOf(context, name, pods)} via ${ips[at]}`),
    ],
    rules:
      isStatic(context) && has(context, "worker")
        ? [
            { into: "FORWARD", rule: `-s ${pods} -j ACCEPT` },
            { into: "FORWARD", rule: `-d ${pods} -j ACCEPT` },
            // What leaves the pods' network has the node's address; other nodes' pods see whom they talk to.
            { into: "POSTROUTING -t nat", rule: `-s ${subnetOf(context, node.name, pods)} ! -d ${pods} -j MASQUERADE` },
          ]
        : [],
  };
}

/** A worker's own of the range `pods`. */
function subnetOf(context: NodeContext, name: string, pods: string): string {
  const { workers } = context.topology;
  const index = workers.filter((node) => node.subnet === null).findIndex((node) => node.name === name);
  const { first, family } = network(pods);
  const own = BigInt((family === "ipv4" ? 32 : 128) - nodeMask[family]);
  return `${addressText(first + (BigInt(index) << own), family)}/${nodeMask[family]}`;
}
