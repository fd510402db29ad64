/** Kinds of keys by the names that kubeadm gives them, and what can read them. */
import type { KeyAlgorithm } from "#x509";
import type { ReleaseManifest } from "./release.ts";
import { isSince } from "#formats/version";

// Written out: the schema of cluster.yaml is loaded where no certificate is made.
export const keyAlgorithms = [
  "RSA-2048",
  "RSA-3072",
  "RSA-4096",
  "ECDSA-P256",
  "ECDSA-P384",
  "Ed25519",
] as const satisfies readonly KeyAlgorithm[];

/** Why daemons of a release cannot read certificates of this kind; null where they can. */
export function whyUnread(algorithm: KeyAlgorithm, { kubernetes, components }: ReleaseManifest): string | null {
  if (algorithm !== "Ed25519") return null;
  const advice = "take ECDSA-P256";
  if (kubernetes !== null && !isSince(kubernetes, "1.20"))
    return `Kubernetes ${kubernetes} is built with a Go whose TLS knows no Ed25519; ${advice}`;
  const etcd = components.find(({ name }) => name === "etcd")?.version;
  if (etcd !== undefined && !isSince(etcd, "3.5"))
    return `etcd ${etcd} is built with a Go whose TLS knows no Ed25519; ${advice}`;
  return null;
}
