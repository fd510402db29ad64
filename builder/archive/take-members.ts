/**
 * Takes the wanted members out of an archive's entries. Nothing else leaves it, and an archive that tries to reach out
 * of itself, to confuse or to flood is refused by name, whichever of its entries does so.
 */
import { posix } from "node:path";
import { ExpectedError } from "#cli/errors";
import type { Entry, Limits } from "./entry.ts";
import { cleanName, linkTarget, matchingPatterns, printable } from "./member-name.ts";
import type { Staged } from "../store/staged.ts";
import type { Store } from "../store/store.ts";

export interface Wanted {
  /** Names of members, or `folder/*`. */
  readonly patterns: readonly string[];
  readonly limits: Limits;
  /** A package of the distribution: absolute links lead to the package's own root. */
  readonly rooted: boolean;
  /** Read to the end even when everything wanted was found, so that a later duplicate is seen too. */
  readonly whole: boolean;
}

export interface Taken {
  readonly pattern: string;
  /** The member's name by which it was wanted (a link's own name, where one was followed). */
  readonly member: string;
  readonly staged: Staged;
}

export interface TakeResult {
  readonly taken: readonly Taken[];
  /** Members that links among the wanted lead to, and that had already gone by: to be taken in a second reading. */
  readonly again: ReadonlyMap<string, readonly { pattern: string; member: string }[]>;
}

const mostHops = 16;

/** Throws integrity codes; whatever it staged is discarded then. The caller commits or discards what it gives. */
export async function takeMembers(entries: AsyncIterable<Entry>, wanted: Wanted, store: Store): Promise<TakeResult> {
  const state = new Taking(wanted, store);
  try {
    for await (const entry of entries) {
      await state.see(entry);
      if (!wanted.whole && state.complete) break;
    }
    return state.result();
  } catch (error) {
    await state.discard();
    throw error;
  }
}

class Taking {
  readonly #wanted: Wanted;
  readonly #store: Store;
  readonly #kinds = new Map<string, Entry["kind"]>();
  readonly #links = new Map<string, string>();
  readonly #found = new Map<string, { pattern: string; staged: Staged }[]>();
  #count = 0;

  constructor(wanted: Wanted, store: Store) {
    this.#wanted = wanted;
    this.#store = store;
  }

  /** Whether nothing that may still come is wanted. */
  get complete(): boolean {
    return this.#wanted.patterns.every((pattern) => !pattern.endsWith("/*") && this.#found.has(cleanName(pattern)));
  }

  async see(entry: Entry): Promise<void> {
    this.#count += 1;
    if (this.#count > this.#wanted.limits.members) {
      throw new ExpectedError("ARCHIVE_BOMB", `the archive has more than ${this.#wanted.limits.members} members`);
    }
    const name = cleanName(entry.name);
    if (entry.kind === "other") throw new ExpectedError("MEMBER_KIND", `"${name}" is neither file, folder nor link`);
    if (name === "") {
      if (entry.kind === "directory") return;
      throw new ExpectedError("ARCHIVE_INVALID", "a member has no name");
    }
    this.#refuseDuplicate(name, entry.kind);
    if (entry.kind === "symlink" || entry.kind === "hardlink") return this.#seeLink(name, entry);
    if (entry.kind === "directory") return;
    if (entry.size > this.#wanted.limits.total) throw tooLarge(name, entry.size, this.#wanted.limits.total);
    for (const pattern of matchingPatterns(name, this.#wanted.patterns)) await this.#take(pattern, name, entry);
  }

  #refuseDuplicate(name: string, kind: Entry["kind"]): void {
    const before = this.#kinds.get(name);
    this.#kinds.set(name, kind);
    // Names that are not UTF-8 cannot be told apart here, and none of them is ever wanted.
    if (before === undefined || (before === "directory" && kind === "directory") || name.includes("\uFFFD")) return;
    throw new ExpectedError("MEMBER_DUPLICATE", `"${printable(name)}" is in the archive twice`);
  }

  #seeLink(name: string, entry: Entry): void {
    const kind = entry.kind === "hardlink" ? "hardlink" : "symlink";
    const matching = matchingPatterns(name, this.#wanted.patterns);
    // A link that nobody wants may point to another package's file; it stays where it is.
    const harmless = matching.length === 0 && kind === "symlink" && entry.target.startsWith("/");
    this.#links.set(name, harmless ? entry.target : linkTarget(name, kind, entry.target, this.#wanted.rooted));
  }

  async #take(pattern: string, name: string, entry: Entry): Promise<void> {
    if (entry.size > this.#wanted.limits.member) throw tooLarge(name, entry.size, this.#wanted.limits.member);
    const staged = await this.#store.stage();
    this.#found.set(name, [...(this.#found.get(name) ?? []), { pattern, staged }]);
    for await (const chunk of entry.bytes()) await staged.write(chunk);
    if (staged.size !== entry.size) throw new ExpectedError("TRUNCATED", `"${name}" is shorter than it says`);
    await staged.finish();
  }

  result(): TakeResult {
    const taken = [...this.#found].flatMap(([member, all]) => all.map((one) => ({ ...one, member })));
    const again = new Map<string, { pattern: string; member: string }[]>();
    for (const name of this.#links.keys()) {
      for (const pattern of matchingPatterns(name, this.#wanted.patterns)) {
        const target = this.#follow(name);
        if (this.#kinds.get(target) === "directory" && pattern.endsWith("/*")) continue;
        again.set(target, [...(again.get(target) ?? []), { pattern, member: name }]);
      }
    }
    this.#refuseMissing();
    return { taken, again };
  }

  /** From a wanted link to the file at its end. */
  #follow(name: string): string {
    let at = name;
    for (let hops = 0; hops < mostHops; hops += 1) {
      const next = this.#links.get(at);
      if (next === undefined) break;
      at = next.startsWith("/") ? linkTarget(at, "symlink", next, this.#wanted.rooted) : next;
    }
    const kind = this.#kinds.get(at);
    if (kind === "file" || kind === "directory") return at;
    throw new ExpectedError("MEMBER_MISSING", `"${name}" is a link that leads to nothing in the archive`, {
      expected: name,
      found: kind === undefined ? `no "${at}"` : "a circle of links",
    });
  }

  #refuseMissing(): void {
    const missing = this.#wanted.patterns.filter(
      (pattern) =>
        ![...this.#kinds].some(([name, kind]) => kind !== "directory" && matchingPatterns(name, [pattern]).length > 0),
    );
    if (missing.length === 0) return;
    const names = new Set(missing.map((name) => posix.basename(name)));
    const alike = [...this.#kinds].flatMap(([name, kind]) =>
      kind !== "directory" && names.has(posix.basename(name)) ? [name] : [],
    );
    throw new ExpectedError("MEMBER_MISSING", "the archive does not have what the release takes out of it", {
      expected: missing.join(", "),
      found:
        alike.length > 0 ? `elsewhere: ${alike.slice(0, 5).join(", ")}` : `${this.#count} members, none of that name`,
      hint: "correct `files:` of this artifact in the release manifest",
    });
  }

  async discard(): Promise<void> {
    for (const { staged } of [...this.#found.values()].flat()) await staged.discard();
  }
}

function tooLarge(name: string, size: number, limit: number): ExpectedError {
  return new ExpectedError("ARCHIVE_BOMB", `"${printable(name)}" of the archive is too long`, {
    expected: `at most ${limit} bytes`,
    found: `${size} bytes`,
    hint: "carry a file of this length by itself, outside of an archive: files: { .: NAME }",
  });
}
