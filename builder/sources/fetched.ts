/** What fetching gives to rendering: the binaries of a release by name, each a plain blob in the store. */
import type { Digest, Origin, Platform } from "#bundle";

export interface FetchedFile {
  /** Name in the catalogue: `etcd`, `kube-apiserver`, `bridge`. */
  readonly name: string;
  readonly component: string;
  readonly platform: Platform;
  readonly digest: Digest;
  readonly size: number;
  readonly origin: Extract<Origin, { from: "artifact" }>;
}
