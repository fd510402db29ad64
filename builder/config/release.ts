/**
 * A release manifest: which components a release has, and where each artifact's bytes come from.
 * `manifests/releases/*.yaml` are of this shape; they are data only.
 */
import * as z from "zod";
import { platforms, roles } from "#bundle";

const platform = z.enum(platforms);

/** `sha256:<64 hex>` or `sha512:<128 hex>`, as upstream publishes it. */
export const publishedDigest = z
  .string()
  .regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, "wants sha256:<64 hex digits> or sha512:<128 hex digits>");

/** Settings of a cluster that decide whether it needs something; all that are named must hold. See wanted.ts. */
const condition = z.strictObject({
  runtime: z.enum(["containerd", "docker"]).optional(),
  plugin: z.enum(["flannel", "flannel-etcd", "calico", "static-routes"]).optional(),
  endpoint: z.enum(["first-master", "vip", "local-proxy"]).optional(),
  proxyMode: z.enum(["iptables", "ipvs", "nftables"]).optional(),
  /** One of the cluster's `addons` has this name. */
  addon: z.string().optional(),
  /** One of the cluster's `tools` has this name. */
  tool: z.string().optional(),
});

/** Why a digest is believed. */
const provenance = {
  /** Where upstream itself publishes it, for whoever can ask: a checksum file, or release notes. */
  published: z.url({ protocol: /^https$/ }).optional(),
  /** Where it was read when this manifest was written: `owner/repository@commit:path`. */
  source: z.string().optional(),
  /** Second sources, read independently, with the same digest. */
  agrees: z.array(z.string()).optional(),
  confidence: z.enum(["high", "medium", "low", "missing"]).optional(),
};

/** Upstream's OpenPGP signature over the list that `checksum`, or else `published`, names. */
const signature = z.strictObject({
  /** One of the manifest's `signers`. */
  by: z.string(),
  /** The detached signature; absent: the list is clear-signed, and holds its own. */
  from: z.string().optional(),
});

/** Who signs what an upstream publishes. */
const signer = z.strictObject({
  /** One of these must have signed: fingerprints of primary keys. */
  fingerprints: z
    .array(z.string().regex(/^([0-9A-F]{40}|[0-9A-F]{64})$/, "wants a fingerprint: 40 hex digits, in capitals"))
    .min(1),
  /** A file of public keys, of which only those count; it may come from anywhere. */
  keys: z.string(),
  /** Where it was read that upstream signs so: `owner/repository@commit:path`. */
  source: z.string().optional(),
});

const artifact = z.strictObject({
  platform,
  /** Where it is not the component's: alternatives may be of another version. */
  version: z.string().optional(),
  /** `https://…`, `http://…`, `file:…`, or `apt:PACKAGE[=VERSION]` (of the machine's own distribution). */
  from: z.string(),
  /** Further places for the same bytes, tried in order. */
  mirrors: z.array(z.string()).default([]),
  /** Absent for `apt:` (the distribution's signed index has it) and where `checksum` or `pin` says more. */
  digest: publishedDigest.optional(),
  /** Upstream's published checksum file, for `lock` to read where `digest` is absent. */
  checksum: z.string().optional(),
  /** Who upstream is; `lock` holds the list against it, and the digest against the list. */
  signature: signature.optional(),
  /** No published digest was found: `lock` refuses and says how to pin it. */
  pin: z.literal("missing").optional(),
  ...provenance,
  /**
   * Archive member → name of the binary (or file) it becomes in the catalogue: `usr/bin/etcd: etcd`.
   * The member `.` is the artifact itself (a plain binary). A member may end in `/*`: every file right below it, under its own name.
   */
  files: z.record(z.string(), z.string()),
});

export const releaseComponent = z.strictObject({
  name: z.string(),
  /** Absent where the distribution decides (`apt:`). */
  version: z.string().optional(),
  /** Who needs it; a component that no chosen node needs is not fetched. */
  roles: z.array(z.enum(roles)).min(1),
  /** Only with this setting of the cluster, for instance `runtime: docker`. */
  when: condition.optional(),
  artifacts: z.array(artifact).min(1),
  /** Platforms for which upstream publishes nothing that could be pinned, each with the reason. */
  unavailable: z.partialRecord(platform, z.string()).default({}),
  /** Other ways to the same binaries (a server tarball, another version), by the name that `alternatives` of cluster.yaml takes. */
  alternatives: z.record(z.string(), z.array(artifact)).default({}),
  note: z.string().optional(),
});

const image = z.strictObject({
  /** `registry.k8s.io/pause:3.10.2` */
  name: z.string(),
  /** Of the index or manifest, `sha256:…`; absent: `lock` asks the registry. */
  digest: z.string().optional(),
  /** Taken from here instead of a registry: `oci:DIRECTORY[:TAG]` or `docker-archive:FILE`. */
  from: z.string().optional(),
  for: z.string(),
  roles: z.array(z.enum(roles)).min(1),
  when: condition.optional(),
  /** Where the name stands for one platform only (`metrics-server-amd64`). */
  platform: platform.optional(),
  ...provenance,
  note: z.string().optional(),
});

export const releaseSigners = z.record(z.string(), signer);

const manifest = z.strictObject({
  /** `kubernetes-1.36`, `distro` */
  release: z.string(),
  description: z.string(),
  /** Which generation of units, flags and files is rendered: a name of generations.ts. */
  generation: z.enum(["distro", "1.6", "1.11", "1.16", "1.36"]),
  /** Kubernetes' version; null where the release has none. */
  kubernetes: z.string().nullable(),
  components: z.array(releaseComponent).min(1),
  images: z.array(image).default([]),
  /** By the name that `signature` of an artifact has. */
  signers: releaseSigners.optional(),
});

export const releaseManifest = manifest.superRefine(({ components, signers = {} }, context) => {
  for (const [at, { artifacts, alternatives }] of components.entries()) {
    const all = [["artifacts", artifacts] as const, ...Object.entries(alternatives)];
    for (const [name, some] of all) {
      const path = ["components", at, ...(some === artifacts ? [name] : ["alternatives", name])];
      for (const [index, { signature: { by } = {}, checksum, published }] of some.entries()) {
        if (by === undefined) continue;
        const wrong =
          signers[by] === undefined
            ? `no \`signers\` has the name ${by}`
            : (checksum ?? published) === undefined
              ? "wants the list that is signed, as `checksum` or `published`"
              : null;
        if (wrong !== null) context.addIssue({ code: "custom", path: [...path, index, "signature"], message: wrong });
      }
    }
  }
});

export type ReleaseManifest = z.infer<typeof releaseManifest>;
export type Component = ReleaseManifest["components"][number];
export type Artifact = Component["artifacts"][number];
export type Signers = NonNullable<ReleaseManifest["signers"]>;
export type Condition = NonNullable<Component["when"]>;
export type ReleaseImage = ReleaseManifest["images"][number];
