/** New leaves for a node that has its CA's key: every certificate of the node that this CA signed, once more. */
import { X509Certificate } from "node:crypto";
import { type Digest, digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { HostReader } from "../host/host.ts";
import type { FileId } from "../resources/file.ts";
import { readKubeconfig, withCredentials } from "./kubeconfig.ts";
import { isIssuedBy, type Pair, reissue } from "./reissue.ts";

export interface Reissued {
  /** The files as they will be. */
  readonly files: readonly FileId[];
  readonly memory: ReadonlyMap<Digest, Uint8Array>;
  /** Certificates whose CA's key is elsewhere: they stay as they are. */
  readonly left: readonly string[];
}

/**
 * `certificates`: paths of the node's certificates and kubeconfigs; `installed`: its files by path. PKI_INVALID
 * where no key of a CA is among them: then renewal takes a bundle.
 */
export async function reissueAll(
  host: HostReader,
  certificates: readonly string[],
  installed: ReadonlyMap<string, FileId>,
  now: Date,
): Promise<Reissued> {
  const authorities = await findAuthorities(host, installed);
  if (authorities.length === 0) {
    throw new ExpectedError("PKI_INVALID", "no CA's key is on this node, so nothing can be signed here", {
      hint: "renew from a bundle: ./install renew --bundle NEWER.tar",
    });
  }
  const pairs = new Map<string, Pair>();
  const memory = new Map<Digest, Uint8Array>();
  const files: FileId[] = [];
  const left: string[] = [];
  const put = (path: string, text: string): void => {
    const spec = installed.get(path);
    if (spec === undefined) throw missing(path);
    const content = Buffer.from(text);
    const digest = digestOf(content);
    memory.set(digest, content);
    files.push({ ...spec, digest, size: content.length });
  };
  for (const path of new Set(certificates)) {
    const text = (await host.read(path)) ?? "";
    const config = readKubeconfig(text);
    const old = config.certificate ?? text;
    if (!old.includes("-----BEGIN CERTIFICATE-----") || authorities.some(({ certificate }) => certificate === old))
      continue;
    const authority = authorities.find(({ certificate }) => isIssuedBy(old, certificate));
    if (authority === undefined) {
      if (!new X509Certificate(old).ca) left.push(path);
      continue;
    }
    // One certificate may be in several files: the controller-manager's is a file and in its kubeconfig.
    const { fingerprint256 } = new X509Certificate(old);
    const pair = pairs.get(fingerprint256) ?? (await reissue(old, authority, now));
    pairs.set(fingerprint256, pair);
    if (config.certificate !== null) put(path, withCredentials(text, pair.certificate, pair.key));
    // haproxy reads both from one file.
    else if (privateKey.test(old)) put(path, pair.certificate + chainOf(old.replace(privateKey, "")) + pair.key);
    else {
      put(path, pair.certificate + chainOf(old));
      put(keyOf(path), pair.key);
    }
  }
  return { files, memory, left };
}

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*$/;

/** `ca-key.pem` beside `ca.pem`. */
async function findAuthorities(host: HostReader, installed: ReadonlyMap<string, FileId>): Promise<Pair[]> {
  const found: Pair[] = [];
  for (const path of installed.keys()) {
    if (!path.endsWith("/ca-key.pem")) continue;
    const [key, certificate] = [await host.read(path), await host.read(path.replace("-key.pem", ".pem"))];
    if (key !== null && certificate !== null) found.push({ certificate, key });
  }
  return found;
}

/** What a server's file has after its own certificate: an intermediate that signed it. */
function chainOf(text: string): string {
  return text
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .slice(1)
    .join("");
}

function keyOf(path: string): string {
  return path.replace(/\.pem$/, "-key.pem");
}

function missing(path: string): ExpectedError {
  return new ExpectedError("PKI_INVALID", "the file that belongs to a certificate was not installed with it", {
    where: path,
    hint: "renew from a bundle: ./install renew --bundle NEWER.tar",
  });
}
