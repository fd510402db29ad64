/** How long the certificates on a node still hold. */
import { X509Certificate } from "node:crypto";
import { error, type Finding, ok } from "#cli/finding";
import type { HostReader } from "../host/host.ts";
import { readKubeconfig } from "./kubeconfig.ts";

export interface CertificateLife {
  readonly path: string;
  readonly subject: string;
  readonly notAfter: Date;
  /** Whole days; negative when it has ended. */
  readonly daysLeft: number;
}

/** Fewer days than these are an error. */
const shortLife = 30;
const day = 86_400_000;

/** What the kubelet is issued by the cluster; nothing where it has not been yet. */
const issuedLater = ["/var/lib/kubelet/pki/kubelet-client-current.pem"];

/** Every certificate in the files `paths` and those issued since; a missing file has none. Soonest end first. */
export async function certificateLives(
  host: HostReader,
  paths: readonly string[],
  now: Date,
): Promise<CertificateLife[]> {
  const lives: CertificateLife[] = [];
  for (const path of new Set([...paths, ...issuedLater])) {
    const text = await host.read(path);
    if (text !== null) lives.push(...livesIn(path, text, now));
  }
  return lives.toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime() || (a.path < b.path ? -1 : 1));
}

/** A PEM file's certificates, or a kubeconfig's one. What cannot be read is no certificate: the audit says so. */
function livesIn(path: string, text: string, now: Date): CertificateLife[] {
  const pem = readKubeconfig(text).certificate ?? text;
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      const { subject, validToDate } = new X509Certificate(block);
      const daysLeft = Math.floor((validToDate.getTime() - now.getTime()) / day);
      return [{ path, subject: subject.split("\n").join(", "), notAfter: validToDate, daysLeft }];
    } catch {
      return [];
    }
  });
}

/** One finding a certificate: `certificate`, an error under `days`. */
export function expiryFindings(lives: readonly CertificateLife[], days = shortLife): Finding[] {
  return lives.map(({ path, subject, daysLeft, notAfter }) => {
    const ends = notAfter.toISOString().slice(0, 10);
    const left = daysLeft < 0 ? `ended ${-daysLeft} days ago` : `${daysLeft} days left`;
    const message = `${path} (${subject}): ${left}, until ${ends}`;
    if (daysLeft >= days) return ok("certificate", message);
    const hint = "./install renew --bundle NEWER.tar; on a master with the CA's key: ./install renew";
    return error("certificate", message, { expected: `${days} days or more`, hint });
  });
}
