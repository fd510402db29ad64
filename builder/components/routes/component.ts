/** Ways of a node to services and, with the network `static-routes`, to other nodes' pods, whose bridge is then made here too. */
import { addressIn } from "../../config/topology.ts";
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
      when: (c) => has(c, "worker") || isStatic(c),
      data: routesOf,
    },
  ],
  files: [
    {
      name: "10-bridge.conflist",
      path: path("cniConfig", "10-bridge.conflist"),
      when: hasSubnet,
      data: (c) => ({ subnet: subnetOf(c, c.node.name), mtu: c.topology.network.mtu }),
    },
    { name: "99-loopback.conf", path: path("cniConfig", "99-loopback.conf"), when: hasSubnet },
  ],
};

/** With host routes each listed worker has the /24 of its place in the list; a profile cannot have one. */
function hasSubnet(context: NodeContext): boolean {
  return isStatic(context) && context.node.subnet === null;
}

/**
 * What the node must have a way to. Services: a host with no default route answers "network is unreachable" before
 * kube-proxy's rules are asked, which then send it elsewhere; any interface will do, and lo has the same name everywhere.
 * With host routes also the pods of the other workers, and a forwarding that a host with a firewall may deny.
 */
function routesOf(context: NodeContext): Record<string, unknown> {
  const { topology, node } = context;
  const { services, pods, mtu } = topology.network;
  const others = topology.workers.filter(
    ({ subnet, name }) => isStatic(context) && subnet === null && name !== node.name,
  );
  const toServices = has(context, "worker") ? [`${services} dev lo src ${node.ip} mtu ${mtu}`] : [];
  return {
    routes: [...toServices, ...others.map(({ name, ip }) => `${subnetOf(context, name)} via ${ip}`)],
    rules:
      isStatic(context) && has(context, "worker")
        ? [
            { into: "FORWARD", rule: `-s ${pods} -j ACCEPT` },
            { into: "FORWARD", rule: `-d ${pods} -j ACCEPT` },
            // What leaves the pods' network has the node's address; other nodes' pods see whom they talk to.
            { into: "POSTROUTING -t nat", rule: `-s ${subnetOf(context, node.name)} ! -d ${pods} -j MASQUERADE` },
          ]
        : [],
  };
}

function subnetOf(context: NodeContext, name: string): string {
  const { workers, network } = context.topology;
  const index = workers.filter((node) => node.subnet === null).findIndex((node) => node.name === name);
  return `${addressIn(network.pods, index * 256)}/24`;
}
