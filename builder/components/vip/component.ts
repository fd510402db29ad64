/** One address for the API, with `endpoint: vip`: keepalived holds it on one master. */
import { familyOf } from "#formats/address";
import { journal, listening, script, warning } from "../check.ts";
import type { Component } from "../component.ts";
import { binary, endpoint, type NodeContext } from "../context.ts";

const address = (c: NodeContext): string => c.topology.cluster.api.vip?.address ?? "";
const isIPv6 = (c: NodeContext): boolean => familyOf(address(c)) === "ipv6";
const others = (c: NodeContext): string[] =>
  c.topology.masters.filter(({ name }) => name !== c.node.name).map(({ ip }) => ip);

export const vip: Component = {
  name: "vip",
  roles: ["master"],
  when: endpoint("vip"),
  units: [{ name: "keepalived.service", start: 21, data: settings }],
  files: [{ name: "keepalived.conf", path: () => "/etc/keepalived/keepalived.conf", mode: "0600", data: settings }],
  // VRRP: of masters that do not hear each other, each takes the shared address.
  host: () => ({ protocols: [112] }),
  checks: [
    {
      name: "the API's address answers",
      unit: "keepalived.service",
      at: 21,
      argv: (c) => listening(address(c), c.topology.api.balancerPort),
      timeoutSeconds: 20,
      hint: (c) =>
        `${journal("keepalived")}; on each master: ip ${isIPv6(c) ? "-6" : "-4"} address show to ${address(c)}`,
    },
    {
      name: "the API's address is held by one master",
      at: 21,
      argv: (c) => {
        const words = [address(c), ...others(c)];
        return isIPv6(c)
          ? script(["ipv6-digits.sh", "has-ipv6-address.sh", "vip/vip-single-holder.sh"], ...words)
          : script(["has-address.sh", "vip/vip-single-holder.sh"], ...words);
      },
      timeoutSeconds: 60,
      // A firewall that lets only nodes' own addresses ping looks the same.
      severity: warning,
      hint: (c) =>
        `on each master: ip ${isIPv6(c) ? "-6" : "-4"} address show to ${address(c)}; is VRRP (protocol 112) let through between them?`,
    },
  ],
};

function settings(context: NodeContext): Record<string, unknown> {
  const { masters, cluster } = context.topology;
  const rank = masters.findIndex((node) => node.name === context.node.name);
  return {
    keepalived: binary(context, "keepalived"),
    vip: cluster.api.vip,
    first: rank === 0,
    priority: rank === 0 ? 120 : 110 - rank,
    killall: binary(context, "killall", "/usr/bin"),
    peers: others(context),
  };
}
