/** What is taken for granted on a host: manifests/bases/host.txt. */
import type { Platform } from "#bundle";

export interface Base {
  /** Sonames. */
  readonly libraries: ReadonlySet<string>;
  /** Absolute paths, with /bin, /sbin and /lib as on a merged /usr. */
  readonly programs: ReadonlySet<string>;
  readonly interpreters: ReadonlySet<string>;
}

/** The base's text for one platform. A line of a kind that is not known is a bug of the data and throws. */
export function parseBase(text: string, platform: Platform): Base {
  const base = { library: new Set<string>(), program: new Set<string>(), interpreter: new Set<string>() };
  for (const line of text.split("\n")) {
    const [kind, name, only] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (kind === undefined || kind === "" || (only !== undefined && only !== platform)) continue;
    if (!(kind in base) || name === undefined) throw new Error(`manifests/bases/host.txt: "${line}"`);
    base[kind as keyof typeof base].add(kind === "library" ? name : mergedUsr(name));
  }
  return { libraries: base.library, programs: base.program, interpreters: base.interpreter };
}

/** `/bin/sh` and `/usr/bin/sh` are one file on every host that we know. */
export function mergedUsr(path: string): string {
  return path.replace(/^\/(?=(bin|sbin|lib|lib64)\/)/, "/usr/");
}
