/**
 * A container image from the bundle's archive in the node's runtime: imported, checked by its digest, and pinned against
 * garbage collection. Undo takes it out again unless a container uses it.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import type { Resource, Unknown } from "./resource.ts";

export interface ImageId {
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
}

export interface ImageState {
  /** Digest (containerd) or id (docker) that the name has; null: no such image. */
  readonly found: string | null;
  /** Against garbage collection, which docker has none of. */
  readonly pinned: boolean;
  /** Whether containerd has it under the name that its CRI gives every image, too: the digest of its configuration. */
  readonly identified?: boolean;
}

const pin = "io.cri-containerd.pinned=pinned";
const timeoutSeconds = 900;

export const image: Resource<ImageId, ImageState> = {
  name: ({ name }) => `image ${name}`,
  describe: ({ name }) => `image ${name}`,
  async inspect(host, id) {
    if (!host.live) return { unknown: "the host does not run" };
    return id.runtime === "containerd" ? await inspectContainerd(host, id) : await inspectDocker(host, id);
  },
  spec: (id, now) => ({ ...now, found: nameIn(id), pinned: id.runtime === "containerd" }),
  equal: (a, b) => a.found === b.found && a.pinned === b.pinned,
  steps(id, from, to) {
    if (image.equal(from, to)) return [];
    if (to.found === from.found) return pinning(id, to);
    if (to.found === nameIn(id)) return id.runtime === "containerd" ? toContainerd(id, from) : toDocker(id);
    return id.runtime === "containerd" ? fromContainerd(id, to) : fromDocker(id, to);
  },
  ofDaemon: true,
};

function nameIn(id: ImageId): string {
  return id.runtime === "containerd" ? id.digest : id.config;
}

function toContainerd(id: ImageId, from: ImageState): Effect[] {
  const { name, digest, path } = id;
  return [
    ...(from.found === null ? [] : [keep(id, from.found)]),
    ctr(id, ["images", "import", path]),
    // ctr's exit code says nothing about what the name now means.
    { ...ctr(id, ["images", "ls", `name==${name}`]), matches: `^${literal(name)}\\s+\\S+\\s+${digest}\\s` },
    ...pinning(id, { pinned: true }),
  ];
}

/** Not by force: after a crash the name may mean the new image already, and the first try has kept the right one. */
function keep(id: ImageId, digest: string): Effect {
  return { ...ctr(id, ["images", "tag", id.name, keptName(digest)]), forgive: "already exists" };
}

function toDocker(id: ImageId): Effect[] {
  return [
    docker(id, ["load", "--quiet", "--input", id.path]),
    { ...docker(id, ["image", "inspect", "--format", "{{.Id}}", id.name]), matches: `^${id.config}$` },
  ];
}

/**
 * The name goes, and with it the one that containerd's CRI made of the configuration's digest as soon as it saw the
 * import: that alone would keep the image. One that meant another image before means it again. containerd keeps the snapshots that running
 * containers need, whatever becomes of a name, and a runtime that is stopped gives exit code 1.
 */
function fromContainerd(id: ImageId, to: ImageState): Effect[] {
  const { name } = id;
  const lenient = [0, 1, 127];
  const byId = to.identified === false ? [ctr(id, ["images", "rm", id.config], lenient)] : [];
  if (to.found === null) return [ctr(id, ["images", "rm", name], lenient), ...byId];
  const kept = keptName(to.found);
  return [
    ctr(id, ["images", "tag", "--force", kept, name], lenient),
    ctr(id, ["images", "rm", kept], lenient),
    ...byId,
  ];
}

/** The name of an image that a newer one takes the name of, until undo. */
function keptName(digest: string): string {
  return `kubeferry.local/before:${digest.slice("sha256:".length, "sha256:".length + 32)}`;
}

function fromDocker(id: ImageId, to: ImageState): Effect[] {
  // Without --force, docker itself refuses to remove what a container uses.
  if (to.found === null) return [docker(id, ["image", "rm", id.name], [0, 1, 127])];
  return [docker(id, ["image", "tag", to.found, id.name], [0, 1, 127])];
}

function pinning(id: ImageId, { pinned }: Pick<ImageState, "pinned">): Effect[] {
  if (pinned) return [ctr(id, ["images", "label", id.name, pin])];
  return [ctr(id, ["images", "label", id.name, `${pin.split("=")[0]}=`], [0, 1, 127])];
}

async function inspectContainerd(host: HostReader, id: ImageId): Promise<ImageState | Unknown> {
  const filters = [`name==${id.name}`, `name==${id.config}`];
  const { code, stdout, stderr } = await host.query([...id.client, "-n", "k8s.io", "images", "ls", ...filters]);
  if (code !== 0) return silent(id, code, stderr);
  const lines = stdout.split("\n");
  const line = lines.find((text) => text.startsWith(`${id.name} `));
  const identified = lines.some((text) => text.startsWith(`${id.config} `));
  return { found: line?.split(/\s+/)[2] ?? null, pinned: line?.includes(pin) ?? false, identified };
}

async function inspectDocker(host: HostReader, id: ImageId): Promise<ImageState | Unknown> {
  const argv = [...id.client, "image", "inspect", "--format", "{{.Id}}", id.name];
  const { code, stdout, stderr } = await host.query(argv);
  if (code === 0) return { found: stdout.trim(), pinned: false };
  return /no such image/i.test(stderr) ? { found: null, pinned: false } : silent(id, code, stderr);
}

function silent({ runtime, client }: ImageId, code: number, stderr: string): Unknown {
  const said = code === 127 ? `${client[0]} is not there yet` : stderr.trim().split("\n").at(-1);
  return { unknown: `${runtime} does not answer: ${said?.slice(0, 300)}` };
}

function ctr({ client }: ImageId, argv: readonly string[], accept?: readonly number[]): Effect & { do: "run" } {
  return run([...client, "-n", "k8s.io", ...argv], accept);
}

function docker({ client }: ImageId, argv: readonly string[], accept?: readonly number[]): Effect & { do: "run" } {
  return run([...client, ...argv], accept);
}

function run(argv: readonly string[], accept?: readonly number[]): Effect & { do: "run" } {
  return { do: "run", argv, timeoutSeconds, ...(accept === undefined ? {} : { accept }) };
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
