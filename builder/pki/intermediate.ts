/**
 * CAs that somebody else's root signs. Either their keys are made here and only a request leaves (so that a root in an
 * HSM never meets the builder), or an intermediate is given with its key.
 */
import { createPublicKey, X509Certificate } from "node:crypto";
import { ExpectedError } from "#cli/errors";
import { algorithmOf, generateKey, makeAuthorityRequest, privatePem, whyNoAuthority } from "#x509";
import { whyUnread } from "../config/key-algorithms.ts";
import type { ReleaseManifest } from "../config/release.ts";
import type { Topology } from "../config/topology.ts";
import type { AuthorityName } from "../components/credentials.ts";
import { authorities, authorityFile, authoritySubject, requestedKey, wantedAuthorities } from "./certificates.ts";
import { blocks, readKey, signsItself } from "./issued.ts";
import { generationFile, nextGeneration, readRotation } from "./rotation.ts";
import { openVault, type Vault } from "./vault.ts";

export interface Request {
  readonly name: AuthorityName;
  /** PEM, PKCS#10. */
  readonly csr: string;
}

/**
 * A request for every CA of the cluster that has no certificate yet. Asked again, the keys are the same. `next`: of the
 * generation that a rotation leads to.
 */
export async function requestAuthorities(dir: string, topology: Topology, next = false): Promise<Request[]> {
  const vault = await openVault(dir);
  const rotation = await readRotation(vault);
  const requests: Request[] = [];
  for (const name of wantedAuthorities(topology)) {
    const generation = next ? nextGeneration(rotation, authorities[name]) : 1;
    if ((await vault.read(generationFile(authorityFile(name), generation))) !== null) continue;
    const { algorithm } = topology.cluster.certificates;
    const file = generationFile(requestedKey(name), generation);
    const key = await vault.readOrMake(file, async () => privatePem(await generateKey(algorithm)));
    const subject = authoritySubject(name, generation, topology);
    requests.push({ name, csr: makeAuthorityRequest(subject, readKey(key, dir)) });
  }
  return requests;
}

export interface Import {
  readonly topology: Topology;
  readonly manifest: ReleaseManifest;
  /** PEM texts: certificates, those above them, and where `only` is given, its key. */
  readonly texts: readonly string[];
  /** The CA that is given with its key; null: those whose certificates were requested. */
  readonly only: AuthorityName | null;
  /** Of the generation that a rotation leads to. */
  readonly next?: boolean;
  readonly now: Date;
}

export interface Imported {
  readonly name: AuthorityName;
  readonly subject: string;
  readonly issuer: string;
  readonly notAfter: Date;
}

/** Puts CAs into the vault, all or none. PKI_INVALID where one is not fit, or is there already. */
export async function importAuthorities(dir: string, given: Import): Promise<Imported[]> {
  const vault = await openVault(dir);
  const rotation = await readRotation(vault);
  const placeOf = (file: string, name: AuthorityName): string =>
    generationFile(file, given.next === true ? nextGeneration(rotation, authorities[name]) : 1);
  const certificates = given.texts
    .flatMap((text) => blocks(text, "CERTIFICATE"))
    .map((pem) => new X509Certificate(pem));
  const found: { name: AuthorityName; key: string; chain: readonly X509Certificate[] }[] = [];
  for (const { name, key } of await keysOf(vault, given, placeOf)) {
    const publicKey = createPublicKey(readKey(key, dir)).export({ type: "spki", format: "der" });
    const own = certificates.find((one) => one.publicKey.export({ type: "spki", format: "der" }).equals(publicKey));
    if (own === undefined) {
      if (given.only !== null) throw unfit(name, "no certificate of this key is among the files", dir);
      continue;
    }
    found.push({ name, key, chain: upwards(own, certificates) });
  }
  if (found.length === 0) {
    throw new ExpectedError("PKI_INVALID", "none of these certificates was requested for this cluster", {
      where: dir,
      hint: "kubeferry pki csr cluster.yaml --out DIR makes the requests; a CA with its key is given with --ca NAME",
    });
  }
  for (const { name, key, chain } of found) {
    const why = await whyUnfit(vault, given, name, key, chain);
    if (why !== null) throw unfit(name, why, dir);
  }
  for (const { name, key, chain } of found) {
    const text = [privatePem(readKey(key, dir)), ...chain.map((one) => one.toString())].join("");
    const kept = await vault.readOrMake(placeOf(authorityFile(name), name), () => text);
    if (kept !== text) throw unfit(name, "the cluster has this CA already, and what it signed needs it", dir);
  }
  return found.map(({ name, chain: [own] }) => ({
    name,
    subject: inLine(own?.subject),
    issuer: inLine(own?.issuer),
    notAfter: own?.validToDate ?? given.now,
  }));
}

async function keysOf(
  vault: Vault,
  given: Import,
  placeOf: (file: string, name: AuthorityName) => string,
): Promise<{ name: AuthorityName; key: string }[]> {
  if (given.only !== null) {
    const [key] = given.texts.flatMap((text) => blocks(text, "(?:RSA |EC )?PRIVATE KEY"));
    if (key === undefined) {
      const hint =
        "an encrypted key: openssl pkey -in KEY -out PLAIN, in a folder of your own, and remove it afterwards";
      throw new ExpectedError("PKI_INVALID", "no plain private key is among the files", { where: vault.dir, hint });
    }
    return [{ name: given.only, key }];
  }
  const keys = await Promise.all(
    wantedAuthorities(given.topology).map(async (name) => ({
      name,
      key: await vault.read(placeOf(requestedKey(name), name)),
    })),
  );
  return keys.flatMap(({ name, key }) => (key === null ? [] : [{ name, key }]));
}

/** A certificate and those above it, as far as they were given. */
function upwards(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [own];
  for (let top = own; !signsItself(top);) {
    const next = all.find((one) => !chain.includes(one) && top.checkIssued(one) && top.verify(one.publicKey));
    if (next === undefined) break;
    chain.push(next);
    top = next;
  }
  return chain;
}

async function whyUnfit(
  vault: Vault,
  { topology, manifest, now }: Import,
  name: AuthorityName,
  key: string,
  chain: readonly X509Certificate[],
): Promise<string | null> {
  if (!wantedAuthorities(topology).includes(name)) return "this cluster has no such CA";
  const kind = algorithmOf(readKey(key, vault.dir));
  if (kind === null)
    return "its key is of a kind that is not taken: RSA of 2048, 3072 or 4096 bits, P-256, P-384, Ed25519";
  const unread = whyUnread(kind, manifest);
  if (unread !== null) return unread;
  for (const one of chain) {
    const why = whyNoAuthority(one);
    if (why !== null) return `${inLine(one.subject)}: ${why}`;
    if (one.validToDate <= now) return `${inLine(one.subject)} ended on ${one.validToDate.toISOString()}`;
  }
  for (const other of Object.keys(authorities) as AuthorityName[]) {
    const pem = other === name ? null : await vault.read(authorityFile(other));
    if (pem !== null && chain[0] !== undefined && pem.includes(chain[0].toString()))
      return `it is ${authorities[other]} already, and what one of them signs must not open the other's doors`;
  }
  return null;
}

function unfit(name: AuthorityName, why: string, where: string): ExpectedError {
  return new ExpectedError("PKI_INVALID", `${authorities[name]} is not taken: ${why}`, { where });
}

function inLine(name = ""): string {
  return name.split("\n").join(", ");
}
