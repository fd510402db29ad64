/**
 * Room for taking things back: sixteen files beside the journal whose blocks and inodes are allocated before the first
 * change. A full disk then cannot hold up an undo: what it does not need is given up, as much of it as each step wants.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { Effect } from "../host/effect.ts";
import type { Host } from "../host/host.ts";
import { inside } from "../host/inside.ts";
import type { Journal } from "./journal.ts";
import { isFull } from "./space.ts";

const files = 16;
const fileSize = 1024 * 1024;
/** These are for the journal and the lock alone: a full file system elsewhere must not eat them. */
const forRecords = 4;

export class Reserve {
  readonly #state: string;
  readonly #folder: string;

  /** `state`: the folder that it lies in, with the stage and the kept installer. */
  constructor(state: string) {
    this.#state = state;
    this.#folder = join(state, "reserve");
  }

  /** Bytes that {@link fill} still has to write. */
  get missing(): number {
    return this.#lacking().length * fileSize;
  }

  /** Makes what is missing. Random bytes, since a file system may compress others, or keep equal ones once. */
  fill(): void {
    fs.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const path of this.#lacking()) {
      const bytes = randomBytes(fileSize);
      const file = fs.openSync(path, "w", 0o600);
      try {
        for (let done = 0; done < bytes.length;) done += fs.writeSync(file, bytes, done);
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
    }
  }

  #lacking(): string[] {
    const all = Array.from({ length: files }, (_, number) => join(this.#folder, String(number)));
    return all.filter((path) => fs.statSync(path, { throwIfNoEntry: false })?.size !== fileSize);
  }

  /** Host and journal of an undo: each of their steps is done again as long as there is room to give up for it. */
  spentBy(host: Host, journal: Journal): { host: Host; journal: Journal } {
    return {
      host: { ...host, perform: (effect) => this.#perform(host, effect) },
      journal: { ...journal, append: (...records) => this.record(() => journal.append(...records)) },
    };
  }

  /** Writes down something small, if need be in place of the last of the reserve. */
  record<Result>(act: () => Result): Result {
    for (;;) {
      try {
        return act();
      } catch (error) {
        if (!isFull(error) || !this.#giveUp(1, 0)) throw error;
      }
    }
  }

  /** Each time twice as much: a package manager does not tell how much it needs. */
  async #perform(host: Host, effect: Effect): Promise<void> {
    for (let count = 1; ; count *= 2) {
      try {
        return await host.perform(effect);
      } catch (error) {
        if (!isFull(error) || !this.#helps(host, effect) || !this.#giveUp(count, forRecords)) throw error;
      }
    }
  }

  /** Not where another file system is full. Where a program writes, nobody knows. */
  #helps(host: Host, effect: Effect): boolean {
    return !("path" in effect) || deviceOf(inside(host.root, effect.path)) === deviceOf(this.#state);
  }

  /** False when nothing is left: first went the stage, then the reserve down to `keep` files, at last the kept installer. */
  #giveUp(count: number, keep: number): boolean {
    const staged = below(join(this.#state, "stage"));
    const spare = below(this.#folder);
    const chosen = staged.length > 0 ? staged : spare.slice(0, Math.min(count, Math.max(0, spare.length - keep)));
    for (const path of chosen) fs.rmSync(path, { force: true, recursive: true });
    return chosen.length > 0 || giveUpProgram(join(this.#state, "install"));
  }
}

/** Not the one that runs: its room is free only when it has ended. */
function giveUpProgram(path: string): boolean {
  const [kept, own] = [path, process.execPath].map((file) => fs.statSync(file, { throwIfNoEntry: false }));
  if (kept === undefined || (kept.ino === own?.ino && kept.dev === own.dev)) return false;
  fs.rmSync(path, { force: true });
  return true;
}

/** Of the file system that a path is on, or would be on. */
function deviceOf(path: string): number {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  return found?.dev ?? deviceOf(dirname(path));
}

function below(folder: string): string[] {
  try {
    return fs.readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}
