/** The kubelet, with how it joins and what it is then issued. */
import type { Component, WrittenRow } from "../component.ts";
import { configuration } from "../configuration.ts";
import { isAtLeast, kubernetes, type NodeContext, runsDocker, usesLocalProxy } from "../context.ts";
import { isRotated, trustedFile } from "../trust.ts";
import { kubeletChecks } from "./checks.ts";
import { kubeletFields, kubeletFlags } from "./settings.ts";

export const kubelet: Component = {
  name: "kubelet",
  roles: ["worker"],
  when: kubernetes,
  units: [{ name: "kubelet.service", start: 70, behind: "docker.service", flags: kubeletFlags, data: order }],
  files: [configuration("kubelet", "kubelet-config.yaml", kubeletFields), { name: "resolv.conf" }],
  kubeconfigs: [
    { file: "kubelet-bootstrap.kubeconfig", certificate: null, user: "kubelet-bootstrap", consumer: "worker" },
  ],
  directories: ({ paths }) => [
    { path: paths.cniConfig, mode: "0755" },
    { path: paths.kubelet, mode: "0750" },
    { path: paths.kubeletPki, mode: "0755" },
  ],
  host: () => ({ ports: [{ port: "10250", protocol: "tcp" }] }),
  checks: kubeletChecks,
  written,
};

function order(context: NodeContext): Record<string, unknown> {
  const runtime = runsDocker(context) ? "docker.service" : "containerd.service";
  const proxy = usesLocalProxy(context) ? ["kube-haproxy.service"] : [];
  return { after: ["network-online.target", runtime, ...proxy], requires: [runtime] };
}

function written(context: NodeContext): WrittenRow[] {
  const { paths } = context;
  const credential = (path: string): WrittenRow => ({ path, credential: true });
  // It keeps the CA that its first kubeconfig had.
  const follows = isRotated(context) ? { trusts: trustedFile(context) } : {};
  const own = { ...credential(`${paths.config}/kubelet.kubeconfig`), ...follows };
  const pki = (name: string): string => `${paths.kubeletPki}/${name}`;
  // It does not rotate, and signs its own serving certificate.
  if (!isAtLeast(context, "1.11")) {
    const keys = ["kubelet-client.key", "kubelet.key"].map((name) => credential(pki(name)));
    return [own, ...keys, ...["kubelet-client.crt", "kubelet.crt"].map((name) => ({ path: pki(name) }))];
  }
  const certificate = {
    authority: trustedFile(context),
    commonName: "system:node:@NODE_NAME@",
    organization: "system:nodes",
  };
  return [own, ...["client", "server"].map((use) => ({ ...credential(pki(`kubelet-${use}-*.pem`)), certificate }))];
}
