/** .debs by the machine's own apt sources, checked by their signed index: of another suite, or with all that they need. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openPrivateApt } from "../../builder/sources/apt/private-apt.ts";
import { cached } from "../../scripts/vm/cache.ts";

const architecture = "amd64";

/** The newest .deb of a package in another suite (`trixie`) of the same archive: how a later version of a program is had. */
export async function debOfSuite(name: string, suite: string): Promise<string> {
  const folder = await cached("deb", { name, suite }, async (into) => {
    const apt = await openPrivateApt({
      folder: join(into, "apt"),
      architecture,
      sources: machineSources().replaceAll(/^Suites:.*$/gm, `Suites: ${suite}`),
      about: `packages of ${suite}`,
    });
    await apt.setInstalled("");
    await apt.update();
    await apt.run("apt-get", ["download", "-q", name], into);
  });
  const [deb] = debsIn(folder);
  if (deb === undefined) throw new Error(`${suite} has no ${name}`);
  return deb;
}

/** Packages with all that a system lacks for them; `status` is that system's /var/lib/dpkg/status. A folder of .debs. */
export async function debsFor(names: readonly string[], status: string): Promise<string> {
  return cached("debs", { names, status }, async (into) => {
    const apt = await openPrivateApt({ folder: into, architecture, about: "packages of this machine" });
    await apt.setInstalled(status);
    await apt.update();
    const archives = `Dir::Cache::archives=${into}`;
    await apt.run("apt-get", ["install", "-q", "-y", "--download-only", "-o", archives, ...names]);
  });
}

/** The archive itself, without its security updates: one deb822 stanza. */
function machineSources(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = readdirSync(folder).filter((name) => name.endsWith(".sources"));
  const stanzas = files.flatMap((name) => readFileSync(join(folder, name), "utf8").split(/\n\s*\n/));
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  const own = stanzas.find((stanza) => new RegExp(`^Suites:.*\\b${codename}(\\s|$)`, "m").test(stanza));
  if (own === undefined) throw new Error(`no source of ${codename} in ${folder}`);
  return `${own}\n`;
}

function debsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(folder, name));
}
