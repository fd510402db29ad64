/**
 * Downloads that were cut short, kept in the store to be resumed. A process makes such a file its own by renaming it,
 * so two builds never write to one: `partial/<key>.<pid>-<random>`, or `<key>.free-<random>` when its owner gave it up.
 */
import { randomBytes } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { type FileHandle, link, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "./store.ts";

/** What the server said that these bytes belong to: resumed only while it says the same. */
export interface Validator {
  readonly url: string;
  /** A strong ETag or a Last-Modified date, as If-Range takes it. */
  readonly value: string;
}

export class Partial {
  readonly path: string;
  readonly #store: Store;
  readonly #key: string;
  readonly #file: FileHandle;
  #size: number;
  #validator: Validator | null;

  private constructor(store: Store, key: string, path: string, file: FileHandle) {
    this.path = path;
    this.#store = store;
    this.#key = key;
    this.#file = file;
    this.#size = statSync(path).size;
    this.#validator = readValidator(path);
  }

  /** The longest part that nobody is writing, or an empty one. `key` is a name without `.` or `/`. */
  static async claim(store: Store, key: string): Promise<Partial> {
    const folder = join(store.dir, "partial");
    const own = join(folder, `${key}.${process.pid}-${randomBytes(8).toString("hex")}`);
    for (const name of await abandoned(folder, key)) {
      try {
        await rename(join(folder, name), own);
      } catch {
        // Another build was quicker.
        continue;
      }
      await rename(join(folder, `${name}.json`), `${own}.json`).catch(() => undefined);
      break;
    }
    return new Partial(store, key, own, await open(own, "a+", 0o644));
  }

  /** Leaves a file, all of a content, as a part that a later run finds under the content's digest. */
  static async leave(store: Store, path: string, digest: string): Promise<void> {
    await link(path, join(store.dir, "partial", freeName(digest.replace(":", "-"))));
  }

  get size(): number {
    return this.#size;
  }

  get validator(): Validator | null {
    return this.#validator;
  }

  /** What is there already. */
  async *read(): AsyncGenerator<Uint8Array> {
    if (this.#size > 0) yield* createReadStream(this.path, { end: this.#size - 1, highWaterMark: 1024 * 1024 });
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      offset += (await this.#file.write(chunk, offset, chunk.length - offset)).bytesWritten;
    }
    this.#size += chunk.length;
  }

  async setValidator(validator: Validator | null): Promise<void> {
    this.#validator = validator;
    if (validator === null) await rm(`${this.path}.json`, { force: true });
    else await writeFile(`${this.path}.json`, JSON.stringify(validator));
  }

  /** Begins anew. */
  async reset(): Promise<void> {
    await this.#file.truncate(0);
    this.#size = 0;
    await this.setValidator(null);
  }

  /** Leaves it to whoever wants to go on. */
  async release(): Promise<void> {
    await this.#file.close();
    if (this.#size === 0) return await this.#remove();
    const free = join(this.#store.dir, "partial", freeName(this.#key));
    await rename(`${this.path}.json`, `${free}.json`).catch(() => undefined);
    await rename(this.path, free);
  }

  /** It is complete and was taken (`moved`: away from here), or it is of no use. */
  async finish(): Promise<void> {
    await this.#file.close();
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(`${this.path}.json`, { force: true });
  }
}

function freeName(key: string): string {
  return `${key}.free-${randomBytes(8).toString("hex")}`;
}

async function abandoned(folder: string, key: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${key}.`) && !name.endsWith(".json"));
  return names
    .filter((name) => isAbandoned(name))
    .map((name) => ({ name, size: statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0 }))
    .toSorted((a, b) => b.size - a.size)
    .map(({ name }) => name);
}

/** Whether the process that a part's name names is gone. */
export function isAbandoned(name: string): boolean {
  const owner = /\.(free|\d+)-[0-9a-f]+(\.json)?$/.exec(name)?.[1];
  if (owner === undefined) return false;
  if (owner === "free") return true;
  try {
    process.kill(Number(owner), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function readValidator(path: string): Validator | null {
  try {
    const { url, value } = JSON.parse(readFileSync(`${path}.json`, "utf8")) as Validator;
    return typeof url === "string" && typeof value === "string" ? { url, value } : null;
  } catch {
    return null;
  }
}
