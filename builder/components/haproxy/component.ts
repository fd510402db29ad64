/** haproxy before the API servers, with `endpoint: vip`. */
import { journal, listening } from "../check.ts";
import type { Component } from "../component.ts";
import { binary, endpoint } from "../context.ts";

export const haproxy: Component = {
  name: "haproxy",
  roles: ["master"],
  when: endpoint("vip"),
  units: [{ name: "haproxy.service", start: 20, data: (c) => ({ haproxy: binary(c, "haproxy") }) }],
  files: [{ name: "haproxy.cfg", path: () => "/etc/haproxy/haproxy.cfg" }],
  host: ({ api }) => ({ ports: [{ port: String(api.balancerPort), protocol: "tcp" }] }),
  checks: [
    {
      name: "haproxy answers on the API's port",
      unit: "haproxy.service",
      argv: (c) => listening("127.0.0.1", c.topology.api.balancerPort),
      timeoutSeconds: 20,
      hint: journal("haproxy"),
    },
  ],
};
