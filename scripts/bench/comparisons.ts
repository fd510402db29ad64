/** What an operator would type instead, beside ours. Each function prepares what both sides work on. */
import { execFileSync } from "node:child_process";
import { linkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestFile } from "#bundle";
import { type Comparison, type Run, timed } from "./compare.ts";
import { filesBelow, type Material, shell } from "./material.ts";
import { bundleOf, folder, fresh, ours, port, quietly } from "./runs.ts";

export async function verifying(given: Material): Promise<Comparison[]> {
  const unpacked = join(folder, "unpacked");
  fresh(unpacked);
  execFileSync("tar", ["-xf", await bundleOf(given), "-C", unpacked]);
  return [
    {
      name: "verify",
      goal: 0.18,
      ours: { name: "kubeferry", run: () => ours("verify", unpacked) },
      theirs: [
        { name: "sha256sum -c", run: () => timed(() => shell("sha256sum -c --quiet SHA256SUMS", unpacked)) },
        {
          name: "openssl dgst -sha256",
          run: () => timed(() => shell("find . -type f -exec openssl dgst -sha256 {} +", unpacked)),
        },
      ],
    },
  ];
}

export async function extracting(given: Material): Promise<Comparison[]> {
  const bundle = await bundleOf(given);
  const to = join(folder, "out");
  const unpack = "tar --zstd -xf ../all.tar.zst; sync -f .";
  return [
    {
      name: "extract",
      goal: 0.35,
      ours: { name: "kubeferry", prepare: () => fresh(to), run: () => ours("extract", bundle, to) },
      theirs: [
        {
          name: "tar --zstd -xf; sync -f; sha256sum -c",
          prepare: () => fresh(to),
          run: () => timed(() => shell(`${unpack}; sha256sum -c --quiet SHA256SUMS`, to)),
        },
        { name: "tar --zstd -xf; sync -f", prepare: () => fresh(to), run: () => timed(() => shell(unpack, to)) },
      ],
    },
  ];
}

/** The whole `./install` and `./install audit`, every journalled step of it. */
export async function installing(given: Material): Promise<Comparison[]> {
  const unpacked = join(folder, "unpacked");
  fresh(unpacked);
  execFileSync("tar", ["-xf", await bundleOf(given), "-C", unpacked]);
  const to = join(folder, "out");
  const argv = ["--role", "worker", "--ip", "10.0.0.9", "--root", to, "--yes", "--key", join(folder, "bench.keys")];
  const there = join(folder, "there");
  return [
    {
      name: "install",
      goal: 1,
      ours: {
        name: "kubeferry",
        prepare: () => fresh(to),
        run: () => timed(() => quietly(join(unpacked, "install"), argv)),
      },
      theirs: [
        {
          name: "sha256sum -c bundle; tar --zstd -xf; sync -f; sha256sum -c files",
          prepare: () => fresh(there),
          run: () =>
            timed(() => {
              shell("sha256sum -c --quiet SHA256SUMS", unpacked);
              shell("tar --zstd -xf ../all.tar.zst; sync -f .; sha256sum -c --quiet SHA256SUMS", there);
            }),
        },
      ],
    },
  ];
}

/** Installed files against what was installed: nothing is changed, so one installation serves all rounds. */
export async function auditing(given: Material): Promise<Comparison[]> {
  const unpacked = join(folder, "unpacked");
  fresh(unpacked);
  execFileSync("tar", ["-xf", await bundleOf(given), "-C", unpacked]);
  const to = join(folder, "out");
  fresh(to);
  const install = join(unpacked, "install");
  const argv = ["--role", "worker", "--ip", "10.0.0.9", "--root", to, "--yes", "--key", join(folder, "bench.keys")];
  quietly(install, argv);
  const files = filesBelow(to).filter((path) => !path.startsWith("var/lib/kubeferry/"));
  const sums = files.map((path) => `${digestFile(join(to, path)).digest}  ${path}\n`);
  writeFileSync(join(folder, "installed.sums"), sums.join(""));
  const kept = join(to, "var/lib/kubeferry/install");
  return [
    {
      name: "audit",
      goal: 0.18,
      ours: { name: "kubeferry", run: () => timed(() => quietly(kept, ["audit", "--root", to])) },
      theirs: [
        { name: "sha256sum -c", run: () => timed(() => shell("sha256sum -c --quiet ../installed.sums", to)) },
        {
          name: "openssl dgst -sha256",
          run: () => timed(() => shell("cut -c 67- ../installed.sums | xargs openssl dgst -sha256", to)),
        },
      ],
    },
  ];
}

export function packing(given: Material): Comparison[] {
  const programs = join(given.dir, "programs");
  const store = join(folder, "pack-store");
  const output = join(folder, "packed.tar");
  const run = (): Run => ours("pack", programs, store, output);
  const tar = "tar -I 'zstd -q -3 -T0' -cf ../theirs.tar.zst .; sync -f ../theirs.tar.zst";
  const theirs = [
    { name: "tar | zstd -3 -T0; sha256sum", run: () => timed(() => shell(`${tar}; sha256sum */*`, programs)) },
    { name: "tar | zstd -3 -T0", run: () => timed(() => shell(tar, programs)) },
  ];
  const clean = (): void => rmSync(output, { force: true });
  return [
    {
      name: "pack",
      goal: 0.6,
      ours: { name: "kubeferry", prepare: () => (clean(), rmSync(store, { recursive: true, force: true })), run },
      theirs,
    },
    { name: "pack-warm", goal: 0.12, ours: { name: "kubeferry", prepare: clean, run }, theirs },
  ];
}

/** {@link serve} has to serve the folder of the material meanwhile. */
export function fetching(given: Material): Comparison[] {
  const store = join(folder, "fetch-store");
  const base = `http://127.0.0.1:${port}`;
  const there = join(folder, "there");
  const prepare = (): void => {
    fresh(store);
    fresh(there);
  };
  const archives = join(given.dir, "archives");
  const curl = (names: readonly string[]): string =>
    `curl -sSf --no-progress-meter -Z ${names.map((name) => `-O ${base}/${name}`).join(" ")}`;
  const names = filesBelow(archives).map((name) => `archives/${name}`);
  const one = join(folder, "one");
  fresh(one);
  execFileSync("ln", [join(given.dir, "all.tar.gz"), one]);
  // Those that keep their programs in usr/bin, none a link to another package (docker-init is tini's).
  const debs = join(folder, "debs-of-bin");
  fresh(debs);
  for (const name of filesBelow(join(given.dir, "debs"))) {
    if (!/^(containernetworking-plugins|docker\.io|runc)\./.test(name))
      linkSync(join(given.dir, "debs", name), join(debs, name));
  }
  const two = given.programs.filter((path) => /\/(containerd|runc)$/.test(path)).map((path) => `./${path}`);
  return [
    {
      name: "fetch",
      goal: 0.35,
      ours: {
        name: "kubeferry",
        prepare,
        run: () => ours("fetch", `${base}/archives`, archives, store, ".tar.gz", "%/*"),
      },
      theirs: [
        {
          name: "curl -Z; sha256sum -c; tar xzf",
          prepare,
          run: () =>
            timed(() =>
              shell(
                `${curl(names)}; sha256sum -c --quiet ${archives}/SHA256SUMS; for f in *.tar.gz; do tar xzf $f; done`,
                there,
              ),
            ),
        },
      ],
    },
    {
      name: "fetch-members",
      goal: 0.35,
      ours: {
        name: "kubeferry",
        prepare,
        run: () => ours("fetch", base, one, store, ".tar.gz", two.map((path) => path.slice(2)).join(",")),
      },
      theirs: [
        {
          name: "curl; sha256sum; tar xzf members",
          prepare,
          run: () =>
            timed(() =>
              shell(`${curl(["all.tar.gz"])}; sha256sum all.tar.gz; tar xzf all.tar.gz ${two.join(" ")}`, there),
            ),
        },
      ],
    },
    {
      name: "fetch-debs",
      goal: 0.35,
      ours: {
        name: "kubeferry",
        prepare,
        run: () => ours("fetch", `${base}/debs`, debs, store, ".deb", "usr/bin/*"),
      },
      theirs: [
        {
          name: "curl -Z; sha256sum; dpkg-deb -x",
          prepare,
          run: () =>
            timed(() =>
              shell(
                `${curl(filesBelow(debs).map((name) => `debs/${name}`))}; sha256sum *.deb; for f in *.deb; do dpkg-deb -x $f .; done`,
                there,
              ),
            ),
        },
      ],
    },
  ];
}
