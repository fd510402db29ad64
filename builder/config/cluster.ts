/** `cluster.yaml`: its schema with defaults. Rules between fields are in rules.ts. */
import * as z from "zod";
import { platforms, roles } from "#bundle";
import { keyAlgorithms } from "./key-algorithms.ts";
import {
  addresses,
  dnsDomain,
  dnsLabel,
  interfaceName,
  ipAddress,
  ipNetwork,
  labelKey,
  labelValue,
  moduleName,
  nodeName,
  packageName,
  providedName,
  ranges,
  repositoryUrl,
  subjectAltName,
  sysctlKey,
  sysctlValue,
  taint,
  unitName,
} from "./names.ts";

/** `control-plane` is accepted for `master`. */
export const role = z
  .enum([...roles, "control-plane"])
  .transform((value) => (value === "control-plane" ? "master" : value));
const absolute = z.string().regex(/^(\/(?!\.{1,2}(\/|$))[^\s/]+)+$/, "wants an absolute path, without . and .. in it");
const flags = z.record(
  z.string().regex(/^[a-z0-9-]+$/, "wants a flag's name, without the dashes before it"),
  z.union([z.string(), z.number(), z.boolean()], { error: "wants a text, a number, true or false" }).transform(String),
);
/** Fields of a daemon's own configuration file, as the file has them. */
const fields = z.record(z.string().regex(/^[A-Za-z][\w-]*$/, "wants a field's name"), z.json()).default({});

const node = z.strictObject({
  name: nodeName,
  ip: addresses,
  roles: z.array(role).min(1),
  iface: interfaceName.optional(),
  labels: z.record(labelKey, labelValue).default({}),
  taints: z.array(taint).default([]),
});

const network = z.strictObject({
  services: ranges.prefault("10.254.0.0/16"),
  pods: ranges.prefault("172.30.0.0/16"),
  nodePorts: z
    .string()
    .regex(/^\d+-\d+$/, "wants FIRST-LAST")
    .default("30000-32767"),
  domain: dnsDomain.default("cluster.local"),
  /** Whom the cluster's DNS asks for names of others; none: nobody. */
  nameservers: z.array(ipAddress).max(3).default([]),
  plugin: z.enum(["flannel", "flannel-etcd", "calico", "static-routes"]).optional(),
  proxyMode: z.enum(["iptables", "ipvs", "nftables"]).optional(),
});

const api = z.strictObject({
  /** How consumers reach the API servers. */
  endpoint: z.enum(["first-master", "vip", "local-proxy"]).default("first-master"),
  vip: z
    .strictObject({
      address: ipAddress,
      interface: interfaceName,
      port: z.int().default(8443),
      routerId: z.int().min(1).max(255).default(68),
    })
    .optional(),
  /** Further names and addresses for the API server's certificate. */
  sans: z.array(subjectAltName).default([]),
});

const host = z.strictObject({
  swap: z.enum(["keep", "off"]).default("off"),
  selinux: z.enum(["keep", "permissive", "disabled"]).default("keep"),
  firewall: z.enum(["keep", "open-ports", "disable"]).default("keep"),
  hostname: z.boolean().default(false),
  hosts: z.boolean().default(true),
  sysctls: z.record(sysctlKey, sysctlValue).default({}),
  modules: z.array(moduleName).default([]),
  stopServices: z.array(unitName).default([]),
  timeSync: z
    .union([z.literal("keep"), z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/)).min(1)], {
      error: "wants keep, or a list of time servers' names or addresses",
    })
    .default("keep"),
  limits: z
    .strictObject({
      // A login whose limit is above the kernel's fs.nr_open is refused, and root's is one.
      nofile: z.int().min(1024).max(1048576).optional(),
      nproc: z.int().min(1024).optional(),
    })
    .prefault({}),
  path: z.boolean().default(true),
  /** Programs (absolute paths) and libraries (sonames) that every host has, beyond the declared base: `[/usr/sbin/haproxy]`. */
  provides: z.array(providedName).default([]),
});

/** A registry inside the gap, or mirrors of one outside. */
const registry = z.strictObject({
  /** Asked before it, in this order; each may have an entry of its own. */
  mirrors: z.array(z.url({ protocol: /^https?$/, error: "wants https://HOST[:PORT][/PATH]" })).default([]),
  /** File with the certificates of the CAs that sign its own, PEM. */
  ca: z.string().min(1).optional(),
  /** Any certificate is taken, and plain HTTP. */
  insecure: z.boolean().default(false),
  /** File with one line, `user:password`. */
  credentials: z.string().min(1).optional(),
});

/** A file of the operator's own. */
const ownFile = z.strictObject({
  path: absolute,
  /** Beside cluster.yaml, or absolute. */
  source: z.string().min(1),
  roles: z
    .array(role)
    .min(1)
    .default([...roles]),
  /** Names of nodes; absent: every one that has one of the roles. */
  nodes: z.array(nodeName).min(1).optional(),
  /** In quotes, since YAML would read a number. Default: 0644, of a secret 0600. */
  mode: z
    .string()
    .regex(/^[0-7]{4}$/, 'wants four octal digits, "0644"')
    .optional(),
  owner: z
    .string()
    .regex(/^\d{1,10}:\d{1,10}$/, 'wants numbers, "0:0" (uid:gid)')
    .default("0:0"),
  /** Sealed for its nodes, and never printed. */
  secret: z.boolean().default(false),
});

const days = z.int().max(36_500);

const certificates = z.strictObject({
  /** Of every key that is made: the CAs' and the leaves'. */
  algorithm: z.enum(keyAlgorithms).default("RSA-2048"),
  caDays: days.min(365).default(3650),
  /** Preflight wants 30 days more than none. */
  days: days.min(60).default(1095),
  /** As long as a bundle may lie before its last node joins. */
  tokenDays: days.min(1).default(365),
  administrators: z
    .string()
    .regex(
      /^(?!system:)[A-Za-z0-9][A-Za-z0-9:._@-]{0,62}$/,
      "wants letters, digits and : . _ @ -, and no system: before",
    )
    .default("kubeferry:administrators"),
});

/** An image of the operator's own, or another source for one of the release's. */
const image = z.strictObject({
  name: z.string().min(1),
  from: z
    .string()
    .regex(/^(oci|docker-archive|dir):./, "wants oci:DIRECTORY, docker-archive:FILE or dir:DIRECTORY")
    .optional(),
  roles: z.array(role).min(1).default(["master", "worker"]),
});

/** Where packages of another distribution than this machine's come from. */
const repository = z.strictObject({
  /** `https://…` or `file:///…`: of apt the part before `dists/`, of rpm the folder that holds `repodata/`. */
  url: repositoryUrl,
  /** apt only. */
  suite: z.string().optional(),
  components: z.array(z.string()).optional(),
  /** File with the public key that signs it. */
  key: z.string().optional(),
});

const packages = z.strictObject({
  /** ID and VERSION_ID of os-release: `debian 12`, or `debian-12`. */
  distribution: z.preprocess(
    (value) => (typeof value === "string" ? value.replace(/^([a-z]+)-(?=\d)/, "$1 ") : value),
    z.string().regex(/^[a-z][a-z0-9._-]* [\w.-]+$/, 'wants ID and VERSION_ID of os-release, "debian 12"'),
  ),
  names: z.array(packageName),
  /** None: apt's own sources on this machine. */
  repositories: z.array(repository).optional(),
  /** File that lists what every host has: lines `name version`. Default: manifests/bases/<distribution>.txt. */
  base: z.string().optional(),
});

export const clusterSchema = z.strictObject({
  name: dnsLabel,
  release: z.string(),
  platforms: z.array(z.enum(platforms)).min(1).default(["linux/amd64"]),
  nodes: z.array(node).min(1),
  /** Any address in here may become a worker with no entry of its own. */
  workers: z.strictObject({ subnet: ipNetwork }).optional(),
  network: network.prefault({}),
  api: api.prefault({}),
  runtime: z.enum(["containerd", "docker"]).default("containerd"),
  etcd: z
    .strictObject({
      dataDir: absolute.default("/var/lib/etcd"),
      walDir: absolute.optional(),
      snapshots: z
        .strictObject({
          interval: z.string().regex(/^[1-9]\d{0,3}(min|h|d)$/, "a time of systemd, as in 6h"),
          keep: z.int().min(1).max(9999).default(28),
        })
        .optional(),
    })
    .prefault({}),
  directories: z
    .strictObject({
      kubelet: absolute.default("/var/lib/kubelet"),
      containerd: absolute.default("/var/lib/containerd"),
      docker: absolute.default("/var/lib/docker"),
    })
    .prefault({}),
  certificates: certificates.prefault({}),
  /** What a benchmark asks of a cluster beyond the usual: docs/cis.md. */
  profile: z.enum(["cis"]).optional(),
  encryptionAtRest: z.boolean().default(true),
  audit: z.boolean().default(true),
  /** Extra flags by daemon: `kube-apiserver: { event-ttl: 2h }`. */
  flags: z.record(z.string(), flags).default({}),
  kubelet: fields,
  "kube-proxy": fields,
  "kube-scheduler": fields,
  containerd: fields,
  docker: fields,
  addons: z.array(z.string()).optional(),
  /** Optional programs of the release for the nodes' operators: `[nerdctl, helm]`. */
  tools: z.array(z.string()).default([]),
  /** Alternatives of the release's components to take instead of their usual artifacts: `[server-tarball]`. */
  alternatives: z.array(z.string()).default([]),
  host: host.prefault({}),
  /** By the name that images have it: `registry.plant.example:5000`, `docker.io`; `*` is any other. */
  registries: z
    .record(
      z.string().regex(/^(\*|([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d+)?)$/, "wants HOST or HOST:PORT, or *"),
      registry,
    )
    .default({}),
  files: z.array(ownFile).default([]),
  /** Files of Kubernetes objects beside cluster.yaml, applied in this order after the addons; their images travel along. */
  manifests: z.array(z.string().min(1)).default([]),
  images: z.array(image).default([]),
  packages: z.array(packages).default([]),
});

export type ClusterConfig = z.infer<typeof clusterSchema>;
/** One entry of `packages:`. */
export type PackageRequest = ClusterConfig["packages"][number];
