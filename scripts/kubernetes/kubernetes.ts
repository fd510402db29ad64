/** The folder of `npm run kubernetes`, from the cache or made: programs, their digests, images of pods. */
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#bundle";
import { requirePackages } from "../../test/programs/packages.ts";
import { cached, ingredientsOf } from "../vm/cache.ts";
import { command } from "../vm/command.ts";
import { buildDaemons, buildPause, compiler, daemons, tools } from "./build.ts";
import { writeImages } from "./images.ts";
import { candidateVersion, downloadPackage, sourcePackage } from "./source.ts";

/** Absolute path; nobody writes into it again. `tell` hears what takes minutes. */
export async function kubernetes(tell: (said: string) => void = () => {}): Promise<string> {
  const versions = await Promise.all(["kubernetes-client", compiler, "gcc", "busybox-static"].map(candidateVersion));
  const layout = readFileSync(join(import.meta.dirname, "../../test/builders/image-layout.ts"));
  const ingredients = {
    versions,
    scripts: await ingredientsOf(import.meta.dirname),
    layout: createHash("sha256").update(layout).digest("hex"),
  };
  return await cached("kubernetes", ingredients, async (into) => {
    requirePackages(compiler, ...tools);
    const work = join(into, "work");
    tell(`fetching Kubernetes ${versions[0]} as source`);
    const source = await sourcePackage("kubernetes", work);
    tell(`building ${daemons.join(", ")}: some minutes`);
    await buildDaemons(source, into);
    await buildPause(source, join(into, "pause"));
    const deb = await downloadPackage("busybox-static", work);
    await command(["dpkg-deb", "-x", deb, join(work, "busybox")]);
    writeImages(join(into, "images"), {
      pause: readFileSync(join(into, "pause")),
      busybox: readFileSync(join(work, "busybox/bin/busybox")),
    });
    copyFileSync(join(source, "LICENSE"), join(into, "LICENSE"));
    const sums = daemons.map((name) => `${digestOf(readFileSync(join(into, name)))}  ${name}\n`);
    writeFileSync(join(into, "SHA256SUMS"), sums.join(""));
    rmSync(work, { recursive: true });
  });
}
