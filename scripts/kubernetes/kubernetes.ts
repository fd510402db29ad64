/** The folder of `npm run kubernetes`, from the cache or made: programs, their digests, images of pods. */
import { copyFileSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#bundle";
import { requirePackages } from "../../test/programs/packages.ts";
import { cached } from "../vm/cache.ts";
import { command } from "../vm/command.ts";
import { buildDaemons, buildPause, compiler, daemons, tools } from "./build.ts";
import { writeImages } from "./images.ts";
import { candidateVersion, downloadPackage, sourcePackage } from "./source.ts";

const busybox = "busybox";

/** Absolute path; nobody writes into it again. `tell` hears what takes minutes. */
export async function kubernetes(tell: (said: string) => void = () => {}): Promise<string> {
  const programs = await cachedPrograms(tell);
  const read = [
    join(import.meta.dirname, "images.ts"),
    join(import.meta.dirname, "../../test/builders/image-layout.ts"),
  ];
  return await cached("kubernetes", { programs, scripts: read.map(digestOfFile) }, async (into) => {
    for (const name of readdirSync(programs)) {
      if (name !== busybox) linkSync(join(programs, name), join(into, name));
    }
    writeImages(join(into, "images"), {
      pause: readFileSync(join(programs, "pause")),
      busybox: readFileSync(join(programs, busybox)),
    });
  });
}

/** Made of the source's version and of how it is built alone, so that nothing else makes anybody wait for it again. */
async function cachedPrograms(tell: (said: string) => void): Promise<string> {
  const versions = await Promise.all(["kubernetes-client", compiler, "gcc", "busybox-static"].map(candidateVersion));
  const build = digestOfFile(join(import.meta.dirname, "build.ts"));
  return await cached("kubernetes-programs", { versions, build }, async (into) => {
    requirePackages(compiler, ...tools);
    const work = join(into, "work");
    tell(`fetching Kubernetes ${versions[0]} as source`);
    const source = await sourcePackage("kubernetes", work);
    tell(`building ${daemons.join(", ")}: some minutes`);
    await buildDaemons(source, into);
    await buildPause(source, join(into, "pause"));
    const deb = await downloadPackage("busybox-static", work);
    await command(["dpkg-deb", "-x", deb, join(work, busybox)]);
    copyFileSync(join(work, busybox, "bin/busybox"), join(into, busybox));
    copyFileSync(join(source, "LICENSE"), join(into, "LICENSE"));
    const sums = daemons.map((name) => `${digestOfFile(join(into, name))}  ${name}\n`);
    writeFileSync(join(into, "SHA256SUMS"), sums.join(""));
    rmSync(work, { recursive: true });
  });
}

function digestOfFile(path: string): string {
  return digestOf(readFileSync(path));
}
