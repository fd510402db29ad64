/** A bundle's contents as CycloneDX: what an auditor's own tools read. Only what the index says; nothing is fetched. */
// Part by part: what validates and writes XML is not loaded, nor packed.
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import { PackageURL } from "packageurl-js";
import type { Bundle, FileEntry, ImageEntry, Origin, PackageEntry } from "#bundle";

type ArtifactOrigin = Extract<Origin, { from: "artifact" }>;

/** CycloneDX 1.6 as JSON. The same bundle gives the same bytes: its serial number and time are the bundle's own. */
export function cyclonedx({ index, payloadDigest }: Pick<Bundle, "index" | "payloadDigest">): string {
  const { cluster, release, producer, locked } = index;
  const [name = "kubeferry", version] = producer.split(" ");
  const own = new Models.Component(Enums.ComponentType.Platform, cluster.name, {
    bomRef: payloadDigest,
    version: release.name,
    description: `Kubeferry bundle of the cluster ${cluster.name}, release ${release.name}`,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], payloadDigest]]),
  });
  const tool = new Models.Component(Enums.ComponentType.Application, name, { version });
  const bom = new Models.Bom({
    serialNumber: serialNumber(payloadDigest),
    metadata: new Models.Metadata({
      component: own,
      timestamp: new Date(`${locked}T00:00:00Z`),
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
    }),
  });
  const parts = [...artifacts(index.files), ...images(index.images), ...packages(index.packages)];
  for (const part of parts) {
    bom.components.add(part);
    own.dependencies.add(part.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`;
}

/** Of each download one component, with the files that came out of it. */
function artifacts(files: readonly FileEntry[]): Models.Component[] {
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
  return [...byUrl].flatMap(([key, { origin, files: own }]) => (isListed(own) ? [] : [artifact(key, origin, own)]));
}

function isListed(files: readonly FileEntry[]): boolean {
  return files.every(({ path }) => /^\/var\/lib\/kubeferry\/(images|packages)\//.test(path));
}

function artifact(bomRef: string, origin: ArtifactOrigin, files: readonly FileEntry[]): Models.Component {
  const { url, digest, pinnedBy, version = "" } = origin;
  const debian = /^apt:([^=]+)(?:=(.+))?$/.exec(url);
  const name = debian?.[1] ?? decodeURIComponent(url.split("/").at(-1) ?? url);
  const purl =
    debian === null
      ? new PackageURL("generic", null, name, version, { download_url: url, checksum: digest }, null)
      : new PackageURL("deb", "debian", name, debian[2] ?? version, null, null);
  const component = new Models.Component(Enums.ComponentType.Application, name, {
    bomRef,
    version,
    purl: String(purl),
  });
  addHash(component, digest);
  if (debian === null) {
    component.externalReferences.add(new Models.ExternalReference(url, Enums.ExternalReferenceType.Distribution));
  }
  component.properties.add(new Models.Property("kubeferry:pinnedBy", pinnedBy));
  const seen = new Set<string>();
  for (const { path, digest: content } of files) {
    if (seen.has(path)) continue;
    seen.add(path);
    const file = new Models.Component(Enums.ComponentType.File, path, { bomRef: `${bomRef} ${path} ${content}` });
    addHash(file, `sha256:${content}`);
    component.components.add(file);
  }
  return component;
}

function images(all: readonly ImageEntry[]): Models.Component[] {
  return all.map(({ name, digest, for: { platforms = [] } }) => {
    const [repository = name, tag] = name.split(/[:@](?=[^/]*$)/);
    const last = repository.split("/").at(-1) ?? repository;
    const qualifiers = { repository_url: repository, ...(tag === undefined ? {} : { tag }) };
    const purl = new PackageURL("oci", null, last.toLowerCase(), digest, qualifiers, null);
    const component = new Models.Component(Enums.ComponentType.Container, repository, {
      bomRef: `${name} ${digest} ${platforms.join(" ")}`,
      version: tag ?? digest,
      purl: String(purl),
    });
    addHash(component, digest);
    return component;
  });
}

function packages(all: readonly PackageEntry[]): Models.Component[] {
  return all.map(({ name, version, architecture, format, distribution }) => {
    const vendor = distribution.split("-")[0] ?? distribution;
    const purl = new PackageURL(format, vendor, name, version, { arch: architecture, distro: distribution }, null);
    const bomRef = `${format} ${distribution} ${name} ${version} ${architecture}`;
    return new Models.Component(Enums.ComponentType.Library, name, { bomRef, version, purl: String(purl) });
  });
}

function addHash(component: Models.Component, digest: string): void {
  const [algorithm = "", hex = ""] = digest.split(":");
  if (algorithm === "sha256") component.hashes.set(Enums.HashAlgorithm["SHA-256"], hex);
  if (algorithm === "sha512") component.hashes.set(Enums.HashAlgorithm["SHA-512"], hex);
}

/** A UUID of version 8 (RFC 9562: of the maker's own making), of the digest's first bits. */
function serialNumber(digest: string): string {
  const hex = digest.slice(0, 32).split("");
  hex[12] = "8";
  hex[16] = "a";
  const text = hex.join("");
  const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
  return `urn:uuid:${parts.join("-")}`;
}
