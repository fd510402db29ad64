/** Upstream's published checksum files: SHA256SUMS, FILE.sha256, FILE.sha256sum, BSD style, bare, PGP clear-signed. */
import { posix } from "node:path";

export interface PublishedChecksum {
  /** `sha256:<hex>` or `sha512:<hex>` */
  readonly digest: string;
  /** Null where the file holds nothing but a digest. */
  readonly name: string | null;
}

/** Every SHA-256 and SHA-512 in the file, whatever else it holds (PGP armour, SHA-1, comments). */
export function parseChecksums(text: string): PublishedChecksum[] {
  return signedPart(text)
    .split(/\r?\n/)
    .flatMap((line) => {
      const gnu = /^\\?([0-9a-fA-F]{64}|[0-9a-fA-F]{128})(?:\s+\*?(\S.*?))?\s*$/.exec(line);
      const bsd = /^SHA(?:256|512) \((.+)\) = ([0-9a-fA-F]{64}|[0-9a-fA-F]{128})\s*$/.exec(line);
      const hex = (gnu?.[1] ?? bsd?.[2])?.toLowerCase();
      if (hex === undefined) return [];
      return [{ digest: `${hex.length === 64 ? "sha256" : "sha512"}:${hex}`, name: gnu?.[2] ?? bsd?.[1] ?? null }];
    });
}

/**
 * The digest of the file that `url` names; null when it is not in the list, or when the list gives two that differ.
 * A file with one digest and no name speaks of the file beside which it was published. The first of the algorithms wins.
 */
export function checksumFor(
  text: string,
  url: string,
  algorithms: readonly string[] = ["sha256", "sha512"],
): string | null {
  const all = parseChecksums(text);
  const wanted = posix.basename(new URL(url, "file:///").pathname);
  const named = all.filter(({ name }) => name !== null && posix.basename(name) === wanted);
  const chosen = named.length > 0 ? named : all.filter(({ name }) => name === null);
  const digests = algorithms.map(
    (algorithm) => new Set(chosen.flatMap(({ digest }) => (digest.startsWith(`${algorithm}:`) ? [digest] : []))),
  );
  const [best] = digests.filter(({ size }) => size > 0);
  return best?.size === 1 ? ([...best][0] ?? null) : null;
}

/** What a clear signature covers: neither its header (`Hash: SHA512`) nor the signature itself. */
function signedPart(text: string): string {
  const begin = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n/m.exec(text);
  if (begin === null) return text;
  const body = text.slice(begin.index + begin[0].length);
  const end = body.search(/^-----BEGIN PGP SIGNATURE-----/m);
  return (end < 0 ? "" : body.slice(0, end)).replaceAll(/^- /gm, "");
}
