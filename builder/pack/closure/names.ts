/** Files and images that rendered texts name. */
import { isExpected } from "#cli/errors";
import { error, type Finding } from "#cli/finding";
import type { NodeFile } from "../../render/node-file.ts";
import { nameInRuntime } from "../../config/image-name.ts";
import { imagesNamedBy } from "./image-references.ts";
import { pathsNamedBy } from "./path-references.ts";
import { baseName, missingFile } from "./programs.ts";
import { findProgram, type View } from "./view.ts";

/** `own`: the folders into which the release puts files, on whatever node. `imagesOf` may remember what it read. */
export function checkNames(
  view: View,
  own: ReadonlySet<string>,
  imagesOf: typeof imagesNamedBy = imagesNamedBy,
): Finding[] {
  const findings: Finding[] = [];
  for (const file of view.files.values()) {
    if (typeof file.content !== "string" || isKeyMaterial(file.content)) continue;
    for (const path of isPodManifest(file.content) ? [] : pathsNamedBy(file.content)) {
      if (isMissing(view, path, own)) findings.push(missingFile(view, path, file.path));
    }
    if (!isPodManifest(file.content))
      findings.push(...missingImages(view, file.path, imagesOf(file.path, file.content)));
    findings.push(...checkCni(view, file.path, file.content));
  }
  return findings;
}

/** A path counts where it lies right in one of our folders; deeper or elsewhere it is data or the host's. */
function isMissing(view: View, path: string, own: ReadonlySet<string>): boolean {
  if (!own.has(path.slice(0, path.lastIndexOf("/"))) || /^\/(run|proc|sys|dev|tmp|var\/(run|log))\//.test(path))
    return false;
  if (view.files.has(path) || view.directories.has(path) || view.base.made.has(path)) return false;
  return findProgram(view, path) === "missing";
}

const cniFolder = "/opt/cni/bin";

/** The plugins of a CNI configuration are named by type and looked for in the folder of plugins. */
function checkCni(view: View, path: string, text: string): Finding[] {
  return /\/net\.d\/[^/]+\.conf(list)?$/.test(path) ? missingPlugins(view, path, text) : [];
}

export interface PodManifest {
  readonly path: string;
  readonly content: string;
}

/** Of all nodes' files those that have pods, each content once. */
export function podManifests(files: readonly NodeFile[]): PodManifest[] {
  const found = new Map<string, PodManifest>();
  for (const { path, content } of files)
    if (typeof content === "string" && !found.has(content) && isPodManifest(content))
      found.set(content, { path, content });
  return [...found.values()];
}

/**
 * What pods need wherever they may run, on every worker, whichever node has their manifest: their images, and, of a
 * network that comes as pods with its configuration in a ConfigMap, the plugins.
 */
export function checkPods(
  view: View,
  manifests: readonly PodManifest[],
  imagesOf: typeof imagesNamedBy = imagesNamedBy,
): Finding[] {
  if (!view.roles.includes("worker")) return [];
  return manifests.flatMap(({ path, content }) => {
    const plugins = content.includes('"cniVersion"') ? missingPlugins(view, path, content) : [];
    return [...missingImages(view, path, imagesOf(path, content)), ...plugins];
  });
}

function missingImages(view: View, path: string, named: readonly string[]): Finding[] {
  const images = new Set(view.images.map(({ name }) => runtimeName(name)));
  return named.filter((image) => !images.has(runtimeName(image))).map((image) => missingImage(view, image, path));
}

function missingPlugins(view: View, where: string, text: string): Finding[] {
  const types = new Set([...text.matchAll(/"type"\s*:\s*"([\w-]+)"/g)].map((match) => match[1] ?? ""));
  // flannel hands over to these two without naming them; the runtime itself sets up the loopback of every pod.
  if (types.has("flannel")) for (const name of ["bridge", "host-local"]) types.add(name);
  types.add("loopback");
  const here = new Set([...view.files.keys()].map(baseName));
  return [...types]
    .filter((type) => !here.has(type) && !bringsPlugin(text, type) && !notPlugins.has(type))
    .map((type) => missingFile(view, `${cniFolder}/${type}`, where, "executable"));
}

/** Types that other parts of such a file have: flannel's backend, calico's way to the API and to policies. */
const notPlugins: ReadonlySet<string> = new Set(["vxlan", "host-gw", "k8s", "kubernetes", "wireguard", "udp"]);

/** An init container of the network may install its own plugin on the host. */
function bringsPlugin(text: string, type: string): boolean {
  return text.includes(`${cniFolder}/${type}`) || (type.startsWith("calico") && text.includes("install-cni"));
}

function missingImage(view: View, image: string, where: string): Finding {
  return error("image", `the image ${image} is missing on ${view.label}: ${where} names it`, {
    where,
    expected: image,
    hint: `add "- name: ${image}" to images: of the release manifest, and run kubeferry lock`,
  });
}

/** As written where it is no image's name: then nothing matches it, and it is reported as it stands. */
function runtimeName(name: string): string {
  try {
    return nameInRuntime(name);
  } catch (cause) {
    if (isExpected(cause)) return name;
    throw cause;
  }
}

/** The paths in a pod's manifest are those of its containers. */
function isPodManifest(text: string): boolean {
  return text.includes("containers:") && /^apiVersion: /m.test(text) && /^[ \t]*(- )?containers:/m.test(text);
}

/** Certificates and keys: base64 is full of slashes and names no file. */
function isKeyMaterial(text: string): boolean {
  return text.startsWith("-----BEGIN ");
}
