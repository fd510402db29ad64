/** /etc/os-release, as systemd documents it: which distribution a host is. */

export interface Distribution {
  /** `debian`; empty where the file has none. */
  readonly id: string;
  /** `12`; empty for a rolling one. */
  readonly version: string;
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
}

/** ID, VERSION_ID and PRETTY_NAME, without their quotes. */
export function parseOsRelease(text: string): Distribution {
  const value = (key: string): string =>
    (new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "").trim().replace(/^(["'])(.*)\1$/, "$2");
  return { id: value("ID"), version: value("VERSION_ID"), name: value("PRETTY_NAME") };
}
