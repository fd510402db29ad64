/** Packages of the machine's own distribution, by apt with state of its own, so that nothing of the machine changes. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openPrivateApt } from "../../builder/sources/apt/private-apt.ts";
import { aptSources, distributionCodename } from "../vm/apt.ts";
import { command } from "../vm/command.ts";

/** The version that apt would install; apt's lists are fetched where the machine has none. */
export async function candidateVersion(name: string): Promise<string> {
  const ask = async (): Promise<string | undefined> =>
    /^ {2}Candidate: (?!\(none\))(\S+)$/m.exec(await command(["apt-cache", "policy", name]))?.[1];
  let version = await ask();
  if (version === undefined) {
    await command(["apt-get", "update", "-q", "-o", "APT::Get::Lock::Timeout=300"]);
    version = await ask();
  }
  if (version === undefined) throw new Error(`this machine's distribution has no package ${name}`);
  return version;
}

/** Fetches a source package below `work` and unpacks it with its distribution's patches; the folder of the source. */
export async function sourcePackage(name: string, work: string): Promise<string> {
  const folder = join(work, "source");
  const apt = await openArchive(join(work, "apt-source"), "deb-src");
  await apt.run("apt-get", ["source", "-q", "--download-only", name], mkdir(folder));
  const description = onlyOf(folder, ".dsc");
  await command(["dpkg-source", "-q", "--no-check", "-x", description, join(folder, name)]);
  return join(folder, name);
}

/** Fetches the .deb of a package below `work` and gives its path. */
export async function downloadPackage(name: string, work: string): Promise<string> {
  const folder = mkdir(join(work, `deb-${name}`));
  const apt = await openArchive(join(work, "apt-binary"), "deb");
  await apt.run("apt-get", ["download", "-q", name], folder);
  return onlyOf(folder, ".deb");
}

async function openArchive(folder: string, type: "deb" | "deb-src"): ReturnType<typeof openPrivateApt> {
  const architecture = (await command(["dpkg", "--print-architecture"])).trim();
  const sources = await archiveSources(type);
  const apt = await openPrivateApt({ folder, architecture, sources, about: `${type} of this machine's distribution` });
  await apt.setInstalled("");
  await apt.update();
  return apt;
}

/**
 * Those of the machine's sources that are the distribution itself, asked for `type`, as deb822 text: suites are called
 * after its codename, which leaves out other vendors, who rarely offer sources.
 */
async function archiveSources(type: "deb" | "deb-src"): Promise<string> {
  const codename = await distributionCodename();
  const texts = (await aptSources()).map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const stanzas = texts
    .filter(({ path }) => path.endsWith(".sources"))
    .flatMap(({ text }) => text.split(/\n\s*\n/))
    .filter((stanza) => new RegExp(`^Suites:.*\\b${codename}`, "m").test(stanza))
    .map((stanza) => stanza.replace(/^Types:.*$/m, `Types: ${type}`));
  const lines = texts
    .filter(({ path }) => path.endsWith(".list"))
    .flatMap(({ text }) => text.split("\n"))
    .flatMap((line) => stanzaOf(line, type, codename));
  const all = [...stanzas, ...lines];
  if (all.length === 0) throw new Error(`this machine's apt has no source of ${codename}`);
  return `${all.map((stanza) => stanza.trim()).join("\n\n")}\n`;
}

/** `deb [signed-by=KEY] URL SUITE COMPONENT…` as a stanza; nothing for other lines. */
function stanzaOf(line: string, type: string, codename: string): string[] {
  const [, options = "", url, suite, components] =
    /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line.trim()) ?? [];
  if (url === undefined || suite?.startsWith(codename) !== true) return [];
  const key = /signed-by=(\S+)/.exec(options)?.[1];
  const signed = key === undefined ? "" : `\nSigned-By: ${key}`;
  return [`Types: ${type}\nURIs: ${url}\nSuites: ${suite}\nComponents: ${components?.trim() ?? "main"}${signed}`];
}

function mkdir(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

function onlyOf(folder: string, end: string): string {
  const [name, ...more] = readdirSync(folder).filter((name) => name.endsWith(end));
  if (name === undefined || more.length > 0) throw new Error(`${folder} has not exactly one *${end}`);
  return join(folder, name);
}
