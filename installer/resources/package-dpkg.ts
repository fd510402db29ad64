/** Debian's packages by dpkg alone: no apt, no repository, no question to anybody. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { cannotAsk, outside, type PackageFile, type PackageManager, type PackageState } from "./package-manager.ts";

const format = "${db:Status-Status}\t${Package}\t${Architecture}\t${Version}\n";
/** Configuration files that an administrator changed stay as they are. */
const keepConfiguration = ["--force-confdef", "--force-confold"];
const timeoutSeconds = 1800;

export const dpkg: PackageManager = {
  async states(host, packages) {
    const names = packages.map(({ name }) => name);
    const asked = await host.query([
      "dpkg-query",
      ...at(host.root, "--admindir", "/var/lib/dpkg"),
      "-W",
      "-f",
      format,
      ...names,
    ]);
    // 1: some of them are unknown; the others are listed all the same.
    if (asked.code > 1) throw cannotAsk("dpkg-query", asked.stderr);
    const lines = asked.stdout.split("\n").map((line) => line.split("\t"));
    const states: PackageState[] = [];
    for (const one of packages) {
      const [status = "", , , version = ""] = lines.find((line) => isOf(line, one)) ?? [];
      states.push(await stateOf(host, status, version, one));
    }
    return states;
  },
  install(root, packages) {
    const paths = packages.map(({ path }) => outside(root, path));
    return [run(root, ["--refuse-downgrade", ...keepConfiguration, "--install", ...paths])];
  },
  remove(root, packages) {
    // A package whose configuration was there before is removed only; for one that never came, dpkg just says so.
    const purged = packages.filter(({ state }) => state.is !== "removed").map(({ file }) => qualified(file));
    const removed = packages.filter(({ state }) => state.is === "removed").map(({ file }) => qualified(file));
    const force = ["--force-remove-reinstreq"];
    return [
      ...(removed.length === 0 ? [] : [run(root, [...force, "--remove", ...removed])]),
      ...(purged.length === 0 ? [] : [run(root, [...force, "--purge", ...purged])]),
    ];
  },
};

async function stateOf(host: HostReader, status: string, found: string, file: PackageFile): Promise<PackageState> {
  if (status === "config-files") return { is: "removed" };
  if (status === "" || status === "not-installed") return { is: "absent" };
  // Half-installed or unpacked by an interrupted dpkg: installing it again finishes it.
  if (status !== "installed") return { is: "partial" };
  if (found === file.version) return { is: "installed", version: found, order: "same" };
  const { code } = await host.query(["dpkg", "--compare-versions", found, "lt", file.version]);
  return { is: "installed", version: found, order: code === 0 ? "older" : "newer" };
}

function isOf([, name, architecture]: readonly string[], file: PackageFile): boolean {
  return (
    name === file.name && (architecture === file.architecture || architecture === "all" || file.architecture === "all")
  );
}

function qualified({ name, architecture }: PackageFile): string {
  return architecture === "all" ? name : `${name}:${architecture}`;
}

function run(root: string, argv: readonly string[]): Effect {
  const environment = ["DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true"];
  return { do: "run", argv: ["env", ...environment, "dpkg", ...at(root, "--root", ""), ...argv], timeoutSeconds };
}

/** `--root=DIR` where the host is a mounted tree. */
function at(root: string, option: string, below: string): string[] {
  return root === "/" ? [] : [`${option}=${outside(root, below)}`];
}
