/** `kubeferry inspect`: what is in a bundle, for whom, and where each file came from. */
import type { Bundle, BundleIndex, CertificateEntry, FileEntry, NodeEntry, Origin } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatBytes } from "#cli/quantities";
import { type Reporter } from "#cli/reporter";
import { pinText } from "./lock/provenance.ts";

export interface InspectOptions {
  /** Every file instead of the summary. */
  readonly files: boolean;
  /** Only this node's files. */
  readonly node?: string | undefined;
  readonly reporter: Reporter;
}

/** NODE_UNKNOWN for a node that the bundle does not have. */
export function inspect(bundle: Bundle, options: InspectOptions): void {
  const { index } = bundle;
  const { files, node, reporter } = options;
  if (!files && node === undefined) {
    reporter.record("bundle", { where: bundle.where, payloadDigest: bundle.payloadDigest, index });
    for (const line of summary(bundle)) reporter.info(line);
    return;
  }
  const wanted = node === undefined ? null : nodeOf(bundle, node);
  for (const file of index.files.filter((one) => wanted === null || isFor(one, wanted))) {
    reporter.record("file", { ...file });
    reporter.info(fileLine(file));
  }
}

function nodeOf({ index, where }: Bundle, name: string): NodeEntry {
  const found = index.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  throw new ExpectedError("NODE_UNKNOWN", `${name} is not a node of this bundle`, {
    where,
    expected: `one of ${index.nodes.map((node) => node.name).join(", ")}`,
    found: name,
    hint: `kubeferry inspect ${where}   lists its nodes`,
  });
}

export function isFor({ for: to }: FileEntry, node: NodeEntry): boolean {
  return to.roles.some((role) => node.roles.includes(role)) && (to.nodes?.includes(node.name) ?? true);
}

function summary(bundle: Bundle): string[] {
  const { index } = bundle;
  const stored = Object.values(index.blobs).reduce((sum, blob) => sum + blob.size, 0);
  const contents = Object.values(index.contents).reduce((sum, content) => sum + content.size, 0);
  return [
    `bundle       ${bundle.where}`,
    `payload      ${bundle.payloadDigest}`,
    `made by      ${index.producer}, locked ${index.locked}, format ${index.format}`,
    `cluster      ${index.cluster.name}  services ${index.cluster.serviceCidr}  pods ${index.cluster.podCidr}  ${index.cluster.domain}`,
    `release      ${index.release.name}${index.release.kubernetes === null ? "" : `  Kubernetes ${index.release.kubernetes}`}`,
    ...Object.entries(index.release.components).map(([name, version]) => `             ${name} ${version}`),
    `platforms    ${index.platforms.join(", ")}`,
    ...Object.entries(index.runtimes ?? {}).map(
      ([platform, { node, glibc, digest }]) =>
        `runtime      ${platform}: Node ${node}, ${glibc === null ? "" : `glibc ${glibc} or newer, `}given by the operator, sha256 ${digest}`,
    ),
    `contents     ${formatBytes(contents)} in ${index.files.length} files, ${formatBytes(stored)} stored`,
    `secrets      ${secretsLine(index)}`,
    `certificates ${certificatesLine(index)}`,
    ...(index.images.length === 0 ? [] : [`images       ${index.images.map((image) => image.name).join(", ")}`]),
    ...(index.packages.length === 0
      ? []
      : [`packages     ${index.packages.map((item) => `${item.name} ${item.version}`).join(", ")}`]),
    `nodes`,
    ...index.nodes.map((node) => `  ${node.name.padEnd(16)} ${address(node).padEnd(18)} ${node.roles.join(",")}`),
  ];
}

export function address(node: NodeEntry): string {
  return node.ip ?? `any of ${node.subnet ?? "?"}`;
}

function secretsLine(index: BundleIndex): string {
  const plain = index.secrets.filter((secret) => !secret.sealed);
  if (index.secrets.length === 0) return "none";
  return plain.length === 0
    ? `encrypted for ${index.secrets.length} nodes (age, X25519)`
    : `NOT ENCRYPTED for ${plain.map((secret) => secret.node).join(", ")} (--plaintext-secrets)`;
}

function certificatesLine(index: BundleIndex): string {
  const [first] = index.certificates.map((certificate) => certificate.notAfter).toSorted();
  return first === undefined ? "none" : `${index.certificates.length}, the first expires ${first.slice(0, 10)}`;
}

/** `n1  /etc/kubernetes/pki/etcd/server.pem  CN=etcd  1094 days  10.0.0.11, n1` */
export function certificateLine(certificate: CertificateEntry, now: Date): string {
  const { node, path, subject, sans, notAfter } = certificate;
  const days = Math.floor((Date.parse(notAfter) - now.getTime()) / 86_400_000);
  return [node, path, subject, days < 0 ? `ended ${notAfter}` : `${days} days`, sans.join(", ")].join("  ").trimEnd();
}

function fileLine(file: FileEntry): string {
  const { mode, owner, digest, path, origin } = file;
  return `${mode} ${owner} ${digest.slice(0, 12)} ${path}  ${forWhom(file)}  ${originText(origin)}`;
}

export function forWhom(file: FileEntry): string {
  return [file.for.roles.join(","), ...(file.for.nodes ?? []), ...(file.for.platforms ?? [])].join(" ");
}

export function originText(origin: Origin): string {
  switch (origin.from) {
    case "artifact":
      return `${origin.url}${origin.member === undefined ? "" : ` (${origin.member})`} ${origin.digest}, ${pinText(origin)}`;
    case "template":
      return `manifests/${origin.template}`;
    case "pki":
      return `pki: ${origin.name}`;
    case "operator":
      return `cluster.yaml: ${origin.name}`;
  }
}
