/** Kubernetes' programs from its source as the distribution has it, with the distribution's compiler. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { command } from "../vm/command.ts";

export const daemons = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;

/** The compiler that the distribution itself builds this version with. */
export const compiler = "golang-1.19-go";
/** What the source's own makefile and the few lines of C want. */
export const tools = ["dpkg-dev", "gcc", "libc6-dev", "make", "jq", "rsync"] as const;

const go = "/usr/lib/go-1.19/bin";

/** Builds all of {@link daemons} in the source's folder, and puts them, stripped, into `into`. */
export async function buildDaemons(source: string, into: string): Promise<void> {
  const { version, date } = releaseOf(source);
  const minor = version.split(".")[1] ?? "";
  const about = {
    KUBE_GIT_COMMIT: "debian",
    KUBE_GIT_TREE_STATE: "clean",
    KUBE_GIT_VERSION: `v${version}`,
    KUBE_GIT_MAJOR: "1",
    KUBE_GIT_MINOR: minor,
  };
  const versionFile = join(source, "../version");
  writeFileSync(
    versionFile,
    Object.entries(about)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join(""),
  );
  const workspace = join(source, ".go/src/k8s.io/kubernetes");
  mkdirSync(dirname(workspace), { recursive: true });
  symlinkSync("../../..", workspace);
  // Nothing of the caller's own Go, and no network: all of the source is in its vendor folder.
  const environment = {
    PATH: `${go}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: join(source, "../home"),
    GOPATH: join(source, ".go"),
    CGO_ENABLED: "0",
    GOTOOLCHAIN: "local",
    GOPROXY: "off",
    KUBE_GIT_VERSION_FILE: versionFile,
    SOURCE_DATE_EPOCH: date,
  };
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const what = daemons.map((name) => `cmd/${name}`).join(" ");
  await command(["env", "-i", ...words, "make", `WHAT=${what}`], { cwd: source });
  for (const name of daemons) {
    await command(["strip", "-o", join(into, name), join(source, "_output/bin", name)]);
  }
}

/** The only program of a pod's sandbox. */
export async function buildPause(source: string, output: string): Promise<void> {
  await command([
    "gcc",
    "-Os",
    "-static",
    "-s",
    "-DVERSION=3.2",
    "-o",
    output,
    join(source, "build/pause/linux/pause.c"),
  ]);
}

/** Upstream's version, which the distribution's may only hint at (`1.20.5+really1.20.2-1.1`), and the day it was packaged. */
function releaseOf(source: string): { version: string; date: string } {
  const changelog = readFileSync(join(source, "debian/changelog"), "utf8");
  const [, packaged = ""] = /^kubernetes \(([^)]+)\)/.exec(changelog) ?? [];
  const version = /(?:\+really)?(\d+\.\d+\.\d+)(?!.*\d+\.\d+\.\d+)/.exec(packaged)?.[1];
  const date = Date.parse(/^ -- .*> {2}(.+)$/m.exec(changelog)?.[1] ?? "");
  if (version === undefined || Number.isNaN(date)) throw new Error(`no version in ${source}/debian/changelog`);
  return { version, date: `${date / 1000}` };
}
