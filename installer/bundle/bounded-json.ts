/**
 * JSON of strangers. `JSON.parse` takes forty bytes of memory and more for one of text, and a schema an object for each
 * problem: so the text is counted before it is parsed. One pass over the bytes, nothing is kept of them.
 */
import { ExpectedError } from "#cli/errors";

/** Levels of an index: files → one of them → for → roles → a word. */
const deepest = 12;
/** Of a thousand nodes: some 40 MB, one and a half million values. */
const mostValues = 3_000_000;
/** In any one list or object inside of an entry: names of nodes are the longest. */
const mostInEntry = 10_000;

/** The value that `bytes` hold; FORMAT_INVALID where it is no JSON, ARCHIVE_BOMB where it is larger than any real index. */
export function boundedJson(bytes: Buffer, where: string): unknown {
  refuseExcess(bytes, where);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    const hint = "copy the bundle again";
    throw new ExpectedError("FORMAT_INVALID", "bundle.json is not JSON", { where, cause, hint });
  }
}

function refuseExcess(bytes: Buffer, where: string): void {
  const counts: number[] = [];
  let values = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) {
      inText = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      counts.push(0);
      if (counts.length > deepest) throw excess(where, `more than ${deepest} levels`);
    } else if (byte === 0x5d || byte === 0x7d) {
      counts.pop();
    } else if (byte === 0x2c) {
      values += 1;
      const depth = counts.length - 1;
      counts[depth] = (counts[depth] ?? 0) + 1;
      if (values > mostValues) throw excess(where, `more than ${mostValues} values`);
      if (depth > 1 && (counts[depth] ?? 0) > mostInEntry)
        throw excess(where, `more than ${mostInEntry} values in one`);
    }
  }
}

function excess(where: string, found: string): ExpectedError {
  return new ExpectedError("ARCHIVE_BOMB", "bundle.json is larger than any real one", { where, found });
}
