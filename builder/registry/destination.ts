/** `--to registry.plant.local:5000/prefix`: where images are pushed, and what a mirror of cluster.yaml calls it. */
import { ExpectedError, isExpected } from "#cli/errors";
import { parseReference } from "../config/image-name.ts";
import { ownBase } from "../sources/oci/registry.ts";

export interface Destination {
  /** `registry.plant.local:5000` */
  readonly host: string;
  /** `https://registry.plant.local:5000` */
  readonly base: string;
  /** `prefix/`, or nothing: what stands before every repository. */
  readonly prefix: string;
}

/** `[http[s]://]HOST[:PORT][/PREFIX]`; https but on loopback. USAGE. */
export function parseDestination(given: string): Destination {
  const [, scheme, place = ""] = /^(https?:\/\/)?(.*?)\/*$/.exec(given) ?? [];
  const slash = place.indexOf("/");
  const host = slash < 0 ? place : place.slice(0, slash);
  const prefix = slash < 0 ? "" : `${place.slice(slash + 1)}/`;
  try {
    if (parseReference(`${place}/image`).domain === host) {
      return { host, prefix, base: scheme === undefined ? ownBase(host) : `${scheme}${host}` };
    }
  } catch (cause) {
    if (!isExpected(cause)) throw cause;
  }
  throw new ExpectedError("USAGE", "--to names no registry", {
    expected: "[http://]HOST[:PORT][/PREFIX], its host with a dot or a port, all in lower case",
    found: given,
    hint: "--to registry.plant.local:5000",
  });
}

/** What `registries:` of cluster.yaml calls it as a mirror; containerd wants a path from the API's root on. */
export function mirrorOf({ base, prefix }: Destination): string {
  return prefix === "" ? base : `${base}/v2/${prefix.slice(0, -1)}`;
}
