/**
 * Bundle format 1: the shape of `bundle.json`, its encoder and its decoder. FORMAT.md is the prose of this file.
 *
 * Everything that an installer does on a host follows from this index and the host itself.
 */
import * as z from "zod";
import { canonicalJson } from "./canonical-json.ts";
import { isCleanAbsolute } from "./clean-path.ts";
import { type Digest, isDigest } from "./digest.ts";
import { nodePath, pods, written } from "./living.ts";
import { platform, role, selector } from "./selector.ts";

export const formatVersion = 1;

/** Literal texts in a worker's files that the installer replaces, and nothing else is ever replaced. */
export const tokens = ["@NODE_IP@", "@NODE_NAME@", "@NODE_IFACE@"] as const;
export type Token = (typeof tokens)[number];

const digest = z.custom<Digest>((value) => typeof value === "string" && isDigest(value), "wants 64 hex digits");
const size = z.int().nonnegative();
/** Where in the bundle: relative, normalized, no `..`. */
const memberPath = z.string().refine((text) => isCleanAbsolute(`/${text}`), "wants a clean relative path");
const mode = z.string().regex(/^[0-7]{4}$/, "wants four octal digits");
const owner = z.string().regex(/^\d+:\d+$/, "wants numeric uid:gid");

/** Where a file's bytes came from, so that an audit years later can say it. */
/** Whose OpenPGP signature over upstream's list of checksums was verified when the bundle's lock was made. */
const signedBy = z.strictObject({
  /** Of the primary key: 40 or 64 hex digits, in capitals. */
  fingerprint: z.string(),
  /** The key's user id; may be empty. */
  name: z.string(),
  /** The day, as the signature says. */
  signed: z.string(),
  /** Where the list was published. */
  list: z.string(),
});

/** What an auditor follows beside who pinned an artifact's digest; each absent where there is nothing to say. */
export const provenance = {
  /** Where upstream itself publishes the digest. */
  published: z.string().optional(),
  /** Second sources that were read independently, with the same digest: `owner/repository@commit:path`. */
  agrees: z.array(z.string()).optional(),
  signedBy: signedBy.optional(),
};

const origin = z.discriminatedUnion("from", [
  z.strictObject({
    from: z.literal("artifact"),
    url: z.string(),
    digest: z.string(),
    pinnedBy: z.enum(["release", "upstream", "mirror", "distribution", "operator", "first-use"]),
    ...provenance,
    member: z.string().optional(),
    version: z.string().optional(),
  }),
  z.strictObject({ from: z.literal("template"), template: z.string() }),
  z.strictObject({ from: z.literal("pki"), name: z.string() }),
  /** What cluster.yaml names: the operator's own file, or the option that it follows from. */
  z.strictObject({ from: z.literal("operator"), name: z.string() }),
]);

const file = z.strictObject({
  path: nodePath,
  mode,
  owner,
  /** Of the content as it is in the bundle, before tokens are replaced. */
  digest,
  size,
  tokens: z.array(z.enum(tokens)),
  /** Travels in `secrets/`, never in a blob; its content is never printed. */
  sensitive: z.boolean(),
  for: selector,
  origin,
});

const directory = z.strictObject({ path: nodePath, mode, owner, for: selector });

/** A health check: a command that only looks. Tokens in argv are replaced like those in files. */
const check = z.strictObject({
  name: z.string(),
  /** The unit it speaks for; its check runs after that unit started. */
  unit: z.string().optional(),
  argv: z.array(z.string()).min(1),
  environment: z.record(z.string(), z.string()),
  /** Exit code 0 is always wanted; besides it, stdout or stderr must match this regular expression. */
  matches: z.string().optional(),
  timeoutSeconds: z.int().positive(),
  /** `quorum`: on a member of a larger cluster the failure is only a warning, since the other members may not be up yet. */
  severity: z.enum(["error", "warning", "quorum"]),
  /** What other hosts may bring: while fewer than `enough` of these `host:port`, `[IPv6]:port`, take a connection, it cannot pass and waits. */
  awaits: z
    .strictObject({
      what: z.string(),
      at: z.array(z.string().regex(/^([^:]+|\[[\da-f:]+\]):\d+$/, "wants host:port")).min(1),
      enough: z.int().positive(),
    })
    .optional(),
  /** The command to run next when it fails. */
  hint: z.string(),
  for: selector,
});

const unit = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9@._-]+\.(service|socket|timer|mount|target)$/),
  /** Links below /etc/systemd/system that enable it: `multi-user.target.wants/etcd.service`. */
  links: z.array(memberPath),
  /** Started (and on undo stopped) in this order; equal numbers in order of name. Null: enabled but not started. */
  start: z.int().nullable(),
  /** A start that does not wait: a first etcd member is up only when the others are. */
  noBlock: z.boolean(),
  /** Changed content of any of these restarts it; those of `reloadOn` among them it only has to read anew. */
  restartOn: z.array(nodePath),
  reloadOn: z.array(nodePath).optional(),
  for: selector,
});

const sysctl = z.strictObject({
  key: z.string().regex(/^[a-z0-9_.*/-]+$/i),
  value: z.string(),
  /** `raise`: a larger number that the host already has is left alone. */
  policy: z.enum(["set", "raise"]),
  for: selector,
});

const module = z.strictObject({ name: z.string().regex(/^[a-z0-9_-]+$/i), optional: z.boolean(), for: selector });

const host = z.strictObject({
  modules: z.array(module),
  sysctls: z.array(sysctl),
  /** `off`: now and after a reboot. */
  swap: z.enum(["keep", "off"]),
  selinux: z.enum(["keep", "permissive", "disabled"]),
  firewall: z.strictObject({
    mode: z.enum(["keep", "open-ports", "disable"]),
    ports: z.array(z.strictObject({ port: z.string(), protocol: z.enum(["tcp", "udp"]), for: selector })),
    /** IP protocols without ports, by number. */
    protocols: z.array(z.strictObject({ protocol: z.int().min(0).max(255), for: selector })).optional(),
  }),
  /** Lines `ip name` of the managed block in /etc/hosts. */
  hosts: z.array(z.strictObject({ ip: z.string(), name: z.string() })),
  /** Sets the host name to the node's name. */
  hostname: z.boolean(),
  /** Foreign services to stop and disable while Kubeferry's are installed. */
  stopServices: z.array(z.string()),
  /** Servers for the host's own time daemon. Absent: it keeps those it has. */
  timeSync: z.array(z.string()).optional(),
});

const node = z.strictObject({
  name: z.string(),
  /** Null: any address in `subnet` (workers that come and go). */
  ip: z.string().nullable(),
  /** Its second address, in dual stack; absent: it has none. */
  ip6: z.string().optional(),
  subnet: z.string().nullable(),
  roles: z.array(role),
  iface: z.string().nullable(),
  /** The ID that etcd gives it as a member of the new cluster; absent where it is none. */
  member: z
    .string()
    .regex(/^[0-9a-f]{16}$/, "wants 16 hex digits")
    .optional(),
});

const image = z.strictObject({
  name: z.string(),
  digest: z.string(),
  /** Digest of its configuration, by which dockerd knows it. */
  config: z.string().optional(),
  /** OCI layout archive that `ctr -n k8s.io images import` and `docker load` take: path on the node. */
  path: nodePath,
  for: selector,
});

const osPackage = z.strictObject({
  name: z.string(),
  version: z.string(),
  architecture: z.string(),
  format: z.enum(["deb", "rpm"]),
  /** ID and VERSION_ID of os-release for which it was resolved. */
  distribution: z.string(),
  path: nodePath,
  for: selector,
});

/** Something in a running cluster, brought about by a command of the bundle after the start. */
const object = z.strictObject({
  name: z.string(),
  /** `kubectl`: a manifest applied, `grant` by the key of the CA; `etcd…`: a key put; `label`: one of this Kubernetes node. */
  via: z.enum(["kubectl", "grant", "etcd2", "etcd3", "label"]),
  /** File on the node: the manifest, or the key's value. A label has none. */
  path: nodePath.optional(),
  /** Of etcd, or of the label. */
  key: z.string().optional(),
  value: z.string().optional(),
  for: selector,
});

const certificate = z.strictObject({
  path: nodePath,
  node: z.string(),
  subject: z.string(),
  sans: z.array(z.string()),
  notBefore: z.string(),
  notAfter: z.string(),
});

const secret = z.strictObject({
  node: z.string(),
  member: memberPath,
  /** False: `--plaintext-secrets`, for labs. */
  sealed: z.boolean(),
  /** age recipients (public keys). */
  recipients: z.array(z.string()),
});

/** Steps of a rotation: the old one signs and both are trusted, the new one signs and both are, the new one alone. */
export const rotationSteps = ["trust", "reissue", "drop"] as const;
export type RotationStep = (typeof rotationSteps)[number];

const rotatedKey = z.strictObject({
  step: z.enum(rotationSteps),
  /**
   * Those that nodes trust, the one that signs first: of CAs and of service accounts the digest of the PEM, of the
   * encryption of Secrets the key's name.
   */
  trusted: z.array(z.string()).min(1),
});

/** Schema of `bundle.json`; manifests/schema is generated from it. */
export const bundleIndex = z.strictObject({
  format: z.literal(formatVersion),
  /** `kubeferry 0.1.0` */
  producer: z.string(),
  /** Day of the lock, `2026-11-21`: how old the bundle's software is. */
  locked: z.string(),
  release: z.strictObject({
    name: z.string(),
    kubernetes: z.string().nullable(),
    components: z.record(z.string(), z.string()),
  }),
  cluster: z.strictObject({
    name: z.string(),
    domain: z.string(),
    /** In dual stack a range of each family, as the daemons' flags have them: `172.30.0.0/16,fd00:172:30::/56`. */
    serviceCidr: z.string(),
    podCidr: z.string(),
    endpoint: z.string().nullable(),
  }),
  platforms: z.array(platform).min(1),
  /** Members that are neither blobs nor secrets: the launcher, the installers, README.txt. */
  members: z.record(memberPath, z.strictObject({ digest, size, mode })),
  /** Installers that run by a Node that the operator gave; absent: all by Kubeferry's own. */
  runtimes: z
    .partialRecord(platform, z.strictObject({ node: z.string(), digest, glibc: z.string().nullable() }))
    .optional(),
  /** Stored frames by the digest of their stored bytes; `length` is what comes out. */
  blobs: z.record(digest, z.strictObject({ size, length: size })),
  /** Where each plain content lies: in which frame, from which byte of what comes out. */
  contents: z.record(digest, z.strictObject({ size, blob: digest, offset: size })),
  nodes: z.array(node),
  directories: z.array(directory),
  files: z.array(file),
  units: z.array(unit),
  host,
  images: z.array(image),
  packages: z.array(osPackage),
  objects: z.array(object),
  checks: z.array(check),
  certificates: z.array(certificate),
  /** Absent: nothing is known to be written. */
  written: z.array(written).optional(),
  /** Absent: no node runs containers. */
  pods: pods.optional(),
  /** Of each of the cluster's keys that was ever rotated, by its name (`kubernetes-ca`). */
  keys: z.record(z.string(), rotatedKey).optional(),
  secrets: z.array(secret),
});

export type BundleIndex = z.infer<typeof bundleIndex>;
export type Origin = z.infer<typeof origin>;
export type FileEntry = z.infer<typeof file>;
export type DirectoryEntry = z.infer<typeof directory>;
export type UnitEntry = z.infer<typeof unit>;
export type ModuleEntry = z.infer<typeof module>;
export type SysctlEntry = z.infer<typeof sysctl>;
export type HostEntry = z.infer<typeof host>;
export type CheckEntry = z.infer<typeof check>;
export type NodeEntry = z.infer<typeof node>;
export type ImageEntry = z.infer<typeof image>;
export type PackageEntry = z.infer<typeof osPackage>;
export type ObjectEntry = z.infer<typeof object>;
export type CertificateEntry = z.infer<typeof certificate>;

/** Canonical text of an index; throws zod's error for a value that is none. */
export function encodeIndex(index: BundleIndex): string {
  return canonicalJson(bundleIndex.parse(index));
}
