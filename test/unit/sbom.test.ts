/** The bills of materials against the schemas of CycloneDX and SPDX. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { Ajv } from "ajv";
import { PackageURL } from "packageurl-js";
import { type BundleIndex, digestOf, type FileEntry } from "#bundle";
import { originText } from "../../builder/inspect.ts";
import { cyclonedx } from "../../builder/sbom/cyclonedx.ts";
import { spdx } from "../../builder/sbom/spdx.ts";
import { sample } from "../builders/sample-bundle.ts";

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly components?: readonly Component[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

const published = "https://example.org/v3.6.1/SHA256SUMS";
const agrees = ["kubernetes/kops@268927e26409:etcd.yaml", "kubernetes-sigs/kubespray@46dbdd3994b3:checksums.yml"];
const signedBy = {
  fingerprint: "C9C370B246B09F6DBCFC744C34401015D1D2D386",
  name: "Aleksa Sarai <cyphar@cyphar.com>",
  signed: "2026-06-13",
  list: published,
};

async function index(): Promise<BundleIndex> {
  const { index: base } = await sample();
  const [file] = base.files;
  assert.ok(file);
  const of = (path: string, url: string, pinnedBy: "upstream" | "distribution"): FileEntry => ({
    ...file,
    path,
    digest: digestOf(path),
    origin: { from: "artifact", url, digest: `sha256:${digestOf(url)}`, pinnedBy, version: "3.6.1" },
  });
  const signed = (entry: FileEntry): FileEntry =>
    entry.origin.from === "artifact" ? { ...entry, origin: { ...entry.origin, published, agrees, signedBy } } : entry;
  const everyone = { roles: ["worker" as const] };
  return {
    ...base,
    files: [
      ...base.files,
      signed(of("/usr/local/bin/etcd", "https://example.org/v3.6.1/etcd.tar.gz", "upstream")),
      signed(of("/usr/local/bin/etcdctl", "https://example.org/v3.6.1/etcd.tar.gz", "upstream")),
      of("/usr/bin/runc", "apt:runc=1.1.5+ds1-1", "distribution"),
    ],
    images: [
      {
        name: "registry.k8s.io/coredns/coredns:v1.12.0",
        digest: `sha256:${digestOf("image")}`,
        path: "/x",
        for: everyone,
      },
    ],
    packages: [
      {
        name: "libc6",
        version: "2.36-9+deb12u9",
        architecture: "amd64",
        format: "deb",
        distribution: "debian-12",
        path: "/y",
        for: everyone,
      },
    ],
  };
}

test("it is CycloneDX, names every download, image and package by a purl, and is the same each time", async () => {
  const bundle = { index: await index(), payloadDigest: digestOf("bundle") };
  const text = cyclonedx(bundle);
  assert.equal(cyclonedx(bundle), text);
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
  const { components } = JSON.parse(text) as { components: readonly Component[] };
  assert.deepEqual(components.map(({ type, name, version }) => `${type} ${name} ${version}`).toSorted(), [
    "application etcd.tar.gz 3.6.1",
    "application runc 3.6.1",
    "container registry.k8s.io/coredns/coredns v1.12.0",
    "library libc6 2.36-9+deb12u9",
  ]);
  const purls = components.map(({ purl = "" }) => PackageURL.fromString(purl));
  assert.deepEqual(purls.map(({ type }) => type).toSorted(), ["deb", "deb", "generic", "oci"]);
  const etcd = components.find(({ name }) => name === "etcd.tar.gz");
  assert.deepEqual(
    etcd?.components?.map(({ name }) => name),
    ["/usr/local/bin/etcd", "/usr/local/bin/etcdctl"],
  );
  assert.equal(etcd?.components?.[0]?.hashes?.[0]?.content, digestOf("/usr/local/bin/etcd"));
});

test("both, and inspect, say who pinned, where it is published, who agrees, and who signed; else nothing", async () => {
  const bundle = { index: await index(), payloadDigest: digestOf("bundle") };
  const signer = `${signedBy.fingerprint} (${signedBy.name})`;
  const { components } = JSON.parse(cyclonedx(bundle)) as { components: readonly Component[] };
  const properties = (wanted: string): unknown =>
    components.find(({ name }) => name === wanted)?.properties?.map(({ name, value }) => [name, value]);
  assert.deepEqual(properties("runc"), [["kubeferry:pinnedBy", "distribution"]]);
  assert.deepEqual(properties("etcd.tar.gz"), [
    ...agrees.toSorted().map((source) => ["kubeferry:agrees", source]),
    ["kubeferry:pinnedBy", "upstream"],
    ["kubeferry:published", published],
    ["kubeferry:signedBy", signer],
  ]);
  const said = `pinned by upstream, published at ${published}, agreed by ${agrees.join(" and ")}, signed by ${signer}`;
  const comments = (JSON.parse(spdx(bundle)) as Document).packages.flatMap(({ comment }) => comment ?? []);
  assert.deepEqual(comments.toSorted(), ["pinned by distribution", said]);
  const texts = bundle.index.files.map(({ origin }) => originText(origin)).filter((text) => text.includes("signed by"));
  assert.equal(texts.length, 2);
  assert.ok(texts[0]?.endsWith(`, ${said}`));
});

test("what is no CycloneDX is seen by the validator", async () => {
  const broken = cyclonedx({ index: await index(), payloadDigest: digestOf("bundle") }).replace(
    '"type": "container"',
    '"type": "vessel"',
  );
  assert.notEqual(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(broken), null);
});

interface Document {
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly primaryPackagePurpose: string;
    readonly comment?: string;
    readonly checksums?: readonly { readonly checksumValue: string }[];
    readonly externalRefs?: readonly { readonly referenceLocator: string }[];
  }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
}

test("it is SPDX, says of everything what CycloneDX says, and is the same each time", async () => {
  const bundle = { index: await index(), payloadDigest: digestOf("bundle") };
  const text = spdx(bundle);
  assert.equal(spdx(bundle), text);
  const said = JSON.parse(text) as Document;
  const schema = join(import.meta.dirname, "../vectors/spdx/spdx-2.3.schema.json");
  const validate = new Ajv().compile(JSON.parse(readFileSync(schema, "utf8")) as object);
  assert.ok(validate(said), JSON.stringify(validate.errors));
  assert.ok(!validate({ ...said, packages: [{ name: "no identifier" }] }), "the schema refuses what is none");

  const { components } = JSON.parse(cyclonedx(bundle)) as { components: readonly Component[] };
  const located = said.packages.flatMap(({ externalRefs = [] }) => externalRefs.map((one) => one.referenceLocator));
  assert.deepEqual(located.toSorted(), components.map(({ purl = "" }) => purl).toSorted());
  const filesOf = components
    .flatMap((one) => one.components ?? [])
    .map(({ name, hashes }) => [name, hashes?.[0]?.content]);
  const files = said.packages.filter((one) => one.primaryPackagePurpose === "FILE");
  assert.deepEqual(
    files.map(({ name, checksums }) => [name, checksums?.[0]?.checksumValue]).toSorted(),
    filesOf.toSorted(),
  );

  const ids = said.packages.map(({ SPDXID }) => SPDXID);
  assert.equal(new Set(ids).size, ids.length);
  const related = said.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement);
  assert.deepEqual(related.toSorted(), ids.toSorted(), "everything hangs on the bundle, once");
  assert.ok(said.relationships.every(({ spdxElementId }) => ["SPDXRef-DOCUMENT", ...ids].includes(spdxElementId)));
});
