/** How kubelets join: their tokens, what these may, and who approves the certificates that kubelets then ask for. */
import { ask, script, warning, withinQuorum } from "../check.ts";
import type { Component } from "../component.ts";
import { isAtLeast, kubernetes, type NodeContext, path, rbacVersion } from "../context.ts";
import { tokenOf } from "../credentials.ts";

const undecided =
  "{{range .items}}{{if .status}}{{if not .status.conditions}}{{.metadata.name}} {{end}}{{else}}{{.metadata.name}} {{end}}{{end}}";

export const bootstrap: Component = {
  name: "bootstrap",
  roles: ["master"],
  when: kubernetes,
  // Before the master's own kubelet, whose first certificate it approves.
  units: [{ name: "kubeferry-approve.service", start: 45 }],
  files: [
    { name: "token.csv", until: "1.11", sensitive: true, text: tokenFile },
    // What a master needs to know to judge requests for certificates, and to try the network.
    { name: "cluster.json", path: path("own", "cluster.json"), text: clusterFacts },
    // Of secrets, and so sealed and not rendered, though an id by itself opens nothing.
    { name: "token-owners.json", path: path("own", "token-owners.json"), sensitive: true, text: tokenOwners },
  ],
  objects: [
    { name: "rbac.yaml", data: (c) => ({ rbac: rbacVersion(c), approvesRenewals: isAtLeast(c, "1.11") }) },
    {
      name: "bootstrap-tokens.yaml",
      since: "1.11",
      sensitive: true,
      when: (c) => c.pki.tokens.size > 0,
      data: (c) => ({
        tokens: [...c.pki.tokens].map(([node, { id, secret, expires }]) => ({
          node,
          id,
          secret,
          expiration: expires.toISOString().replace(/\.\d+Z$/, "Z"),
        })),
      }),
    },
  ],
  checks: [
    {
      name: "kubelets may ask for certificates",
      argv: (c) => ask(c, "get", "clusterrolebindings", "kubeferry:kubelet-bootstrap"),
      severity: withinQuorum,
      hint: (c) => `kubectl apply -f ${c.paths.own}/rbac.yaml`,
    },
    {
      name: "no kubelet waits for a certificate",
      argv: (c) => {
        const question = ask(c, "get", "certificatesigningrequests", `-o=go-template=${undecided}`);
        return script(["bootstrap/expect-empty.sh"], "undecided", ...question);
      },
      severity: warning,
      hint: "./install approve",
    },
  ],
};

/** One line a node, with the user and group that bootstrap tokens have later: a stolen one can be taken out alone. */
function tokenFile({ topology, pki }: NodeContext): string {
  const lines = topology.workers.map(({ name }, index) => {
    const { id, secret } = tokenOf(pki, name);
    return `${id}.${secret},system:bootstrap:${id},${10001 + index},"system:bootstrappers"`;
  });
  return lines.join("\n");
}

/** Read by the installer on masters: `ClusterFacts` there. */
function clusterFacts({ topology }: NodeContext): string {
  const profile = topology.workers.find((node) => node.subnet !== null);
  const facts = {
    nodes: topology.workers
      .filter((node) => node.subnet === null)
      .map(({ name, ip, ips: [, ip6] }) => ({ name, ip, ...(ip6 === undefined ? {} : { ip6 }) })),
    workers: profile === undefined ? null : { subnet: profile.subnet },
    pods: topology.network.pods.join(),
    nodePorts: topology.network.nodePorts,
  };
  return JSON.stringify(facts, null, 2);
}

/** Read by the installer on masters: whose each bootstrap token is, by its id; null: of all workers that come and go. */
function tokenOwners({ topology, pki }: NodeContext): string {
  const owners = topology.workers.map(({ name, subnet }) => [tokenOf(pki, name).id, subnet === null ? name : null]);
  return JSON.stringify(Object.fromEntries(owners), null, 2);
}
