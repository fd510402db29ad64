/** `releases`: what can be carried. */
import type { Command } from "commander";
import { resolve } from "node:path";
import type { Reporter } from "#cli/reporter";
import { example } from "#cli/help";
import { withJson } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";

export function addReleaseCommands(program: Command, surroundings: Surroundings): void {
  withJson(program.command("releases"))
    .description("List the releases that can be carried: components, versions, platforms, what is pinned by whom")
    .addHelpText("after", example("kubeferry releases kubernetes-1.36"))
    .argument("[release...]", "names, or paths of manifests (default: all that come with Kubeferry)")
    .option("--check", "ask upstream for newer patch releases of what they pin")
    .option("--ca <file>", "PEM certificates to trust besides the usual ones")
    .action(async (given: string[], flags: { check?: boolean; ca?: string; json?: boolean }) => {
      const { isReleasePath, listReleases } = await import("../config/releases.ts");
      const { describeRelease, releaseSummaries } = await import("../config/release-list.ts");
      const reporter = reporterFor(surroundings, flags);
      const path = (name: string): string =>
        isReleasePath(name) ? resolve(surroundings.workingDirectory, name) : name;
      const names = given.length === 0 ? listReleases() : given.map(path);
      if (flags.check === true) return await check(names, flags.ca, reporter, surroundings);
      for (const release of await releaseSummaries(names)) {
        reporter.record("release", { ...release });
        for (const line of describeRelease(release)) reporter.info(line);
      }
    });
}

/** Tells each pinned version, and the newest patch that upstream has of it. */
async function check(
  names: readonly string[],
  ca: string | undefined,
  reporter: Reporter,
  { environment, workingDirectory }: Surroundings,
): Promise<void> {
  const { loadRelease } = await import("../config/releases.ts");
  const { HttpClient } = await import("../http/client.ts");
  const { httpSettingsFrom } = await import("../http/settings.ts");
  const { newestPatch, pinnedVersions } = await import("../sources/newer.ts");
  const settings = await httpSettingsFrom(environment, { ca: ca && resolve(workingDirectory, ca) });
  await using http = new HttpClient(settings);
  const manifests = await Promise.all(names.map(async (name) => (await loadRelease(name)).manifest));
  for (const pinned of pinnedVersions(manifests)) {
    const newest = pinned.url === null ? null : await newestPatch(pinned, http);
    reporter.record("pinned", { ...pinned, newest });
    const said = newest === null ? "unknown: upstream has no checksum file that names the version" : `has ${newest}`;
    const state = newest === pinned.version ? "is the newest patch" : said;
    reporter.info(`${pinned.component} ${pinned.version} ${state}  (${pinned.releases.join(", ")})`);
  }
}
