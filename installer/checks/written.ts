/** Audit of what programs of the node wrote by design: it is no stranger's, but a credential must be one of this cluster. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { WrittenEntry } from "#bundle";
import { messageOf } from "#cli/errors";
import type { Finding } from "#cli/finding";
import { formatMode } from "#cli/quantities";
import type { HostReader, Stat } from "../host/host.ts";
import { drift } from "./drift-finding.ts";

type Issue = NonNullable<WrittenEntry["certificate"]>;

/** Whether `path` is what an entry declares. */
export function isWritten({ path: declared }: Pick<WrittenEntry, "path">, path: string): boolean {
  const [start = "", end] = declared.split("*");
  if (end === undefined) return path === declared;
  const fits = path.length >= start.length + end.length && path.startsWith(start) && path.endsWith(end);
  return fits && !path.slice(start.length).includes("/");
}

/** Every credential that was written: readable by root alone, and issued by the cluster's CA for this node. */
export async function writtenDrift(host: HostReader, written: readonly WrittenEntry[], now: Date): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const entry of written.filter(({ credential }) => credential)) {
    const folder = dirname(entry.path);
    for (const name of await host.list(folder)) {
      const path = join(folder, name);
      if (isWritten(entry, path)) findings.push(...(await credentialDrift(host, path, entry, now)));
    }
  }
  return findings;
}

async function credentialDrift(host: HostReader, path: string, entry: WrittenEntry, now: Date): Promise<Finding[]> {
  const stat = await host.stat(path);
  const { certificate: issue, by } = entry;
  if (stat === null) return [];
  // The newest of several files: the one that is used.
  if (stat.type === "symlink") {
    const target = join(dirname(path), basename(stat.target));
    const isOwn = isWritten(entry, target) && [target, basename(target)].includes(stat.target);
    if (isOwn && (await host.stat(target))?.type === "file") return await lifeDrift(host, target, by, now);
    return [drift("changed", path, `leads to ${stat.target}, which ${by} did not write`, `ls -l ${path}`)];
  }
  if (stat.type !== "file") return [drift("changed", path, `is a ${stat.type}`, `ls -ld ${path}`)];
  return [...closedDrift(path, stat), ...(issue === undefined ? [] : await issueDrift(host, path, issue))];
}

function closedDrift(path: string, { mode, owner }: Extract<Stat, { type: "file" }>): Finding[] {
  if ((mode & 0o077) === 0 && owner.uid === 0) return [];
  const found = `${formatMode(mode)} ${owner.uid}:${owner.gid}`;
  const finding = drift("mode", path, "may be read by others than root", `chmod 0600 ${path}; chown 0:0 ${path}`);
  return [{ ...finding, expected: "0600 0:0", found }];
}

async function issueDrift(
  host: HostReader,
  path: string,
  { authority, commonName, organization }: Issue,
): Promise<Finding[]> {
  const [text, trusted] = [(await host.read(path)) ?? "", await host.read(authority)];
  // That is told as what it is: a missing file.
  if (trusted === null) return [];
  try {
    const certificate = new X509Certificate(text);
    const authorities = (trusted.match(pem("CERTIFICATE")) ?? []).map((block) => new X509Certificate(block));
    if (!authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey))) {
      return [certificateDrift(path, "is not signed by the cluster's CA")];
    }
    const found = certificate.subject.split("\n").toSorted().join();
    const expected = `CN=${commonName},O=${organization}`;
    if (found !== expected) return [{ ...certificateDrift(path, "is not for this node"), expected, found }];
    const [key = ""] = text.match(pem("(?:[A-Z]+ )?PRIVATE KEY")) ?? [];
    if (certificate.checkPrivateKey(createPrivateKey(key))) return [];
    return [certificateDrift(path, "has the key of another certificate")];
  } catch (error) {
    return [certificateDrift(path, `cannot be read: ${messageOf(error)}`)];
  }
}

/** Of several, only the one in use must still hold. What cannot be read is told of the file itself. */
async function lifeDrift(host: HostReader, path: string, by: string, now: Date): Promise<Finding[]> {
  try {
    const { validToDate } = new X509Certificate((await host.read(path)) ?? "");
    if (validToDate >= now) return [];
    const day = validToDate.toISOString().slice(0, 10);
    return [certificateDrift(path, `has ended on ${day}, and ${by} still uses it`)];
  } catch {
    return [];
  }
}

function certificateDrift(path: string, message: string): Finding {
  return drift("certificate", path, message, `openssl x509 -noout -text -in ${path}`);
}

function pem(label: string): RegExp {
  return new RegExp(`-----BEGIN ${label}-----[\\s\\S]*?-----END ${label}-----`, "g");
}
