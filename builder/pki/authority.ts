/**
 * A cluster's keys and certificates: made once in `<cluster>.pki/`, reused by every later build, never overwritten.
 *
 *     kubernetes-ca.pem etcd-ca.pem front-proxy-ca.pem    key and certificate; of an intermediate those above it
 *     kubernetes-ca.key …                                 key whose certificate was requested (intermediate.ts)
 *     sa.pem                                              key of service-account tokens
 *     encryption.key                                      of encryption at rest
 *     kubernetes-ca.2.pem sa.2.pem encryption.2.key …     those of a second generation (rotation.ts)
 *     kubernetes-ca.crossed.2.pem                         the second CA, signed by the one before it
 *     <node>/<name>.<n>.pem                               leaf; a reissue gets the next number
 *     <node>/bootstrap.<n>.token
 */
import { createPublicKey, X509Certificate } from "node:crypto";
import { type BundleIndex, digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { kubernetes } from "../components/context.ts";
import type { Authority, AuthorityName, BootstrapToken, IssuedPair, Leaf, Pki } from "../components/credentials.ts";
import type { Topology } from "../config/topology.ts";
import {
  authorityFile,
  authorities,
  authoritySubject,
  requestedKey,
  wantedAuthorities,
  wantedLeaves,
  type WantedLeaf,
} from "./certificates.ts";
import { belowRoot, crossSign, describeCertificate, parsePair, readKey, signsItself, whyStale } from "./issued.ts";
import { generationFile, generations, lastStep, readRotation, rotatable, type Rotation } from "./rotation.ts";
import { makeEncryptionKey, makeToken, parseEncryptionKey, parseToken } from "./tokens.ts";
import { openScratchVault, openVault, type Vault } from "./vault.ts";
import { generateKey, makeCertificate, privatePem, publicPem } from "#x509";

/** Days before its end at which a build makes a credential anew that was issued for `days`. */
export function renewBefore(days: number): number {
  return Math.min(90, Math.floor(days / 3));
}

const day = 24 * 60 * 60 * 1000;

/**
 * Opens the PKI of a cluster and makes what is missing. Leaves near their end, or whose names no longer match the
 * topology, are reissued by the same CA beside the old ones. PKI_INVALID when a file is damaged or the CA has ended.
 * Without `keep` nothing is written: what is made is forgotten.
 */
export async function openPki(dir: string, topology: Topology, now: Date, keep = true): Promise<Pki> {
  const vault = keep ? await openVault(dir) : await openScratchVault(dir);
  const notes: string[] = [];
  const rotation = await readRotation(vault);
  const cas = await Promise.all(
    wantedAuthorities(topology).map((name) => openAuthority(vault, name, topology, rotation, now)),
  );
  for (const ca of cas) {
    const left = daysLeft(ca.notAfter, now);
    if (left <= 0) {
      throw new ExpectedError("PKI_INVALID", `${authorities[ca.name]} ended on ${ca.notAfter.toISOString()}`, {
        where: dir,
        hint: `mv ${dir} ${dir}.ended   # the next build makes new CAs; every node then needs the new bundle`,
      });
    }
    if (left < 365) notes.push(`${authorities[ca.name]} ends in ${left} days: kubeferry pki rotate cluster.yaml`);
  }
  const leaves = await Promise.all(
    wantedLeaves(topology).map(async (wanted) => {
      const ca = cas.find((candidate) => candidate.name === wanted.spec.authority);
      if (ca === undefined) throw new Error(`no CA for ${wanted.spec.name}`);
      return openLeaf(vault, wanted, ca, topology, now, notes);
    }),
  );
  // Whoever checks service accounts' tokens takes RS256; not every one takes another.
  const signers = await Promise.all(
    generations(rotation, "service-accounts").map(async (generation) => {
      const file = generationFile("sa.pem", generation);
      const privateKey = await vault.readOrMake(file, async () => privatePem(await generateKey("RSA-2048")));
      return { privateKey, publicKey: publicPem(readKey(privateKey, `${dir}/${file}`)) };
    }),
  );
  const encryptionKeys = await Promise.all(
    generations(rotation, "encryption-key").map(async (generation) => {
      const file = generationFile("encryption.key", generation);
      const text = await vault.readOrMake(file, makeEncryptionKey);
      return { name: `key${generation}`, key: parseEncryptionKey(text, `${dir}/${file}`) };
    }),
  );
  const tokens = new Map<string, BootstrapToken>();
  for (const node of kubernetes({ topology }) ? topology.workers : []) {
    tokens.set(
      node.name,
      await openToken(vault, node.name, { days: topology.cluster.certificates.tokenDays, now }, notes),
    );
  }
  const publicKeys = signers.map(({ publicKey }) => publicKey);
  const keys = keysOf(rotation, {
    ...Object.fromEntries(
      cas.map(({ name, trusted }) => [authorities[name], trusted.map(({ certificate }) => digestOf(certificate))]),
    ),
    "service-accounts": publicKeys.map((pem) => digestOf(pem)),
    "encryption-key": encryptionKeys.map(({ name }) => name),
  });
  return {
    authorities: cas,
    leaves,
    serviceAccount: { privateKey: signers[0]?.privateKey ?? "", publicKeys },
    encryptionKeys,
    ...(keys === null ? {} : { keys }),
    tokens,
    notes: notes.toSorted(),
  };
}

/** Of what was rotated, the ids of all generations that are trusted; null where nothing was. */
function keysOf(rotation: Rotation, ids: Readonly<Record<string, string[]>>): NonNullable<BundleIndex["keys"]> | null {
  const rotated = rotatable.flatMap((key) => {
    const [step, trusted] = [lastStep(rotation, key), ids[key]];
    return step === null || trusted === undefined ? [] : [[key, { step, trusted }] as const];
  });
  return rotated.length === 0 ? null : Object.fromEntries(rotated);
}

async function openAuthority(
  vault: Vault,
  name: AuthorityName,
  topology: Topology,
  rotation: Rotation,
  now: Date,
): Promise<Authority> {
  if ((await vault.read(requestedKey(name))) !== null && (await vault.read(authorityFile(name))) === null) {
    throw new ExpectedError("PKI_INVALID", `a certificate for ${authorities[name]} was requested and is not here yet`, {
      where: vault.dir,
      hint: "kubeferry pki import cluster.yaml CERTIFICATE.pem, once it is signed",
    });
  }
  const { algorithm, caDays } = topology.cluster.certificates;
  const open = async (generation: number): Promise<IssuedPair> => {
    const file = generationFile(authorityFile(name), generation);
    const text = await vault.readOrMake(file, async () => {
      const key = await generateKey(algorithm);
      const publicKey = createPublicKey(key);
      const request = { subject: authoritySubject(name, generation, topology), publicKey, ...validity(now, caDays) };
      return privatePem(key) + makeCertificate({ ...request, issuer: null, usages: [], sans: [] }, key);
    });
    return parsePair(text, `${vault.dir}/${file}`);
  };
  const [own, other] = generations(rotation, authorities[name]);
  const signer = await open(own);
  const trusted = other === undefined ? [signer] : [signer, await open(other)];
  const before = other !== undefined && other < own ? trusted[1] : undefined;
  // An intermediate may mostly have no CA below it: pathlen:0.
  if (before === undefined || !signsItself(new X509Certificate(before.certificate)))
    return { name, ...signer, trusted };
  // Who has heard of the CA before only can check what this one signs.
  const crossed = await vault.readOrMake(generationFile(`${authorities[name]}.crossed.pem`, own), () =>
    crossSign(signer, before, authoritySubject(name, own, topology)),
  );
  return { name, ...signer, trusted, crossed };
}

async function openLeaf(
  vault: Vault,
  wanted: WantedLeaf,
  ca: Authority,
  topology: Topology,
  now: Date,
  notes: string[],
): Promise<Leaf> {
  const { spec, node } = wanted;
  const { algorithm, days } = topology.cluster.certificates;
  const own = { name: spec.name, node: node.name, authority: spec.authority };
  // Clients of a server that trust only the root need what lies between.
  const chain = spec.usages.includes("server") ? (ca.crossed ?? "") + belowRoot(ca) : "";
  const number = await latest(vault, node.name, spec.name, "pem");
  if (number > 0) {
    const file = `${node.name}/${spec.name}.${number}.pem`;
    const pair = parsePair((await vault.read(file)) ?? "", `${vault.dir}/${file}`);
    const why = whyStale(pair, wanted, ca, now, { renewBefore: renewBefore(days), algorithm });
    if (why === null) return { ...own, ...pair, chain };
    notes.push(`reissued ${describeCertificate(node.name, spec.name)}: ${why}`);
  }
  const file = `${node.name}/${spec.name}.${number + 1}.pem`;
  const text = await vault.readOrMake(file, async () => {
    const key = await generateKey(algorithm);
    const { notBefore, notAfter } = validity(now, days);
    const certificate = makeCertificate(
      {
        subject: { commonName: spec.commonName, organization: wanted.organization },
        publicKey: createPublicKey(key),
        notBefore: notBefore < ca.notBefore ? ca.notBefore : notBefore,
        notAfter: notAfter > ca.notAfter ? ca.notAfter : notAfter,
        issuer: ca,
        usages: spec.usages,
        sans: wanted.sans,
      },
      readKey(ca.key, ca.name),
    );
    return privatePem(key) + certificate;
  });
  return { ...own, ...parsePair(text, `${vault.dir}/${file}`), chain };
}

/** The node's latest token, unless it is near its end or lives longer than it now may. */
async function openToken(
  vault: Vault,
  node: string,
  { days, now }: { readonly days: number; readonly now: Date },
  notes: string[],
): Promise<BootstrapToken> {
  const number = await latest(vault, node, "bootstrap", "token");
  if (number > 0) {
    const file = `${node}/bootstrap.${number}.token`;
    const token = parseToken((await vault.read(file)) ?? "", `${vault.dir}/${file}`);
    const left = daysLeft(token.expires, now);
    if (left >= renewBefore(days) && left <= days) return token;
    notes.push(`reissued ${describeCertificate(node, "bootstrap token")}: it ends ${token.expires.toISOString()}`);
  }
  const file = `${node}/bootstrap.${number + 1}.token`;
  const expires = new Date(now.getTime() + days * day);
  return parseToken(await vault.readOrMake(file, () => makeToken(expires)), `${vault.dir}/${file}`);
}

/** The highest number of `<node>/<name>.<n>.<extension>`; 0 when there is none. */
async function latest(vault: Vault, node: string, name: string, extension: string): Promise<number> {
  const pattern = new RegExp(`^${name}\\.(\\d+)\\.${extension}$`);
  return Math.max(0, ...(await vault.list(node)).map((file) => Number(pattern.exec(file)?.[1] ?? 0)));
}

/** From the day before, since clocks beyond an air gap are rarely right. */
function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  const start = Math.floor(now.getTime() / 1000) * 1000;
  return { notBefore: new Date(start - day), notAfter: new Date(start + days * day) };
}

function daysLeft(end: Date, now: Date): number {
  return Math.floor((end.getTime() - now.getTime()) / day);
}
