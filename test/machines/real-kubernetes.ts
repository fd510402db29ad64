/**
 * The Kubernetes that the tests of a real cluster run: 1.20 of the distribution's source, as `npm run kubernetes` builds
 * it, or whatever lies in the folder that KUBEFERRY_KUBERNETES names. Such a folder has programs by their plain names
 * (kubelet, containerd, etcd …), CNI plugins in `cni/`, and OCI layouts in `images/<name>`; what it lacks of etcd, the
 * runtime and CNI comes from the distribution.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { digestOf } from "#bundle";
import type { Artifact, Component, ReleaseImage, ReleaseManifest } from "../../builder/config/release.ts";
import { listReleases, loadRelease } from "../../builder/config/releases.ts";
import { imageTags } from "../../scripts/kubernetes/images.ts";
import { kubernetes } from "../../scripts/kubernetes/kubernetes.ts";
import { cacheFolder } from "../../scripts/vm/cache.ts";
import { command } from "../../scripts/vm/command.ts";

export interface RealKubernetes {
  /** `release:` of cluster.yaml: a name or a path. */
  readonly release: string;
  /** The `images:` of cluster.yaml. */
  readonly images: string;
  /** Where the image of the tests' pods comes from: `oci:DIRECTORY:TAG`. */
  readonly smoke: string;
  /** Further words of `kubeferry build`. */
  readonly options: readonly string[];
  /** `1.20.2` */
  readonly version: string;
  /** The folder that KUBEFERRY_KUBERNETES names; null: the distribution's. */
  readonly folder: string | null;
}

const platform = "linux/amd64" as const;

/** Builds what is missing: five minutes the first time. `given`: such a folder. */
export async function realKubernetes(given = process.env["KUBEFERRY_KUBERNETES"]): Promise<RealKubernetes> {
  const own = await kubernetes((said) => process.stdout.write(`# ${said}\n`));
  const { pause, smoke } = imageTags;
  const source = (name: string, tag: string): string => `oci:${join(own, "images/localhost", name)}:${tag}`;
  const smokeImage = imageLine(`localhost/smoke:${smoke}`, source("smoke", smoke));
  if (given === undefined) {
    const pauseImage = imageLine(`localhost/pause:${pause}`, source("pause", pause));
    return {
      release: "kubernetes-1.20",
      images: `images:\n${pauseImage}${smokeImage}`,
      smoke: source("smoke", smoke),
      options: ["--mirror", own],
      version: await versionOf(join(own, "kubelet")),
      folder: null,
    };
  }
  const folder = resolve(given);
  const version = await versionOf(join(folder, "kubelet"));
  const release = await writeRelease(folder, version);
  const images = `images:\n${smokeImage}`;
  return { release, images, smoke: source("smoke", smoke), options: [], version, folder };
}

function imageLine(name: string, from: string): string {
  return `  - { name: "${name}", from: "${from}" }\n`;
}

async function versionOf(program: string): Promise<string> {
  const said = await command([program, "--version"]);
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(said)?.[1];
  if (version === undefined) throw new Error(`${program} says no version: ${said}`);
  return version;
}

/** The project's release of that minor version, or the nearest, with the folder's bytes in place of upstream's. */
async function writeRelease(folder: string, version: string): Promise<string> {
  const near = nearest(Number(version.split(".")[1]));
  const { manifest } = await loadRelease(near);
  const { manifest: distro } = await loadRelease("distro");
  const inFolder = await componentsOf(folder, manifest, version);
  const brought = new Set(inFolder.flatMap(({ artifacts }) => artifacts.flatMap(({ files }) => Object.values(files))));
  const packaged = distro.components.filter(({ name, artifacts }) => {
    const files = artifacts.flatMap(({ files }) => Object.values(files));
    return name !== "kubectl" && name !== "docker" && !files.some((file) => brought.has(file));
  });
  const release = `${near}-of-folder`;
  const components = [...inFolder, ...packaged];
  const images = manifest.images.flatMap((image) => imageIn(folder, image));
  const text = stringify({ ...manifest, release, kubernetes: version, components, images });
  const into = join(cacheFolder, "releases", digestOf(text).slice(0, 16));
  mkdirSync(into, { recursive: true });
  const path = join(into, `${release}.yaml`);
  writeFileSync(path, text);
  return path;
}

function nearest(minor: number): string {
  const minors = listReleases().flatMap((name) => Number(/^kubernetes-1\.(\d+)$/.exec(name)?.[1] ?? Number.NaN));
  const [best] = minors.filter((one) => one <= minor).toSorted((a, b) => b - a);
  if (best === undefined) throw new Error(`the project has no release for Kubernetes 1.${minor}`);
  return `kubernetes-1.${best}`;
}

/** Each component of the release of which the folder has at least one program, with the version that the program says. */
async function componentsOf(folder: string, manifest: ReleaseManifest, version: string): Promise<Component[]> {
  const found = await Promise.all(
    manifest.components.map(async (component): Promise<Component[]> => {
      const names = new Set(component.artifacts.flatMap(({ files }) => Object.values(files)));
      const artifacts = names.has("*")
        ? filesIn(join(folder, "cni")).map((name) => artifactOf(join(folder, "cni", name), name))
        : [...names]
            .filter((name) => existsSync(join(folder, name)))
            .map((name) => artifactOf(join(folder, name), name));
      if (artifacts.length === 0) return [];
      const own = join(folder, component.name);
      const said = component.name.startsWith("kube") || !existsSync(own) ? version : await versionOf(own);
      return [{ ...component, version: said, artifacts, alternatives: {}, unavailable: {} }];
    }),
  );
  return found.flat();
}

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted() : [];
}

function artifactOf(path: string, name: string): Artifact {
  const digest = `sha256:${digestOf(readFileSync(path))}`;
  return { platform, from: `file:${path}`, mirrors: [], digest, source: "KUBEFERRY_KUBERNETES", files: { ".": name } };
}

function imageIn(folder: string, image: ReleaseImage): ReleaseImage[] {
  const [, name = image.name, tag = ""] = /^(.*):([^:/]+)$/.exec(image.name) ?? [];
  const layout = join(folder, "images", name);
  if (!existsSync(layout)) return [];
  const { digest: _, ...rest } = image;
  return [{ ...rest, from: `oci:${layout}:${tag}` }];
}
