/**
 * A copy of a release whose programs and images are stand-ins, for tests of everything but those programs: there are no
 * Kubernetes binaries here. Each says by its name and content what it is, and fails when somebody runs it.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { stringify } from "yaml";
import { digestOf, type Platform } from "#bundle";
import type { Artifact, Component, ReleaseImage } from "../../builder/config/release.ts";
import { loadRelease } from "../../builder/config/releases.ts";
import { tarBytes } from "../../installer/bundle/writer.ts";
import { writeLayout } from "../builders/image-layout.ts";

export interface StandInOptions {
  readonly platform: Platform;
  /** Components whose real artifacts are taken instead, by name: those of the distribution. */
  readonly real?: Readonly<Record<string, readonly Artifact[]>>;
}

/** Exit code of every stand-in. */
export const standInCode = 64;

/** What a stand-in for `name` holds. */
export function standIn(name: string, release: string): string {
  return `#!/bin/sh
# STAND-IN for ${name} of ${release}: this is not ${name}.
echo 'a stand-in for ${name}, which is not here' >&2
exit ${standInCode}
`;
}

/** Fills `folder` with the stand-ins of a release and gives the path of its manifest; the same for the same release. */
export async function writeStandInRelease(folder: string, name: string, options: StandInOptions): Promise<string> {
  const { manifest } = await loadRelease(name);
  const components = manifest.components.map((component) => standInComponent(folder, component, name, options));
  const images = manifest.images
    .filter(({ platform }) => platform === undefined || platform === options.platform)
    .map((image, place) => standInImage(folder, image, place, options.platform));
  const path = join(folder, `stand-in-${name}.yaml`);
  const description = `STAND-INS for ${manifest.description}`;
  writeFileSync(path, stringify({ ...manifest, description, components, images }));
  return path;
}

function standInComponent(folder: string, component: Component, release: string, options: StandInOptions): Component {
  const real = options.real?.[component.name] ?? [];
  const brought = new Set(real.flatMap(({ files }) => Object.values(files)));
  const artifacts = component.artifacts
    .filter(({ platform }) => platform === options.platform)
    .flatMap((artifact, place): Artifact[] => {
      const left = Object.entries(artifact.files).filter(([, name]) => !brought.has(name));
      const base = join(folder, `stand-in-${component.name}-${place}`);
      return left.length === 0 ? [] : [standInArtifact(base, artifact, left, release)];
    });
  return { ...component, artifacts: [...real, ...artifacts], alternatives: {} };
}

/** One file for the member `.`, otherwise an archive with the same members. */
function standInArtifact(base: string, artifact: Artifact, files: [string, string][], release: string): Artifact {
  const plain = files.find(([member]) => member === ".");
  const members = files.map(([path, name]) => ({ path, mode: 0o755, content: Buffer.from(standIn(name, release)) }));
  const bytes = plain === undefined ? gzipSync(tarBytes(members)) : Buffer.from(standIn(plain[1], release));
  const path = plain === undefined ? `${base}.tar.gz` : base;
  writeFileSync(path, bytes, { mode: 0o755 });
  return {
    platform: artifact.platform,
    from: `file:${path}`,
    mirrors: [],
    digest: `sha256:${digestOf(bytes)}`,
    source: "a stand-in, made by a test",
    files: Object.fromEntries(files),
  };
}

function standInImage(folder: string, image: ReleaseImage, place: number, platform: Platform): ReleaseImage {
  const layout = join(folder, `stand-in-image-${place}`);
  mkdirSync(layout, { recursive: true });
  writeLayout(layout, "1", [{ platform, layers: [{ "STAND-IN": `not ${image.name}\n` }] }]);
  const { digest: _, ...rest } = image;
  return { ...rest, from: `oci:${layout}:1` };
}
