/** What rendering gives to packing. */
import type {
  BundleIndex,
  CertificateEntry,
  CheckEntry,
  Digest,
  DirectoryEntry,
  HostEntry,
  NodeEntry,
  ObjectEntry,
  Origin,
  Selector,
  UnitEntry,
  WrittenEntry,
} from "#bundle";

/** One file of one or more nodes. */
export interface NodeFile {
  readonly path: string;
  /** Four octal digits. */
  readonly mode: string;
  /** Numeric `uid:gid`. */
  readonly owner: string;
  /** Text, which may hold the tokens of #bundle; or bytes in which nothing is replaced: given, or already in the store. */
  readonly content: string | { readonly digest: Digest; readonly size: number; readonly bytes?: Buffer };
  readonly sensitive: boolean;
  readonly for: Selector;
  readonly origin: Origin;
}

/** Everything about nodes that goes into a bundle's index. */
export interface Rendered {
  readonly nodes: readonly NodeEntry[];
  readonly files: readonly NodeFile[];
  readonly directories: readonly DirectoryEntry[];
  readonly units: readonly UnitEntry[];
  readonly host: HostEntry;
  readonly checks: readonly CheckEntry[];
  readonly objects: readonly ObjectEntry[];
  readonly certificates: readonly CertificateEntry[];
  readonly written: readonly WrittenEntry[];
  readonly pods: NonNullable<BundleIndex["pods"]>;
  readonly keys?: BundleIndex["keys"];
}
