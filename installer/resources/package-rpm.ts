/** Packages of rpm distributions by rpm alone. Its own check of signatures stays on: a known key that fails is refused. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { cannotAsk, outside, type PackageFile, type PackageManager, type PackageState } from "./package-manager.ts";

const format = "%{NAME}\\t%{ARCH}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n";
const timeoutSeconds = 1800;

export const rpm: PackageManager = {
  async states(host, packages) {
    const names = packages.map(({ name }) => name);
    const asked = await host.query(["rpm", ...at(host.root), "-q", "--queryformat", format, ...names]);
    // The exit code is the number of those that are not installed.
    if (asked.code > names.length || asked.code === 127) throw cannotAsk("rpm", asked.stderr);
    const lines = asked.stdout.split("\n").map((line) => line.split("\t"));
    const states: PackageState[] = [];
    for (const one of packages) {
      const found = lines.find(([name, arch]) => name === one.name && arch === one.architecture);
      states.push(found === undefined ? { is: "absent" } : await stateOf(host, found[2] ?? "", one));
    }
    return states;
  },
  install(root, packages) {
    return [run(root, ["--upgrade", ...packages.map(({ path }) => outside(root, path))])];
  },
  remove(root, packages) {
    const files = packages.map(({ file }) => file);
    const names = files.map(({ name, architecture }) => `${name}.${architecture}`);
    const paths = files.map(({ path }) => outside(root, path));
    // `rpm --erase` refuses a list of which one is missing. Installing again first makes a cut transaction whole; where
    // that fails, the erase says why.
    const anyCode = Array.from({ length: 256 }, (_, code) => code);
    return [
      { ...run(root, ["--upgrade", "--replacepkgs", ...paths]), accept: anyCode },
      run(root, ["--erase", ...names]),
    ];
  },
};

async function stateOf(host: HostReader, found: string, file: PackageFile): Promise<PackageState> {
  const version = found.replace(/^0:/, "");
  if (version === file.version) return { is: "installed", version, order: "same" };
  // rpm's own comparison, by the interpreter that is in it; versions hold no quotes or brackets.
  const expression = `%{lua:print(rpm.vercmp("${plain(version)}", "${plain(file.version)}"))}`;
  const { stdout } = await host.query(["rpm", "--eval", expression]);
  return { is: "installed", version, order: stdout.trim() === "-1" ? "older" : "newer" };
}

function plain(version: string): string {
  return version.replaceAll(/[^\w.+:~^-]/g, "");
}

function run(root: string, argv: readonly string[]): Extract<Effect, { do: "run" }> {
  return { do: "run", argv: ["rpm", ...at(root), ...argv], timeoutSeconds };
}

function at(root: string): string[] {
  return root === "/" ? [] : [`--root=${root}`];
}
