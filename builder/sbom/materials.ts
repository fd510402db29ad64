/** What a bundle is made of, as bills of materials name it. Only what the index says; nothing is fetched. */
import { PackageURL } from "packageurl-js";
import { type Provenance, provenanceOf } from "../lock/provenance.ts";
import type { BundleIndex, FileEntry, ImageEntry, Origin, PackageEntry } from "#bundle";

type ArtifactOrigin = Extract<Origin, { from: "artifact" }>;

export interface Material extends Provenance {
  /** Unique in its bundle, and the same in every bundle that has it. */
  readonly id: string;
  readonly kind: "download" | "image" | "package";
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** `sha256:…` or `sha512:…`; null where the index has none. */
  readonly digest: string | null;
  /** Where it was downloaded from; null for what a distribution or a registry gave. */
  readonly url: string | null;
  readonly pinnedBy: ArtifactOrigin["pinnedBy"] | null;
  /** What came out of it, each path once. */
  readonly files: readonly Pick<FileEntry, "path" | "digest">[];
}

/** The runtimes that the operator gave, then every download, image and package, in the order of the index. */
export function materialsOf({ runtimes = {}, files, images, packages }: BundleIndex): Material[] {
  const given = Object.entries(runtimes).map(([platform, { node, digest }]) => runtime(platform, node, digest));
  return [...given, ...downloads(files), ...images.map(image), ...packages.map(osPackage)];
}

/** Of an installer; nobody but the operator says where it is from. */
function runtime(platform: string, version: string, digest: string): Material {
  const checksum = `sha256:${digest}`;
  const purl = String(new PackageURL("generic", null, "node", version, { checksum }, null));
  const id = `node ${platform} ${checksum}`;
  return {
    ...{ id, kind: "download", name: "node", version, purl, digest: checksum },
    ...nothingMore,
    pinnedBy: "operator",
  };
}

/** Of each download one, with the files that came out of it. */
function downloads(files: readonly FileEntry[]): Material[] {
  const byUrl = new Map<string, { origin: ArtifactOrigin; files: FileEntry[] }>();
  for (const file of files) {
    const { origin } = file;
    if (origin.from !== "artifact") continue;
    const key = `${origin.url} ${origin.digest}`;
    const found = byUrl.get(key);
    if (found === undefined) byUrl.set(key, { origin, files: [file] });
    else found.files.push(file);
  }
  // Images and packages have entries of their own, which say more.
  return [...byUrl].flatMap(([id, { origin, files: own }]) => (isListed(own) ? [] : [download(id, origin, own)]));
}

function isListed(files: readonly FileEntry[]): boolean {
  return files.every(({ path }) => /^\/var\/lib\/kubeferry\/(images|packages)\//.test(path));
}

function download(id: string, origin: ArtifactOrigin, files: readonly FileEntry[]): Material {
  const { url, digest, pinnedBy, version = "" } = origin;
  const debian = /^apt:([^=]+)(?:=(.+))?$/.exec(url);
  const name = debian?.[1] ?? decodeURIComponent(url.split("/").at(-1) ?? url);
  const purl =
    debian === null
      ? new PackageURL("generic", null, name, version, { download_url: url, checksum: digest }, null)
      : new PackageURL("deb", "debian", name, debian[2] ?? version, null, null);
  const paths = files.map(({ path }) => path);
  return {
    ...{ id, kind: "download", name, version, purl: String(purl), digest, pinnedBy, ...provenanceOf(origin) },
    ...{ url: debian === null ? url : null, files: files.filter(({ path }, at) => paths.indexOf(path) === at) },
  };
}

function image({ name, digest, for: { platforms = [] } }: ImageEntry): Material {
  const [repository = name, tag] = name.split(/[:@](?=[^/]*$)/);
  const last = repository.split("/").at(-1) ?? repository;
  const qualifiers = { repository_url: repository, ...(tag === undefined ? {} : { tag }) };
  const purl = new PackageURL("oci", null, last.toLowerCase(), digest, qualifiers, null);
  const id = `${name} ${digest} ${platforms.join(" ")}`;
  return { id, kind: "image", name: repository, version: tag ?? digest, purl: String(purl), digest, ...nothingMore };
}

function osPackage({ name, version, architecture, format, distribution }: PackageEntry): Material {
  const vendor = distribution.split("-")[0] ?? distribution;
  const purl = new PackageURL(format, vendor, name, version, { arch: architecture, distro: distribution }, null);
  const id = `${format} ${distribution} ${name} ${version} ${architecture}`;
  return { id, kind: "package", name, version, purl: String(purl), digest: null, ...nothingMore };
}

const nothingMore = { url: null, pinnedBy: null, files: [] } as const;

/** A UUID of version 8 (RFC 9562: of the maker's own making), of the first bits of a digest. */
export function uuidOf(digest: string): string {
  const hex = digest.slice(0, 32).split("");
  hex[12] = "8";
  hex[16] = "a";
  const text = hex.join("");
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
  return `urn:uuid:${parts.join("-")}`;
}
