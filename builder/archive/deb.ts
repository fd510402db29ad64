/** Entries of a .deb: an ar archive of debian-binary, control.tar.* and data.tar.*, of which data.tar.* holds the files. */
import { ExpectedError } from "#cli/errors";
import type { ByteReader } from "./byte-reader.ts";

const magic = "!<arch>\n";
const mostMembers = 32;

export function isAr(start: Buffer): boolean {
  return start.toString("latin1", 0, magic.length) === magic;
}

/** The stream of data.tar.*, still compressed. Its reader must not be read further by anyone else. */
export async function* dataOfDeb(reader: ByteReader): AsyncGenerator<Uint8Array> {
  if ((await reader.exactly(magic.length)).toString("latin1") !== magic) throw invalid("it is no ar archive");
  const seen = new Set<string>();
  while (!(await reader.atEnd())) {
    const header = await reader.exactly(60);
    const name = header.toString("latin1", 0, 16).trimEnd().replace(/\/$/, "");
    const digits = header.toString("latin1", 48, 58).trim();
    if (header.toString("latin1", 58) !== "`\n" || !/^\d+$/.test(digits)) throw invalid("a header is broken");
    if (seen.size === 0 && name !== "debian-binary") throw invalid("it does not begin with debian-binary");
    if (seen.has(name)) throw new ExpectedError("MEMBER_DUPLICATE", `"${name}" is in the package twice`);
    if (seen.size >= mostMembers)
      throw new ExpectedError("ARCHIVE_BOMB", `more than ${mostMembers} parts in a package`);
    seen.add(name);
    const size = Number(digits);
    if (/^data\.tar(\.|$)/.test(name)) {
      if (!/^data\.tar(\.(gz|xz|zst))?$/.test(name)) throw invalid(`${name} is not of a compression that is known`);
      yield* reader.stream(size);
    } else {
      await reader.skip(size);
    }
    if (size % 2 === 1 && !(await reader.atEnd())) await reader.skip(1);
  }
  if (![...seen].some((name) => name.startsWith("data.tar"))) throw invalid("it has no data.tar");
}

function invalid(why: string): ExpectedError {
  return new ExpectedError("ARCHIVE_INVALID", `this .deb is refused: ${why}`);
}
