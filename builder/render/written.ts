/** What programs of a node write by design beside what is installed: the audit expects it, and undo takes it away. */
import type { Role, WrittenEntry } from "#bundle";
import { has, imageOf, isAtLeast, type NodeContext } from "./context.ts";
import { isRotated, trustedFile } from "./trust.ts";

/** An entry of one node, before equal ones are gathered. */
export type NodeWritten = Omit<WrittenEntry, "for"> & { readonly roles: readonly Role[] };

/** The entries of one node. */
export function writtenOf(context: NodeContext): NodeWritten[] {
  const { topology, paths } = context;
  if (!topology.generation.daemons) return [];
  const { plugin } = topology.network;
  const rows = [
    ...kubelet(context),
    // Older images of flannel have no program of CNI: the plugins' own is used.
    ...(plugin === "flannel" && imageOf(context, "flannel-cni-plugin") !== null
      ? [plain("the pod of flannel", `${paths.cniBinaries}/flannel`)]
      : []),
    ...(plugin === "flannel" ? [plain("the pod of flannel", `${paths.cniConfig}/10-flannel.conflist`)] : []),
    ...(plugin === "calico" ? calico(context) : []),
    // The second is that of versions until 1.18.
    ...["cache", "http-cache"].map((name) => plain("kubectl", `/root/.kube/${name}`, "master")),
  ];
  return rows.filter(({ roles }) => roles.some((role) => has(context, role)));
}

function kubelet(context: NodeContext): NodeWritten[] {
  const { paths } = context;
  const credential = (path: string): NodeWritten => ({ ...plain("kubelet", path), credential: true });
  // It keeps the CA that its first kubeconfig had.
  const follows = isRotated(context) ? { trusts: trustedFile(context) } : {};
  const own = { ...credential(`${paths.config}/kubelet.kubeconfig`), ...follows };
  const pki = (name: string): string => `${paths.kubeletPki}/${name}`;
  // It does not rotate, and signs its own serving certificate.
  if (!isAtLeast(context, "1.11")) {
    const keys = ["kubelet-client.key", "kubelet.key"].map((name) => credential(pki(name)));
    return [own, ...keys, ...["kubelet-client.crt", "kubelet.crt"].map((name) => plain("kubelet", pki(name)))];
  }
  const certificate = {
    authority: `${paths.pki}/ca.pem`,
    commonName: "system:node:@NODE_NAME@",
    organization: "system:nodes",
  };
  return [own, ...["client", "server"].map((use) => ({ ...credential(pki(`kubelet-${use}-*.pem`)), certificate }))];
}

function calico({ paths }: NodeContext): NodeWritten[] {
  const by = "the pod of calico";
  return [
    plain(by, `${paths.cniConfig}/10-calico.conflist`),
    { ...plain(by, `${paths.cniConfig}/calico-kubeconfig`), credential: true },
    plain(by, `${paths.cniBinaries}/calico`),
    plain(by, `${paths.cniBinaries}/calico-ipam`),
  ];
}

function plain(by: string, path: string, role: Role = "worker"): NodeWritten {
  return { path, by, credential: false, roles: [role] };
}
