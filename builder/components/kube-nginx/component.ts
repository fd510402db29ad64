/** nginx as a proxy to every API server, on each node, with `endpoint: local-proxy`. */
import { listening } from "../check.ts";
import type { Component } from "../component.ts";
import { binary, type NodeContext, usesLocalProxy } from "../context.ts";

const nginx = (c: NodeContext): Record<string, unknown> => ({ nginx: binary(c, "nginx") });

export const kubeNginx: Component = {
  name: "kube-nginx",
  roles: ["master", "worker"],
  when: usesLocalProxy,
  units: [{ name: "kube-nginx.service", start: 22, data: nginx }],
  files: [{ name: "kube-nginx.conf", data: nginx }],
  // The distribution's own would listen on port 80.
  host: () => ({ stopServices: ["nginx.service"] }),
  checks: [
    {
      name: "the local proxy answers on the API's port",
      unit: "kube-nginx.service",
      argv: (c) => listening("127.0.0.1", c.topology.api.balancerPort),
      timeoutSeconds: 20,
    },
  ],
};
