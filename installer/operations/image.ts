/**
 * A container image from the bundle's archive in the node's runtime: imported, checked by its digest, and pinned against
 * garbage collection. Undo takes it out again unless a container uses it.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import type { Kind } from "./operation.ts";

export interface ImageSpec {
  readonly runtime: "containerd" | "docker";
  /** Full name: `registry.k8s.io/pause:3.10.2`. */
  readonly name: string;
  /** Of the platform's manifest, `sha256:…`. */
  readonly digest: string;
  /** Of its configuration, `sha256:…`: the image's id in docker. */
  readonly config: string;
  /** The OCI layout archive on the node. */
  readonly path: string;
  /** The runtime's client with its own options: `["/usr/local/bin/ctr"]`, `["docker"]`. */
  readonly client: readonly string[];
  /** False with `--root`: no runtime runs, and nothing is imported. */
  readonly live: boolean;
}

export interface ImageBefore {
  /** Digest (containerd) or id (docker) that the name had; null: no such image, or no runtime yet. */
  readonly found: string | null;
  readonly pinned: boolean;
  /** Whether containerd had it under the name that its CRI gives every image, too: the digest of its configuration. */
  readonly identified?: boolean;
}

const pin = "io.cri-containerd.pinned=pinned";
const timeoutSeconds = 900;

export const image: Kind<ImageSpec, ImageBefore> = {
  resource: ({ name }) => `image ${name}`,
  describe: ({ name, live }) => `image ${name}${live ? "" : " (imported at the first ./install on the running host)"}`,
  async inspect(host, spec) {
    if (!spec.live) return { found: null, pinned: false };
    return spec.runtime === "containerd" ? await inspectContainerd(host, spec) : await inspectDocker(host, spec);
  },
  forward(spec, before) {
    if (!spec.live) return [];
    return spec.runtime === "containerd" ? toContainerd(spec, before) : toDocker(spec, before);
  },
  backward(spec, before) {
    if (!spec.live || before.found === wantedOf(spec)) return unpin(spec, before);
    return spec.runtime === "containerd" ? fromContainerd(spec, before) : fromDocker(spec, before);
  },
};

function wantedOf(spec: ImageSpec): string {
  return spec.runtime === "containerd" ? spec.digest : spec.config;
}

function toContainerd(spec: ImageSpec, before: ImageBefore): Effect[] {
  const { name, digest, path } = spec;
  if (before.found === digest && before.pinned) return [];
  const label = ctr(spec, ["images", "label", name, pin]);
  if (before.found === digest) return [label];
  return [
    ...(before.found === null ? [] : [keep(spec, before.found)]),
    ctr(spec, ["images", "import", path]),
    // ctr's exit code says nothing about what the name now means.
    { ...ctr(spec, ["images", "ls", `name==${name}`]), matches: `^${literal(name)}\\s+\\S+\\s+${digest}\\s` },
    label,
  ];
}

/** Not by force: after a crash the name may mean the new image already, and the first try has kept the right one. */
function keep(spec: ImageSpec, digest: string): Effect {
  return { ...ctr(spec, ["images", "tag", spec.name, keptName(digest)]), forgive: "already exists" };
}

function toDocker(spec: ImageSpec, before: ImageBefore): Effect[] {
  if (before.found === spec.config) return [];
  return [
    docker(spec, ["load", "--quiet", "--input", spec.path]),
    { ...docker(spec, ["image", "inspect", "--format", "{{.Id}}", spec.name]), matches: `^${spec.config}$` },
  ];
}

/**
 * The name goes, and with it the one that containerd's CRI made of the configuration's digest as soon as it saw the
 * import: that alone would keep the image. One that meant another image before means it again. containerd keeps the snapshots that running
 * containers need, whatever becomes of a name, and a runtime that is stopped gives exit code 1.
 */
function fromContainerd(spec: ImageSpec, before: ImageBefore): Effect[] {
  const { name } = spec;
  const lenient = [0, 1, 127];
  const byId = before.identified === false ? [ctr(spec, ["images", "rm", spec.config], lenient)] : [];
  if (before.found === null) return [ctr(spec, ["images", "rm", name], lenient), ...byId];
  const kept = keptName(before.found);
  return [
    ctr(spec, ["images", "tag", "--force", kept, name], lenient),
    ctr(spec, ["images", "rm", kept], lenient),
    ...byId,
  ];
}

/** The name of an image that a newer one takes the name of, until undo. */
function keptName(digest: string): string {
  return `kubeferry.local/before:${digest.slice("sha256:".length, "sha256:".length + 32)}`;
}

function fromDocker(spec: ImageSpec, before: ImageBefore): Effect[] {
  // Without --force, docker itself refuses to remove what a container uses.
  if (before.found === null) return [docker(spec, ["image", "rm", spec.name], [0, 1, 127])];
  return [docker(spec, ["image", "tag", before.found, spec.name], [0, 1, 127])];
}

function unpin(spec: ImageSpec, before: ImageBefore): Effect[] {
  if (!spec.live || spec.runtime !== "containerd" || before.pinned) return [];
  return [ctr(spec, ["images", "label", spec.name, `${pin.split("=")[0]}=`], [0, 1, 127])];
}

async function inspectContainerd(host: HostReader, spec: ImageSpec): Promise<ImageBefore> {
  const filters = [`name==${spec.name}`, `name==${spec.config}`];
  const { code, stdout } = await host.query([...spec.client, "-n", "k8s.io", "images", "ls", ...filters]);
  const lines = code === 0 ? stdout.split("\n") : [];
  const line = lines.find((text) => text.startsWith(`${spec.name} `));
  const identified = lines.some((text) => text.startsWith(`${spec.config} `));
  return { found: line?.split(/\s+/)[2] ?? null, pinned: line?.includes(pin) ?? false, identified };
}

async function inspectDocker(host: HostReader, spec: ImageSpec): Promise<ImageBefore> {
  const { code, stdout } = await host.query([...spec.client, "image", "inspect", "--format", "{{.Id}}", spec.name]);
  return { found: code === 0 ? stdout.trim() : null, pinned: false };
}

function ctr({ client }: ImageSpec, argv: readonly string[], accept?: readonly number[]): Effect & { do: "run" } {
  return run([...client, "-n", "k8s.io", ...argv], accept);
}

function docker({ client }: ImageSpec, argv: readonly string[], accept?: readonly number[]): Effect & { do: "run" } {
  return run([...client, ...argv], accept);
}

function run(argv: readonly string[], accept?: readonly number[]): Effect & { do: "run" } {
  return { do: "run", argv, timeoutSeconds, ...(accept === undefined ? {} : { accept }) };
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
