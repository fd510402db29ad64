/** A small rendered cluster, a store with its one binary, and stand-ins for the installers, which no test of packing runs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestOf } from "#bundle";
import { english } from "#cli/language/language";
import type { Reporter } from "#cli/reporter";
import { Store } from "../../builder/store/store.ts";
import type { Lock } from "../../builder/lock/lock.ts";
import type { PackOptions } from "../../builder/pack/pack.ts";
import type { NodeFile, Rendered } from "../../builder/render/node-file.ts";

export const quiet: Reporter = {
  language: english,
  json: false,
  stage() {},
  info() {},
  warn() {},
  progress() {},
  record() {},
  error() {},
};

/** Like a Go binary in that it is large and repeats itself. */
export function binaryOf(seed: string, kilobytes: number): Buffer {
  const block = Buffer.concat(Array.from({ length: 32 }, (_, at) => Buffer.from(digestOf(`${seed}${at}`), "hex")));
  return Buffer.concat(Array.from({ length: kilobytes }, () => block));
}

export interface SampleClusterOptions {
  readonly binary?: Buffer;
  /** Changes the order of what was rendered, and nothing else. */
  readonly order?: <Item>(items: readonly Item[]) => Item[];
}

/** Everything that `pack` wants except keys; output is the folder itself. */
export async function sampleCluster(folder: string, options: SampleClusterOptions = {}): Promise<PackOptions> {
  const binary = options.binary ?? binaryOf("etcd", 3000);
  const order = options.order ?? ((items) => [...items]);
  const store = await Store.open(join(folder, "store"));
  const { digest, size } = await store.put(oneChunk(binary));
  mkdirSync(join(folder, "installers"), { recursive: true });
  writeFileSync(join(folder, "installers/install"), "#!/bin/sh\nexit 0\n");
  writeFileSync(join(folder, "installers/install-linux-amd64"), "a stand-in, not an executable\n");
  const lock: Lock = {
    version: 1,
    release: "distro",
    manifest: "0",
    platforms: ["linux/amd64"],
    locked: "2026-11-21",
    artifacts: [
      {
        component: "etcd",
        version: "3.4.23",
        platform: "linux/amd64",
        from: "apt:etcd-server",
        resolved: "apt:etcd-server=3.4.23",
        mirrors: [],
        digest: `sha256:${digest}`,
        size,
        pinnedBy: "distribution",
        files: { "usr/bin/etcd": "etcd" },
      },
    ],
    images: [],
    packages: [],
    requests: [],
  };
  return {
    rendered: rendered(digest, size, order),
    lock,
    store,
    cluster: {
      name: "plant-7",
      domain: "cluster.local",
      serviceCidr: "10.254.0.0/16",
      podCidr: "172.30.0.0/16",
      endpoint: null,
    },
    kubernetes: null,
    installers: {
      launcher: join(folder, "installers/install"),
      executables: { "linux/amd64": join(folder, "installers/install-linux-amd64") },
      code: join(folder, "installers/install.cjs"),
      glibc: {},
    },
    keys: null,
    output: `${folder}/`,
    producer: "kubeferry 0.1.0",
    reporter: quiet,
  };
}

function rendered(digest: Digest, size: number, order: <Item>(items: readonly Item[]) => Item[]): Rendered {
  const text = (path: string, content: string, node?: string, sensitive = false): NodeFile => ({
    path,
    mode: sensitive ? "0600" : "0644",
    owner: "0:0",
    content,
    sensitive,
    for: { roles: ["etcd"], ...(node === undefined ? {} : { nodes: [node] }) },
    origin: sensitive ? { from: "pki", name: path } : { from: "template", template: path },
  });
  const names = ["n1", "n2"];
  return {
    nodes: names.map((name, at) => ({ name, ip: `10.0.0.1${at}`, subnet: null, roles: ["etcd"], iface: null })),
    files: order([
      {
        path: "/usr/local/bin/etcd",
        mode: "0755",
        owner: "0:0",
        content: { digest, size },
        sensitive: false,
        for: { roles: ["etcd"], platforms: ["linux/amd64"] },
        origin: {
          from: "artifact",
          url: "apt:etcd-server=3.4.23",
          digest: `sha256:${digest}`,
          pinnedBy: "distribution",
        },
      },
      text("/etc/etcd/shared.conf", "listen: @NODE_IP@\n"),
      text("/etc/etcd/empty", ""),
      ...names.map((name) => text("/etc/etcd/own.conf", `name: ${name}\n`, name)),
      ...names.map((name) => text("/etc/etcd/pki/server.key", `the key of ${name}\n`, name, true)),
      text("/etc/etcd/pki/token", "everybody's token\n", undefined, true),
    ]),
    directories: order([
      { path: "/etc/etcd", mode: "0755", owner: "0:0", for: { roles: ["etcd" as const] } },
      { path: "/etc/etcd/pki", mode: "0700", owner: "0:0", for: { roles: ["etcd" as const] } },
    ]),
    units: [],
    host: {
      modules: order(["overlay", "br_netfilter"]).map((name) => ({ name, optional: false, for: { roles: ["etcd"] } })),
      sysctls: [],
      swap: "off",
      selinux: "keep",
      firewall: { mode: "keep", ports: [] },
      hosts: [],
      hostname: false,
      stopServices: [],
    },
    checks: [],
    objects: [],
    certificates: [],
    written: [],
    pods: { kubelet: null, containerd: null, docker: null, for: { roles: ["worker"] } },
  };
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
