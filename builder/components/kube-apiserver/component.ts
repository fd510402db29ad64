/** kube-apiserver, with what it keeps on its node, and the certificates with which it asks etcd, kubelets and aggregated APIs. */
import { apiPort } from "../../config/topology.ts";
import { ask, etcdQuorum, journal, withinQuorum } from "../check.ts";
import type { Component } from "../component.ts";
import { isAtLeast, kubernetes, type NodeContext } from "../context.ts";
import { apiserverFlags, audits, encrypts } from "./flags.ts";

const client = { folder: "pki", usages: ["client"] } as const;

export const apiserver: Component = {
  name: "kube-apiserver",
  roles: ["master"],
  when: kubernetes,
  units: [
    {
      name: "kube-apiserver.service",
      start: 30,
      behind: "etcd",
      flags: apiserverFlags,
      data: (c) => ({
        after: ["network-online.target", ...(c.node.roles.includes("etcd") ? ["etcd.service"] : [])],
      }),
    },
  ],
  files: [
    { name: "encryption-config.yaml", since: "1.11", when: encrypts, sensitive: true, data: encryption },
    {
      name: "audit-policy.yaml",
      since: "1.11",
      when: audits,
      data: (c) => ({ apiVersion: `audit.k8s.io/${isAtLeast(c, "1.16") ? "v1" : "v1beta1"}` }),
    },
  ],
  certificates: [
    { name: "kube-apiserver-etcd-client", authority: "etcd", ...client },
    {
      name: "kube-apiserver",
      authority: "kubernetes",
      folder: "pki",
      usages: ["server"],
      sans: (_node, topology) => topology.api.sans,
    },
    { name: "kube-apiserver-kubelet-client", authority: "kubernetes", ...client },
    { name: "front-proxy-client", authority: "front-proxy", since: "1.11", ...client },
  ],
  directories: (c) => (audits(c) ? [{ path: c.paths.auditLog, mode: "0700" }] : []),
  host: () => ({ ports: [{ port: String(apiPort), protocol: "tcp" }] }),
  checks: [
    {
      name: "kube-apiserver is ready",
      unit: "kube-apiserver.service",
      argv: (c) => ask(c, "get", "--raw", isAtLeast(c, "1.16") ? "/readyz" : "/healthz"),
      matches: "^ok",
      timeoutSeconds: 120,
      severity: withinQuorum,
      awaits: etcdQuorum,
      hint: journal("kube-apiserver"),
    },
  ],
};

function encryption(context: NodeContext): Record<string, unknown> {
  const old = !isAtLeast(context, "1.16");
  return {
    apiVersion: old ? "v1" : "apiserver.config.k8s.io/v1",
    kind: old ? "EncryptionConfig" : "EncryptionConfiguration",
    // The first one writes. Both read: while masters go from 1.23 to 1.24 one by one, and ever after, each meets what the
    // other has written.
    providers: isAtLeast(context, "1.24") ? ["secretbox", "aescbc"] : ["aescbc", "secretbox"],
    keys: context.pki.encryptionKeys,
  };
}
