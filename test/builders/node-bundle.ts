/** A bundle with everything that a node can be given, small and written in a moment: what the installer's tests install. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { blobPath, type BundleIndex, digestOf, encodeIndex, type Role, type Token, tokens } from "#bundle";
import { sealSecrets } from "../../builder/pack/seal-secrets.ts";
import { type SampleMember, sumsOf, writeSample } from "./sample-bundle.ts";

export interface FileWish {
  readonly path: string;
  readonly content: string | Buffer;
  readonly mode?: string;
  readonly sensitive?: boolean;
  readonly roles?: readonly Role[];
  readonly nodes?: readonly string[];
}

export interface NodeBundleOptions {
  readonly files?: readonly FileWish[];
  /** age recipients; none: plaintext secrets. */
  readonly recipients?: readonly string[];
  readonly edit?: (index: BundleIndex) => void;
  /** Text of `install`; default: one that does nothing. */
  readonly launcher?: string;
}

const all: Role[] = ["etcd", "master", "worker"];

/** Files of a made-up component, with two contents that are the same, a token and a secret. */
export const nodeFiles: readonly FileWish[] = [
  {
    path: "/opt/ferry/bin/serve",
    content: Buffer.alloc(200_000, "a program, as far as this test goes\n"),
    mode: "0755",
  },
  {
    path: "/opt/ferry/bin/serve-again",
    content: Buffer.alloc(200_000, "a program, as far as this test goes\n"),
    mode: "0750",
  },
  { path: "/etc/ferry/serve.conf", content: "listen: @NODE_IP@\nname: @NODE_NAME@\n" },
  { path: "/etc/ferry/pki/serve.key", content: "a key\n", mode: "0600", sensitive: true },
  { path: "/etc/sysctl.d/90-ferry.conf", content: "vm.swappiness = 0\n" },
  { path: "/etc/systemd/system/serve.service", content: "[Service]\nExecStart=/opt/ferry/bin/serve\n" },
];

/** Nodes: `n1` (10.0.0.11: all roles), `n2` (10.0.0.12: worker), and the profile `worker` for 10.0.0.0/24. */
export async function nodeBundle(options: NodeBundleOptions = {}): Promise<SampleMember[]> {
  const files = options.files ?? nodeFiles;
  const recipients = options.recipients ?? [];
  const plain = files.filter(({ sensitive }) => sensitive !== true);
  const contents = new Map(plain.map(({ content }) => [digestOf(content), Buffer.from(content)]));
  const stored = zstdCompressSync(Buffer.concat([...contents.values()]));
  const blob = digestOf(stored);
  let offset = 0;
  const places = [...contents].map(([digest, content]) => {
    offset += content.length;
    return [digest, { size: content.length, blob, offset: offset - content.length }] as const;
  });
  const secretFiles = new Map(
    files.filter(({ sensitive }) => sensitive).map(({ path, content }) => [path, Buffer.from(content)]),
  );
  const sealed = await sealSecrets(secretFiles, recipients);
  const nodes: BundleIndex["nodes"] = [
    { name: "n1", ip: "10.0.0.11", subnet: null, roles: all, iface: null },
    { name: "n2", ip: "10.0.0.12", subnet: null, roles: ["worker"], iface: null },
    { name: "worker", ip: null, subnet: "10.0.0.0/24", roles: ["worker"], iface: null },
  ];
  const secretMembers = nodes.map(({ name }) => ({
    path: `secrets/${name}.${recipients.length > 0 ? "age" : "tar"}`,
    mode: 0o644,
    content: sealed,
  }));
  const install = Buffer.from(options.launcher ?? "#!/bin/sh\nexit 0\n");
  const index: BundleIndex = {
    format: 1,
    producer: "kubeferry 0.1.0",
    locked: "2026-11-21",
    release: { name: "distro", kubernetes: null, components: { serve: "1.0" } },
    cluster: {
      name: "sample",
      domain: "cluster.local",
      serviceCidr: "10.254.0.0/16",
      podCidr: "172.30.0.0/16",
      endpoint: null,
    },
    platforms: ["linux/amd64"],
    members: { install: { digest: digestOf(install), size: install.length, mode: "0755" } },
    blobs: { [blob]: { size: stored.length, length: offset } },
    contents: Object.fromEntries(places),
    nodes,
    directories: [{ path: "/var/lib/ferry", mode: "0700", owner: "0:0", for: { roles: all } }],
    files: files.map((file) => entryOf(file)),
    units: [
      {
        name: "serve.service",
        links: ["multi-user.target.wants/serve.service"],
        start: 10,
        noBlock: false,
        restartOn: ["/opt/ferry/bin/serve", "/etc/ferry/serve.conf"],
        for: { roles: all },
      },
    ],
    host: {
      modules: [{ name: "br_netfilter", optional: false, for: { roles: all } }],
      sysctls: [{ key: "vm.swappiness", value: "0", policy: "set", for: { roles: all } }],
      swap: "off",
      selinux: "keep",
      firewall: { mode: "keep", ports: [] },
      hosts: [{ ip: "10.0.0.11", name: "n1" }],
      hostname: false,
      stopServices: [],
    },
    images: [],
    packages: [],
    objects: [],
    checks: [],
    certificates: [],
    secrets: nodes.map(({ name }, position) => ({
      node: name,
      member: secretMembers[position]?.path ?? "",
      sealed: recipients.length > 0,
      recipients: [...recipients],
    })),
  };
  options.edit?.(index);
  const first = { path: "bundle.json", mode: 0o644, content: Buffer.from(encodeIndex(index)) };
  const rest = [
    { path: "install", mode: 0o755, content: install },
    { path: blobPath(blob), mode: 0o644, content: stored },
    ...secretMembers,
  ];
  return [first, sumsOf([first, ...rest]), ...rest];
}

/** Written as a tar at `path`, which is returned. */
export async function writeNodeBundle(path: string, options: NodeBundleOptions = {}): Promise<string> {
  return writeSample(path, { members: await nodeBundle(options) });
}

/** Written as a directory, as tar would unpack it. */
export async function unpackNodeBundle(folder: string, options: NodeBundleOptions = {}): Promise<string> {
  for (const { path, mode, content } of await nodeBundle(options)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode });
  }
  return folder;
}

function entryOf({
  path,
  content,
  mode = "0644",
  sensitive = false,
  roles = all,
  nodes,
}: FileWish): BundleIndex["files"][number] {
  const bytes = Buffer.from(content);
  return {
    path,
    mode,
    owner: "0:0",
    digest: digestOf(bytes),
    size: bytes.length,
    tokens: tokens.filter((token: Token) => bytes.includes(token)),
    sensitive,
    for: { roles: [...roles], ...(nodes === undefined ? {} : { nodes: [...nodes] }) },
    origin: { from: "template", template: path },
  };
}
