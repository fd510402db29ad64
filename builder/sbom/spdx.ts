/** A bundle's contents as SPDX: the other format that auditors' tools read. */
import { type Bundle, digestOf } from "#bundle";
import { pinText } from "../lock/provenance.ts";
import { type Material, materialsOf, uuidOf } from "./materials.ts";

interface Package {
  readonly SPDXID: string;
  readonly name: string;
  readonly downloadLocation: string;
  /** False: what is inside is not told file by file. Files would want SHA-1, which the index does not have. */
  readonly filesAnalyzed: false;
  readonly primaryPackagePurpose: "APPLICATION" | "CONTAINER" | "FILE" | "INSTALL" | "LIBRARY";
  readonly versionInfo?: string;
  readonly comment?: string;
  readonly checksums?: readonly { readonly algorithm: string; readonly checksumValue: string }[];
  readonly externalRefs?: readonly object[];
}

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: "DESCRIBES" | "CONTAINS";
  readonly relatedSpdxElement: string;
}

const document = "SPDXRef-DOCUMENT";
const unanalysed = { downloadLocation: "NOASSERTION", filesAnalyzed: false } as const;
const purposes = { download: "APPLICATION", image: "CONTAINER", package: "LIBRARY" } as const;

/** SPDX 2.3 as JSON. The same bundle gives the same bytes: its namespace and time are the bundle's own. */
export function spdx({ index, payloadDigest }: Pick<Bundle, "index" | "payloadDigest">): string {
  const { cluster, release, producer, locked } = index;
  const own: Package = {
    ...{ SPDXID: "SPDXRef-bundle", name: cluster.name, versionInfo: release.name, ...unanalysed },
    ...{ primaryPackagePurpose: "INSTALL", checksums: checksumsOf(`sha256:${payloadDigest}`) },
  };
  const packages = [own];
  const relationships: Relationship[] = [describes(own)];
  const add = (parent: Package, part: Package): void => {
    packages.push(part);
    relationships.push(contains(parent, part));
  };
  for (const material of materialsOf(index)) {
    const part = packageOf(material);
    add(own, part);
    for (const file of material.files) add(part, fileOf(part, file));
  }
  const said = {
    ...{ spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: document },
    ...{ name: cluster.name, documentNamespace: uuidOf(payloadDigest) },
    creationInfo: { created: `${locked}T00:00:00Z`, creators: [`Tool: ${producer.replace(" ", "-")}`] },
    ...{ packages, relationships },
  };
  return `${JSON.stringify(said, null, 1)}\n`;
}

function packageOf({ id, kind, name, version, purl, digest, url, pinnedBy, ...more }: Material): Package {
  return {
    ...{ SPDXID: reference(kind, id), name, ...unanalysed, primaryPackagePurpose: purposes[kind] },
    ...(version === "" ? {} : { versionInfo: version }),
    ...(url === null ? {} : { downloadLocation: url }),
    ...(digest === null ? {} : { checksums: checksumsOf(digest) }),
    ...(pinnedBy === null ? {} : { comment: pinText({ pinnedBy, ...more }) }),
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
  };
}

function fileOf({ SPDXID }: Package, { path, digest }: Material["files"][number]): Package {
  return {
    ...{ SPDXID: reference("file", `${SPDXID} ${path} ${digest}`), name: path, ...unanalysed },
    ...{ primaryPackagePurpose: "FILE", checksums: checksumsOf(`sha256:${digest}`) },
  };
}

/** Letters, digits, dots and hyphens are all that may be in one. */
function reference(kind: string, id: string): string {
  return `SPDXRef-${kind}-${digestOf(id).slice(0, 32)}`;
}

function checksumsOf(digest: string): NonNullable<Package["checksums"]> {
  const [algorithm = "", checksumValue = ""] = digest.split(":");
  return [{ algorithm: algorithm.toUpperCase(), checksumValue }];
}

function describes({ SPDXID }: Package): Relationship {
  return { spdxElementId: document, relationshipType: "DESCRIBES", relatedSpdxElement: SPDXID };
}

function contains(parent: Package, part: Package): Relationship {
  return { spdxElementId: parent.SPDXID, relationshipType: "CONTAINS", relatedSpdxElement: part.SPDXID };
}
