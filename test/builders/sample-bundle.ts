/** A small bundle in memory, and the tools to break it: tests change members, sums or index and write what comes out. */
import { writeFileSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";
import { type BundleIndex, type Digest, blobPath, digestOf, encodeIndex, encodeSums } from "#bundle";
import { sealSecrets } from "../../builder/pack/seal-secrets.ts";
import { encodeHeader, paddingOf } from "../../installer/bundle/tar-header.ts";

export interface SampleMember {
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

export const sampleNode = "n1";
export const sampleContents = {
  binary: Buffer.from("ELF, as far as this test goes\n".repeat(200)),
  config: Buffer.from("listen: @NODE_IP@\n"),
  empty: Buffer.alloc(0),
};
export const sampleSecret = {
  path: "/etc/etcd/pki/server.key",
  content: Buffer.from("a key, as far as this test goes\n"),
};

/** The index of a sample whose one blob is `stored`. */
export function sampleIndex(stored: Buffer, install: Buffer, secrets: BundleIndex["secrets"]): BundleIndex {
  const { binary, config, empty } = sampleContents;
  const blob = digestOf(stored);
  const everyone = { roles: ["etcd" as const] };
  const file = (path: string, content: Buffer, sensitive: boolean): BundleIndex["files"][number] => ({
    path,
    mode: sensitive ? "0600" : "0644",
    owner: "0:0",
    digest: digestOf(content),
    size: content.length,
    tokens: content.includes("@NODE_IP@") ? ["@NODE_IP@"] : [],
    sensitive,
    for: everyone,
    origin: { from: "template", template: path },
  });
  return {
    format: 1,
    producer: "kubeferry 0.1.0",
    locked: "2026-11-21",
    release: { name: "distro", kubernetes: null, components: { etcd: "3.4.23" } },
    cluster: {
      name: "sample",
      domain: "cluster.local",
      serviceCidr: "10.254.0.0/16",
      podCidr: "172.30.0.0/16",
      endpoint: null,
    },
    platforms: ["linux/amd64"],
    members: { install: { digest: digestOf(install), size: install.length, mode: "0755" } },
    blobs: { [blob]: { size: stored.length, length: binary.length + config.length } },
    contents: {
      [digestOf(binary)]: { size: binary.length, blob, offset: 0 },
      [digestOf(config)]: { size: config.length, blob, offset: binary.length },
      [digestOf(empty)]: { size: 0, blob, offset: binary.length },
    },
    nodes: [{ name: sampleNode, ip: "10.0.0.11", subnet: null, roles: ["etcd"], iface: null }],
    directories: [],
    files: [
      file("/usr/local/bin/etcd", binary, false),
      file("/etc/etcd/etcd.conf", config, false),
      file("/etc/etcd/empty", empty, false),
      file(sampleSecret.path, sampleSecret.content, true),
    ],
    units: [],
    host: {
      modules: [],
      sysctls: [],
      swap: "keep",
      selinux: "keep",
      firewall: { mode: "keep", ports: [] },
      hosts: [],
      hostname: false,
      stopServices: [],
    },
    images: [],
    packages: [],
    objects: [],
    checks: [],
    certificates: [],
    secrets,
  };
}

export interface Sample {
  readonly index: BundleIndex;
  readonly blob: Digest;
  /** bundle.json, SHA256SUMS, and the rest in the written order. */
  readonly members: SampleMember[];
}

export interface SampleOptions {
  /** age recipients; none: plaintext secrets. */
  readonly recipients?: readonly string[];
  /** Instead of the frame that the contents give. */
  readonly stored?: Buffer;
  /** Changes the index before it is encoded. */
  readonly edit?: (index: BundleIndex) => unknown;
  /** Changes the bytes of the secrets member. */
  readonly editSecrets?: (bytes: Buffer) => Buffer;
}

export async function sample(options: SampleOptions = {}): Promise<Sample> {
  const { binary, config } = sampleContents;
  const recipients = options.recipients ?? [];
  const stored = options.stored ?? zstdCompressSync(Buffer.concat([binary, config]));
  const install = Buffer.from("#!/bin/sh\nexit 0\n");
  const secrets = await sealSecrets(new Map([[sampleSecret.path, sampleSecret.content]]), recipients);
  const secretMember = `secrets/${sampleNode}.${recipients.length > 0 ? "age" : "tar"}`;
  const entry = { node: sampleNode, member: secretMember, sealed: recipients.length > 0, recipients: [...recipients] };
  const index = sampleIndex(stored, install, [entry]);
  const json = options.edit === undefined ? encodeIndex(index) : encodeEdited(index, options.edit);
  const rest: SampleMember[] = [
    { path: "install", mode: 0o755, content: install },
    { path: blobPath(digestOf(stored)), mode: 0o644, content: stored },
    { path: secretMember, mode: 0o644, content: options.editSecrets?.(secrets) ?? secrets },
  ];
  const first = { path: "bundle.json", mode: 0o644, content: Buffer.from(json) };
  return { index, blob: digestOf(stored), members: [first, sumsOf([first, ...rest]), ...rest] };
}

/** SHA256SUMS of members. */
export function sumsOf(members: readonly SampleMember[]): SampleMember {
  const sums = encodeSums(members.map(({ path, content }) => [path, digestOf(content)]));
  return { path: "SHA256SUMS", mode: 0o644, content: Buffer.from(sums) };
}

/** The index after an edit that its schema may not know, in the same spelling. */
function encodeEdited(index: BundleIndex, edit: (index: BundleIndex) => unknown): string {
  const copy = structuredClone(index);
  const edited = edit(copy) ?? copy;
  return `${JSON.stringify(edited, null, 1)}\n`;
}

/** A tar of members, as Kubeferry writes it. */
export function tarOf(members: readonly SampleMember[]): Buffer {
  return Buffer.concat([...members.map((member) => memberBytes(member)), Buffer.alloc(1024)]);
}

/** One member: header, data, padding. `header` changes the header before its checksum is made anew. */
export function memberBytes(member: SampleMember, header?: (block: Buffer) => void): Buffer {
  const block = encodeHeader(member.path, member.content.length, member.mode);
  if (header !== undefined) {
    header(block);
    resum(block);
  }
  return Buffer.concat([block, member.content, Buffer.alloc(paddingOf(member.content.length))]);
}

/** Puts the right checksum into a header. */
export function resum(block: Buffer): void {
  block.fill(" ", 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")} \0`, 148, "latin1");
}

export function writeSample(path: string, { members }: Pick<Sample, "members">): string {
  writeFileSync(path, tarOf(members));
  return path;
}

/** The sample with another text as its index, and a SHA256SUMS that fits. */
export function withIndex({ members }: Sample, text: Buffer): Buffer {
  const others = members.filter(({ path }) => path !== "bundle.json" && path !== "SHA256SUMS");
  const index = { path: "bundle.json", mode: 0o644, content: text };
  return tarOf([sumsOf([index, ...others]), index, ...others]);
}
