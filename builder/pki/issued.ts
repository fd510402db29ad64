/** Certificates as they were issued: read back from PEM, and whether they still fit. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ExpectedError } from "#cli/errors";
import type { WantedLeaf } from "./certificates.ts";

export interface IssuedPair {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** `CN=etcd, O=k8s` */
  readonly subject: string;
  readonly sans: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Key and certificate out of one PEM text; PKI_INVALID when one is missing, damaged, or they do not belong together. */
export function parsePair(text: string, where: string): IssuedPair {
  const key = block(text, "RSA PRIVATE KEY");
  const certificate = block(text, "CERTIFICATE");
  const damaged = (why: string, cause?: unknown): ExpectedError =>
    new ExpectedError("PKI_INVALID", why, { where, cause, hint: `restore ${where} from your backup of the keys` });
  if (key === null || certificate === null) throw damaged("this file does not hold a key and a certificate");
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw damaged("key and certificate do not belong together");
    return {
      certificate,
      key,
      subject: parsed.subject.split("\n").join(", "),
      sans: sansOf(parsed),
      notBefore: parsed.validFromDate,
      notAfter: parsed.validToDate,
    };
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    throw damaged("key or certificate is damaged", cause);
  }
}

/** Why a leaf no longer fits what is wanted; null when it does. */
export function whyStale(
  leaf: IssuedPair,
  wanted: WantedLeaf,
  ca: IssuedPair,
  now: Date,
  renewBeforeDays: number,
): string | null {
  const parsed = new X509Certificate(leaf.certificate);
  const authority = new X509Certificate(ca.certificate);
  if (!parsed.checkIssued(authority) || !parsed.verify(authority.publicKey)) return "another CA signed it";
  const { spec, node } = wanted;
  const organization = spec.organization === undefined ? "" : `, O=${spec.organization}`;
  const subject = `CN=${spec.commonName(node)}${organization}`;
  if (leaf.subject !== subject) return `its subject was ${leaf.subject}, wanted is ${subject}`;
  if (leaf.sans.toSorted().join() !== [...wanted.sans].toSorted().join()) {
    return `its names were ${leaf.sans.join(" ") || "none"}, wanted are ${wanted.sans.join(" ") || "none"}`;
  }
  const days = Math.floor((leaf.notAfter.getTime() - now.getTime()) / 86_400_000);
  // A leaf that its CA's end has clipped would not get longer by a reissue.
  if (days < renewBeforeDays && leaf.notAfter < ca.notAfter) return `it ends in ${days} days`;
  return null;
}

export function describeCertificate(node: string, name: string): string {
  return `${name} of ${node}`;
}

function sansOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "")
    .split(", ")
    .filter((item) => item !== "")
    .map((item) => item.replace(/^(DNS|IP Address):/, ""));
}

function block(text: string, label: string): string | null {
  return new RegExp(`-----BEGIN ${label}-----[\\s\\S]*?-----END ${label}-----\\n?`).exec(text)?.[0] ?? null;
}
