/** What is taken for granted on a host: manifests/bases/host.txt. */
import type { Platform } from "#bundle";

/** A program or library that packages bring. */
export interface Offer {
  readonly packages: readonly string[];
  /** Its absence is only a warning. */
  readonly likely: boolean;
}

export interface Base {
  /** Sonames. */
  readonly libraries: ReadonlySet<string>;
  /** `2.28`: the oldest glibc of these hosts; null: not said. */
  readonly glibc: string | null;
  /** Absolute paths, with /bin, /sbin and /lib as on a merged /usr. */
  readonly programs: ReadonlySet<string>;
  readonly interpreters: ReadonlySet<string>;
  /** Files that daemons write themselves. */
  readonly made: ReadonlySet<string>;
  /** By path (merged) or soname. */
  readonly offers: ReadonlyMap<string, Offer>;
}

/**
 * The base's text for one platform, and the programs and libraries that an operator vouches for besides. A line of a
 * kind that is not known is a bug of the data and throws.
 */
export function parseBase(text: string, platform: Platform, vouched: readonly string[] = []): Base {
  const sets = {
    library: new Set<string>(),
    program: new Set<string>(),
    interpreter: new Set<string>(),
    made: new Set<string>(),
  };
  const offers = new Map<string, Offer>();
  let glibc: string | null = null;
  for (const line of text.split("\n")) {
    const [kind = "", name = "", ...rest] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (kind === "") continue;
    if (kind === "offer" || kind === "likely") {
      offers.set(mergedUsr(name), { packages: rest, likely: kind === "likely" });
    } else if (kind === "glibc") {
      glibc = name;
    } else if (kind in sets && name !== "") {
      if (rest[0] === undefined || rest[0] === platform) sets[kind as keyof typeof sets].add(mergedUsr(name));
    } else {
      throw new Error(`manifests/bases/host.txt: "${line}"`);
    }
  }
  for (const name of vouched) (name.startsWith("/") ? sets.program : sets.library).add(mergedUsr(name));
  return {
    libraries: sets.library,
    glibc,
    programs: sets.program,
    interpreters: sets.interpreter,
    made: sets.made,
    offers,
  };
}

/** `/bin/sh` and `/usr/bin/sh` are one file on every host that we know. */
export function mergedUsr(path: string): string {
  return path.replace(/^\/(?=(bin|sbin|lib|lib64)\/)/, "/usr/");
}
