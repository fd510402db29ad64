/** What is to be brought about in a running cluster, and by which program. */
import type { Digest } from "#bundle";
import type { Identity } from "./manifest.ts";

/** A program, and how it asks. */
export interface Client {
  /** The program with its connection: `kubectl --kubeconfig=…`, `etcdctl --endpoints=…`. No secret is in it. */
  readonly client: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where a text lies for as long as the program reads it: private, in our own folder. */
  readonly scratch: string;
}

interface Shared extends Client {
  readonly name: string;
}

export interface ManifestId extends Shared {
  readonly via: "kubectl";
  /** The manifest on the node, and its digest: what is applied, and what is told from an older one by. */
  readonly path: string;
  readonly digest: Digest;
}

/** What gives the administrator his rights, and so may be missing where he has none to bring it about. */
export interface GrantId extends Omit<ManifestId, "via"> {
  readonly via: "grant";
  /** Paths on the node, of the CA that the API server knows its clients by. */
  readonly authority: { readonly certificate: string; readonly key: string };
}

export interface FormerId extends Shared {
  readonly via: "former";
  readonly identity: Identity;
}

export interface KeyId extends Shared {
  readonly via: "etcd2" | "etcd3";
  readonly key: string;
  readonly value: string;
}

export interface LabelId extends Shared {
  readonly via: "label";
  /** The Kubernetes node. */
  readonly node: string;
  readonly key: string;
  readonly value: string;
}

export type ObjectId = ManifestId | GrantId | FormerId | KeyId | LabelId;
