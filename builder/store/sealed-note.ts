/**
 * What the store remembers without being able to prove it by a digest: which contents an artifact gave, which frame was
 * made of them. A store may be shared, restored by a CI system or written by another user; so each such note is sealed
 * with a key that lies beside the store and not in it (`<store>.key`, 0600), and counts for nothing without that seal.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Keys of stores, by folder. */
const keys = new Map<string, Buffer>();

export type Note =
  | { readonly kind: "none" }
  /** Somebody else wrote it, or it was damaged. */
  | { readonly kind: "foreign"; readonly path: string }
  | { readonly kind: "own"; readonly text: string };

/** The note `name` (a path below the store's folder). */
export function readNote(store: string, name: string): Note {
  const path = join(store, name);
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch {
    return { kind: "none" };
  }
  const text = content.slice(65);
  const seal = Buffer.from(content.slice(0, 64));
  const wanted = Buffer.from(sealOf(store, name, text));
  const own = seal.length === wanted.length && timingSafeEqual(seal, wanted) && content[64] === "\n";
  return own ? { kind: "own", text } : { kind: "foreign", path };
}

/** What to write as the note `name`. */
export function sealNote(store: string, name: string, text: string): string {
  return `${sealOf(store, name, text)}\n${text}`;
}

/** What is told where a note is foreign. */
export function foreignNote({ path }: { readonly path: string }): string {
  return `${path} was not written with this store's key: nothing that it says is believed, and it is made anew`;
}

function sealOf(store: string, name: string, text: string): string {
  return createHmac("sha256", keyOf(store)).update(`${name}\n${text}`).digest("hex");
}

function keyOf(store: string): Buffer {
  const known = keys.get(store);
  if (known !== undefined) return known;
  const made = readKey(`${store}.key`) ?? makeKey(`${store}.key`);
  keys.set(store, made);
  return made;
}

/** Null where there is none, or others could have read it. */
function readKey(path: string): Buffer | null {
  try {
    if ((statSync(path).mode & 0o077) !== 0) return null;
    const key = Buffer.from(readFileSync(path, "utf8").trim(), "hex");
    return key.length === 32 ? key : null;
  } catch {
    return null;
  }
}

/** Where none can be kept, this run has its own, and the next one takes everything anew. */
function makeKey(path: string): Buffer {
  const key = randomBytes(32);
  try {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) rmSync(path);
    writeFileSync(path, `${key.toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    return key;
  } catch {
    return readKey(path) ?? key;
  }
}
