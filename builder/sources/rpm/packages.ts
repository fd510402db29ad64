/** Rpm packages and all they depend on, from repositories that cluster.yaml names, signatures and digests checked. */
import { Readable } from "node:stream";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { digestOf, type Platform } from "#bundle";
import { ExpectedError, messageOf } from "#cli/errors";
import { readAtMost } from "../../http/read.ts";
import type { LockedPackage } from "../../lock/lock.ts";
import { compressionOf, decompress } from "../../archive/decompress.ts";
import type { HttpClient } from "../../http/client.ts";
import { fileAt, type Question, readWhole } from "../../http/read.ts";
import type { Store } from "../../store/store.ts";
import { basePackages } from "../../config/base-packages.ts";
import type { PackageRequest } from "../../config/cluster.ts";
import type { PackageContext } from "../package-context.ts";
import { createFileSource } from "../file.ts";
import { download } from "../http/download.ts";
import type { Opened } from "../source.ts";
import { rpmClosure } from "./closure.ts";
import { readPrimary, readRepomd, type RpmPackage } from "./metadata.ts";
import { formatEvr } from "./version.ts";

type Repository = NonNullable<PackageRequest["repositories"]>[number];

const run = promisify(execFile);
const largestMetadata = 256 * 1024 * 1024;
const architectures: Readonly<Record<Platform, string>> = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };

/** The closure for every platform, what others need first. Codes as of {@link rpmClosure} and SIGNATURE_INVALID. */
export async function resolveRpms(
  request: PackageRequest,
  context: Omit<PackageContext, "http"> & { readonly http: HttpClient },
): Promise<LockedPackage[]> {
  const repositories = request.repositories ?? [];
  if (repositories.length === 0) {
    throw new ExpectedError(
      "CONFIG_INVALID",
      `packages of ${request.distribution} want the repositories they come from`,
      {
        where: "packages: in cluster.yaml",
        hint: "repositories: [{ url: https://…/BaseOS/x86_64/os, key: RPM-GPG-KEY-… }]",
      },
    );
  }
  const base = await basePackages(request);
  const available: { repository: Repository; one: RpmPackage }[] = [];
  for (const repository of repositories) {
    for (const one of await readRepository(repository, context)) available.push({ repository, one });
  }
  const found = new Map<string, LockedPackage>();
  for (const platform of context.platforms) {
    const packages = rpmClosure({
      available: available.map(({ one }) => one),
      names: request.names,
      base,
      arch: architectures[platform],
      where: `packages of ${request.distribution}`,
    });
    for (const one of packages) {
      const repository = available.find((entry) => entry.one === one)?.repository;
      const locked = lockedOf(request, one, repository?.url ?? "");
      found.set(locked.resolved, locked);
    }
  }
  return [...found.values()];
}

/** Takes one locked package into the store, which checks the lock's digest and size. */
export async function fetchRpm(
  { resolved, digest, size }: LockedPackage,
  store: Store,
  http: HttpClient,
): Promise<void> {
  const expected = { digest: digest.slice("sha256:".length), size };
  const put = async ({ bytes, file }: Opened): Promise<unknown> => await store.put(bytes, { ...expected, file });
  const path = localPath(resolved);
  if (path !== null) await createFileSource(http.signal).open(path, put);
  else await download(remote(resolved, http), store, { key: digest, size }, put);
}

async function readRepository(
  repository: Repository,
  context: Omit<PackageContext, "http"> & { readonly http: HttpClient },
): Promise<RpmPackage[]> {
  const { http } = context;
  const at = (path: string): string => `${repository.url.replace(/\/+$/, "")}/${path}`;
  const repomd = await readMetadata(at("repodata/repomd.xml"), http);
  if (repository.key !== undefined) {
    const signature = await readMetadata(at("repodata/repomd.xml.asc"), http);
    await verifySignature(repomd, signature, repository.key, context.state, repository.url);
  } else if (!repository.url.startsWith("https:") && !repository.url.startsWith("file:")) {
    throw new ExpectedError(
      "SIGNATURE_INVALID",
      "nothing vouches for this repository: it has no key and comes over plain HTTP",
      {
        where: repository.url,
        hint: "name its key: in cluster.yaml, or use its https: address",
      },
    );
  }
  const primary = await readRepomd(Readable.from([repomd]), at("repodata/repomd.xml"));
  const bytes = await readMetadata(at(primary.path), http);
  if (digestOf(bytes) !== primary.digest) {
    throw new ExpectedError("DIGEST_MISMATCH", "the list of packages is not the one that repomd.xml names", {
      where: at(primary.path),
      expected: primary.digest,
      found: digestOf(bytes),
      hint: "the mirror is being updated, or something changes bytes on the way: try again, or another mirror",
    });
  }
  return await readPrimary(
    limited(decompress(Readable.from([bytes]), compressionOf(bytes.subarray(0, 6))), at(primary.path)),
    at(primary.path),
  );
}

/** gpgv trusts exactly the keys of the file it is given, and no agent or home is involved. */
async function verifySignature(
  data: Buffer,
  signature: Buffer,
  key: string,
  state: string,
  where: string,
): Promise<void> {
  await mkdir(state, { recursive: true });
  const folder = await mkdtemp(join(resolve(state), "signature-"));
  try {
    const keys = await readFile(key).catch((cause: unknown) => {
      throw new ExpectedError("CONFIG_UNREADABLE", "the repository's key cannot be read", { where: key, cause });
    });
    await writeFile(join(folder, "keys.gpg"), binaryKeys(keys));
    await writeFile(join(folder, "signed"), data);
    await writeFile(join(folder, "signed.asc"), signature);
    const files = ["--keyring", join(folder, "keys.gpg"), join(folder, "signed.asc"), join(folder, "signed")];
    await run("gpgv", ["--homedir", folder, ...files]);
  } catch (cause) {
    if (cause instanceof ExpectedError) throw cause;
    if ((cause as { code?: unknown }).code === "ENOENT") {
      throw new ExpectedError("TOOL_MISSING", "gpgv checks a repository's signature, and is not here", {
        hint: "apt-get install gpgv",
        cause,
      });
    }
    const said = (cause as { stderr?: unknown }).stderr;
    throw new ExpectedError(
      "SIGNATURE_INVALID",
      "the repository's signature does not hold for the key that was given",
      {
        where: `${where}/repodata/repomd.xml.asc`,
        found: (typeof said === "string" ? said : messageOf(cause)).trim().split("\n").slice(-2).join("; "),
        cause,
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** ASCII armour of one or more keys taken off; binary keys as they are. */
export function binaryKeys(keys: Buffer): Buffer {
  const text = keys.toString("latin1");
  const blocks = [
    ...text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g),
  ];
  if (blocks.length === 0) return keys;
  return Buffer.concat(
    blocks.map(([, block = ""]) => {
      const body = block.replaceAll("\r", "").replace(/^(?:[\w-]+: .*\n)*\n/, "");
      // The line that starts with `=` is a checksum of the armour, not of any worth.
      return Buffer.from(body.replace(/^=[\w+/]{4}$/m, ""), "base64");
    }),
  );
}

function lockedOf(request: PackageRequest, one: RpmPackage, url: string): LockedPackage {
  return {
    name: one.name,
    version: formatEvr(one.evr),
    architecture: one.arch,
    format: "rpm",
    distribution: request.distribution,
    resolved: `${url.replace(/\/+$/, "")}/${one.path}`,
    digest: `sha256:${one.digest}`,
    size: one.size,
    wanted: request.names.includes(one.name),
  };
}

async function readMetadata(url: string, http: HttpClient): Promise<Buffer> {
  const limit = largestMetadata;
  const what = "the repository's metadata";
  const path = localPath(url);
  if (path === null) return (await readWhole(remote(url, http), { what, limit })).bytes;
  const bytes = await createFileSource(http.signal).open(path, (opened) => readAtMost(opened.bytes, limit));
  if (bytes !== null) return bytes;
  throw new ExpectedError("TOO_LARGE", `${what} is larger than ${limit} bytes`, { where: url });
}

function remote(url: string, http: HttpClient): Question {
  return { ...fileAt(url, http), elsewhere: "repositories: in cluster.yaml" };
}

/** The path of a `file:` URL; null for one of http: or https:. */
function localPath(url: string): string | null {
  if (/^https?:/.test(url)) return null;
  if (url.startsWith("file:")) return fileURLToPath(url);
  throw new ExpectedError("CONFIG_INVALID", "a repository's address is https:, http: or file:", { where: url });
}

async function* limited(bytes: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > 16 * largestMetadata)
      throw new ExpectedError("ARCHIVE_BOMB", "the list of packages unpacks to more than 4 GB", { where });
    yield chunk;
  }
}
