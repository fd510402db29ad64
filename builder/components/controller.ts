/** What kube-controller-manager and kube-scheduler have alike: one of each leads, and both talk TLS from 1.11 on. */
import { admin, ask, bin, journal, onEtcd, script } from "./check.ts";
import type { Component } from "./component.ts";
import { isAtLeast, kubernetes, type NodeContext } from "./context.ts";
import { namesOfNode } from "./credentials.ts";

/** Asks for the health of `status`, as 1.6 calls the controller, at its `port` on loopback. */
type Health = (status: string, port: number) => string[];

export function controller(
  name: "kube-controller-manager" | "kube-scheduler",
  running: (context: NodeContext, health: Health) => string[],
): Component {
  const user = `system:${name}`;
  return {
    name,
    roles: ["master"],
    when: kubernetes,
    certificates: [
      {
        name,
        authority: "kubernetes",
        folder: "pki",
        since: "1.11",
        commonName: user,
        organization: user,
        usages: ["server", "client"],
        sans: namesOfNode,
      },
    ],
    kubeconfigs: [
      { file: `${name}.kubeconfig`, certificate: name, since: "1.11", user, context: user, consumer: "master" },
    ],
    checks: [
      {
        name: `${name} is running`,
        unit: `${name}.service`,
        argv: (c) => running(c, (status, port) => healthOf(c, status, port)),
        matches: name === "kube-scheduler" ? "^ok|Healthy|^HTTP/1\\.[01] 200" : "^ok|Healthy",
        timeoutSeconds: 60,
        ...onEtcd,
      },
      {
        name: `a ${name} leads`,
        at: 42,
        argv: (c) => script(["leader-lease.sh"], ...lock(c, name)),
        ...onEtcd,
        hint: `on each master: ${journal(name)}`,
      },
    ],
  };
}

/** kubectl asks on loopback, with the admin's certificate; 1.6 knows only componentstatuses. */
function healthOf(c: NodeContext, status: string, port: number): string[] {
  return isAtLeast(c, "1.11")
    ? [bin(c, "kubectl"), admin(c), `--server=https://127.0.0.1:${port}`, "get", "--raw", "/healthz"]
    : ask(c, "get", "componentstatuses", status);
}

/** Up to 1.19 a controller leads by an annotation of Endpoints, later by a Lease. */
function lock(c: NodeContext, name: string): string[] {
  return ask(c, "--namespace=kube-system", "get", isAtLeast(c, "1.20") ? "leases" : "endpoints", name);
}
