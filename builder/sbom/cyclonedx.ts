/** A bundle's contents as CycloneDX: what an auditor's own tools read. */
// Part by part: what validates and writes XML is not loaded, nor packed.
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import * as Serialize from "@cyclonedx/cyclonedx-library/Serialize";
import * as Spec from "@cyclonedx/cyclonedx-library/Spec";
import type { Bundle } from "#bundle";
import { signerText } from "../lock/provenance.ts";
import { type Material, materialsOf, uuidOf } from "./materials.ts";

const types = {
  download: Enums.ComponentType.Application,
  image: Enums.ComponentType.Container,
  package: Enums.ComponentType.Library,
} as const;

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
    serialNumber: uuidOf(payloadDigest),
    metadata: new Models.Metadata({
      component: own,
      timestamp: new Date(`${locked}T00:00:00Z`),
      tools: new Models.Tools({ components: new Models.ComponentRepository([tool]) }),
    }),
  });
  for (const part of materialsOf(index).map(component)) {
    bom.components.add(part);
    own.dependencies.add(part.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 1 })}\n`;
}

function component({ id, kind, name, version, purl, digest, url, files, ...vouched }: Material): Models.Component {
  const made = new Models.Component(types[kind], name, { bomRef: id, version, purl });
  if (digest !== null) addHash(made, digest);
  if (url !== null) {
    made.externalReferences.add(new Models.ExternalReference(url, Enums.ExternalReferenceType.Distribution));
  }
  const { pinnedBy, published, agrees = [], signedBy } = vouched;
  for (const [said, value] of [
    ["pinnedBy", pinnedBy ?? undefined],
    ["published", published],
    ...agrees.map((source) => ["agrees", source] as const),
    ["signedBy", signedBy && signerText(signedBy)],
  ] as const) {
    if (value !== undefined) made.properties.add(new Models.Property(`kubeferry:${said}`, value));
  }
  for (const { path, digest: content } of files) {
    const file = new Models.Component(Enums.ComponentType.File, path, { bomRef: `${id} ${path} ${content}` });
    addHash(file, `sha256:${content}`);
    made.components.add(file);
  }
  return made;
}

function addHash(component: Models.Component, digest: string): void {
  const [algorithm = "", hex = ""] = digest.split(":");
  if (algorithm === "sha256") component.hashes.set(Enums.HashAlgorithm["SHA-256"], hex);
  if (algorithm === "sha512") component.hashes.set(Enums.HashAlgorithm["SHA-512"], hex);
}
