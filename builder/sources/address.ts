/** Where an artifact comes from, as release manifests and locks write it. */
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ExpectedError } from "#cli/errors";

export type ArtifactSource =
  | { readonly kind: "http"; readonly url: URL }
  | { readonly kind: "file"; readonly path: string }
  /** A package of the machine's own distribution; version null until `lock` resolved it. */
  | { readonly kind: "apt"; readonly package: string; readonly version: string | null };

/** `https://…`, `http://…`, `file:PATH`, `file:///PATH`, `apt:PACKAGE[=VERSION]`; RELEASE_INVALID for anything else. */
export function parseSource(text: string): ArtifactSource {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return { kind: "http", url: new URL(text) };
  if (text.startsWith("file://") && URL.canParse(text)) return { kind: "file", path: fileURLToPath(text) };
  if (text.startsWith("file:") && text.length > 5) {
    const path = text.slice(5);
    return { kind: "file", path: isAbsolute(path) ? path : resolve(path) };
  }
  // The name and version as Debian's policy allows them, so that neither can be taken for an option or another word.
  const apt = /^apt:([a-z0-9][a-z0-9+.-]+)(?:=([0-9][A-Za-z0-9.+~:-]*))?$/.exec(text);
  if (apt?.[1] !== undefined) return { kind: "apt", package: apt[1], version: apt[2] ?? null };
  throw new ExpectedError("RELEASE_INVALID", `an artifact cannot be fetched from "${text}"`, {
    expected: "https://…, http://…, file:PATH, or apt:PACKAGE[=VERSION]",
    found: text,
  });
}

/** dpkg's name of a platform's architecture. */
export function debianArchitecture(platform: "linux/amd64" | "linux/arm64"): "amd64" | "arm64" {
  return platform === "linux/amd64" ? "amd64" : "arm64";
}
