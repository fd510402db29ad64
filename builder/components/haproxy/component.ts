/** haproxy in front of every API server: on the masters with `endpoint: vip`, on each node with `local-proxy`. */
import { familyOf, hostPort } from "#formats/address";
import { apiPort } from "../../config/topology.ts";
import { listening } from "../check.ts";
import type { Component, FileRow } from "../component.ts";
import { binary, endpoint, isAtLeast, type NodeContext, pem, usesLocalProxy } from "../context.ts";
import { trustedFile } from "../trust.ts";

const shared = {
  name: "haproxy",
  units: [{ name: "kube-haproxy.service", start: 20, reloads: true, data: (c) => ({ haproxy: binary(c, "haproxy") }) }],
  certificates: [
    // API servers tell nobody unknown whether they are ready. It may do nothing else: no role is bound to it.
    {
      name: "haproxy",
      authority: "kubernetes",
      folder: "pki",
      joined: true,
      commonName: "kubeferry:haproxy",
      usages: ["client"],
    },
  ],
  checks: [
    {
      name: "haproxy answers on the API's port",
      unit: "kube-haproxy.service",
      argv: (c) => listening("127.0.0.1", c.topology.api.balancerPort),
      timeoutSeconds: 20,
    },
  ],
} as const satisfies Partial<Component>;
/** The distribution's own has another configuration. */
const stopServices = ["haproxy.service"];

export const balancerOfMasters: Component = {
  ...shared,
  roles: ["master"],
  when: endpoint("vip"),
  files: [listeningOn((c) => (familyOf(c.node.ip) === "ipv6" ? "::" : "0.0.0.0"))],
  host: ({ api }) => ({ stopServices, ports: [{ port: String(api.balancerPort), protocol: "tcp" }] }),
};

export const balancerOfNodes: Component = {
  ...shared,
  roles: ["master", "worker"],
  when: usesLocalProxy,
  files: [listeningOn(() => "127.0.0.1")],
  host: () => ({ stopServices }),
};

function listeningOn(address: (context: NodeContext) => string): FileRow {
  return {
    name: "haproxy.cfg",
    data: (c) => ({
      place: hostPort(address(c), c.topology.api.balancerPort),
      masters: c.topology.masters.map(({ name, ip }) => ({ name, place: hostPort(ip, apiPort) })),
      // 1.15 and older have no other.
      ready: isAtLeast(c, "1.16") ? "/readyz" : "/healthz",
      authority: trustedFile(c),
      pair: pem("pki", "haproxy")(c),
    }),
  };
}
