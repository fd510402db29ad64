/** The metadata of an rpm repository: repomd.xml names primary.xml, primary.xml lists the packages. */
import sax, { type SAXParser, type Tag } from "sax";
import { ExpectedError } from "#cli/errors";
import type { Capability, Evr } from "./version.ts";

/** One file that repomd.xml names. */
export interface MetadataFile {
  /** Relative to the repository. */
  readonly path: string;
  /** Hex SHA-256 of the stored bytes. */
  readonly digest: string;
  readonly size: number | null;
}

export interface RpmPackage {
  readonly name: string;
  readonly arch: string;
  readonly evr: Evr;
  /** Hex SHA-256 of the .rpm. */
  readonly digest: string;
  readonly size: number;
  /** Relative to the repository. */
  readonly path: string;
  readonly provides: readonly Capability[];
  readonly requires: readonly Capability[];
  /** Only those that primary.xml lists: below /etc, and programs. */
  readonly files: readonly string[];
}

const largestText = 64 * 1024;
const mostPackages = 500_000;

/** The primary list that repomd.xml names. FORMAT_INVALID, or SIGNATURE_INVALID for anything weaker than SHA-256. */
export async function readRepomd(bytes: AsyncIterable<Uint8Array>, where: string): Promise<MetadataFile> {
  const state = { type: "", path: "", digest: "", algorithm: "", size: "" };
  let found: typeof state | undefined;
  await readXml(bytes, where, {
    open(name, attributes) {
      if (name === "data")
        Object.assign(state, { type: attributes["type"], path: "", digest: "", algorithm: "", size: "" });
      if (name === "location") state.path = attributes["href"] ?? "";
      if (name === "checksum") state.algorithm = attributes["type"] ?? "";
    },
    close(name, text) {
      if (name === "checksum") state.digest = text.trim();
      if (name === "size") state.size = text.trim();
      if (name === "data" && state.type === "primary") found = { ...state };
    },
  });
  if (found === undefined) throw new ExpectedError("FORMAT_INVALID", "repomd.xml names no list of packages", { where });
  requireSha256(found.algorithm, found.digest, where);
  return {
    path: cleanPath(found.path, where),
    digest: found.digest,
    size: found.size === "" ? null : Number(found.size),
  };
}

/** Every binary package of primary.xml (decompressed), streamed: the list of a large distribution has 100 MB. */
export async function readPrimary(bytes: AsyncIterable<Uint8Array>, where: string): Promise<RpmPackage[]> {
  const packages: RpmPackage[] = [];
  let now = empty();
  let list: Capability[] | null = null;
  await readXml(bytes, where, {
    open(name, attributes) {
      const text = (key: string): string => attributes[key] ?? "";
      if (name === "package") now = empty();
      else if (name === "version") now.evr = evrOf(attributes);
      else if (name === "checksum") now.algorithm = text("type");
      else if (name === "size") now.size = Number(text("package"));
      else if (name === "location") now.path = text("href");
      else if (name === "rpm:provides") list = now.provides;
      else if (name === "rpm:requires") list = now.requires;
      else if (name === "rpm:entry") list?.push(capabilityOf(attributes));
    },
    close(name, text) {
      if (name === "rpm:provides" || name === "rpm:requires") list = null;
      else if (name === "name") now.name = text.trim();
      else if (name === "arch") now.arch = text.trim();
      else if (name === "checksum") now.digest = text.trim();
      else if (name === "file") now.files.push(text.trim());
      else if (name === "package" && now.arch !== "src") packages.push(finish(now, where));
      if (packages.length > mostPackages)
        throw new ExpectedError("TOO_LARGE", "the list of packages never ends", { where });
    },
  });
  return packages;
}

function empty() {
  return {
    name: "",
    arch: "",
    evr: { epoch: 0, version: "", release: null } as Evr,
    algorithm: "",
    digest: "",
    size: Number.NaN,
    path: "",
    provides: [] as Capability[],
    requires: [] as Capability[],
    files: [] as string[],
  };
}

function finish({ algorithm, ...found }: ReturnType<typeof empty>, where: string): RpmPackage {
  const at = `${where}: ${found.name}`;
  requireSha256(algorithm, found.digest, at);
  if (
    !/^[\w.+-]+$/.test(found.name) ||
    !/^\w+$/.test(found.arch) ||
    !Number.isSafeInteger(found.size) ||
    found.size < 0
  ) {
    throw new ExpectedError("FORMAT_INVALID", "a package has no sensible name, architecture or size", { where: at });
  }
  return { ...found, path: cleanPath(found.path, at) };
}

function evrOf(attributes: Readonly<Record<string, string>>): Evr {
  const { epoch, ver, rel } = attributes;
  return { epoch: Number(epoch ?? 0), version: ver ?? "", release: rel ?? null };
}

function capabilityOf(attributes: Readonly<Record<string, string>>): Capability {
  const flags = attributes["flags"];
  const known = flags === "EQ" || flags === "LT" || flags === "LE" || flags === "GT" || flags === "GE";
  return { name: attributes["name"] ?? "", flags: known ? flags : null, evr: known ? evrOf(attributes) : null };
}

function requireSha256(algorithm: string, digest: string, where: string): void {
  if (algorithm === "sha256" && /^[0-9a-f]{64}$/.test(digest)) return;
  throw new ExpectedError("SIGNATURE_INVALID", "the repository's metadata gives no SHA-256", {
    where,
    expected: "checksum type sha256",
    found: `${algorithm} ${digest}`.slice(0, 100),
    hint: "createrepo_c --checksum sha256 DIRECTORY",
  });
}

function cleanPath(path: string, where: string): string {
  const parts = path.split("/");
  if (path !== "" && !path.startsWith("/") && !/[\0-\x1f?#\\:]/.test(path) && !parts.includes("..")) return path;
  throw new ExpectedError("PATH_ESCAPES", "the metadata names a file outside the repository", { where, found: path });
}

interface XmlHandler {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  /** With the text right inside the element. */
  close(name: string, text: string): void;
}

async function readXml(bytes: AsyncIterable<Uint8Array>, where: string, handler: XmlHandler): Promise<void> {
  const xml: SAXParser = sax.parser(true);
  const decoder = new TextDecoder();
  let text = "";
  let failure: unknown;
  Object.assign(xml, {
    onerror: (error: Error) => (failure ??= error),
    onopentag(tag: Tag) {
      text = "";
      handler.open(tag.name, tag.attributes);
    },
    ontext(part: string) {
      if (text.length + part.length <= largestText) text += part;
    },
    onclosetag(name: string) {
      handler.close(name, text);
      text = "";
    },
  });
  for await (const chunk of bytes) {
    xml.write(decoder.decode(chunk, { stream: true }));
    if (failure !== undefined) break;
  }
  if (failure === undefined) xml.close();
  if (failure === undefined) return;
  throw new ExpectedError("FORMAT_INVALID", "the repository's metadata is no well-formed XML", {
    where,
    cause: failure,
  });
}
