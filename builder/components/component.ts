/** What a component of a cluster is: one folder holds its templates, its scripts and, as data, all that nodes are given of it. */
import type { CheckEntry, HostEntry, Origin, Role, WrittenEntry } from "#bundle";
import type { Usage } from "#x509";
import type { ApiConsumer, Topology, TopologyNode } from "../config/topology.ts";
import type { NodeContext } from "./context.ts";
import type { AuthorityName } from "./credentials.ts";
import type { FlagRow } from "./rows.ts";

/** Every part is optional. What a part's row does not say of roles and clusters is as the component says. */
export interface Component {
  /** Its folder here. */
  readonly name: string;
  /** Nodes that take one of these roles have it … */
  readonly roles: readonly Role[];
  /** … in clusters of which this is true; without: in each. */
  readonly when?: (cluster: Pick<NodeContext, "topology">) => boolean;
  readonly units?: readonly UnitRow[];
  readonly files?: readonly FileRow[];
  /** Further files, whose number cluster.yaml decides. */
  readonly pieces?: (context: NodeContext) => readonly Piece[];
  readonly certificates?: readonly CertificateRow[];
  readonly kubeconfigs?: readonly KubeconfigRow[];
  readonly directories?: (context: NodeContext) => readonly DirectoryRow[];
  /** What it needs of the kernel and the firewall, and which of the distribution's services are in its way. */
  readonly host?: (topology: Topology) => HostNeeds;
  /** Brought about in the running cluster, on the first master, in the order of the list of components. */
  readonly objects?: readonly ObjectRow[];
  readonly checks?: readonly CheckRow[];
  /** What its programs write by design beside what is installed: the audit expects it, and undo takes it away. */
  readonly written?: (context: NodeContext) => readonly WrittenRow[];
  /** Its programs, each with others that it finds by their name and fails late without; of each list one is enough. */
  readonly companions?: Readonly<Record<string, readonly (readonly string[])[]>>;
}

/** When a row is for a node of its component: by the version of Kubernetes, and by whatever else. */
export interface Scope {
  readonly roles?: readonly Role[];
  readonly since?: string;
  readonly until?: string;
  readonly when?: (context: NodeContext) => boolean;
}

/** A text: by itself, or of the template `<name>.ejs`, which knows `topology`, `node`, `paths` and `data`. */
export interface TextRow extends Scope {
  readonly name: string;
  readonly template?: string;
  readonly text?: (context: NodeContext) => string;
  readonly data?: (context: NodeContext) => Record<string, unknown>;
  /** Sealed in the bundle, and 0600. */
  readonly sensitive?: true;
}

/** A unit in /etc/systemd/system. */
export interface UnitRow extends TextRow {
  /** Place in the start order; units stop in the opposite one. Null: its timer starts it. */
  readonly start: number | null;
  /** Whose start its own waits for: that of etcd, with members on other hosts, or of another unit. */
  readonly behind?: string;
  /** Its ExecReload lets it read its configuration anew, without an end of what it serves. */
  readonly reloads?: true;
  /** Its daemon's command line, for the template. */
  readonly flags?: readonly FlagRow[];
}

export interface FileRow extends TextRow {
  /** Without: by its name in /etc/kubernetes. */
  readonly path?: (context: NodeContext) => string;
  readonly mode?: "0600";
  /** Read at logins of everybody, with `profile: cis` too. */
  readonly everyone?: true;
}

/** A file of one node, before what is the same on several is gathered into one entry. */
export interface Piece {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
  readonly sensitive: boolean;
  readonly roles: readonly Role[];
  readonly origin: Origin;
}

/** A file for kubectl, or a value for etcd; for the role master unless it says otherwise. */
export interface ObjectRow extends TextRow {
  /** Null: the release brings the file. "file": nobody applies it by itself. "grant": on every master, before all others. */
  readonly via?: "etcd" | "file" | "grant";
  readonly key?: string;
  readonly brought?: true;
}

export interface CertificateRow extends Pick<Scope, "since"> {
  readonly when?: Component["when"];
  /** File stem in the PKI directory and, where the certificate is a file, on the node. */
  readonly name: string;
  readonly authority: AuthorityName;
  /** Where `<name>.pem` and `<name>-key.pem` lie; null: only inside kubeconfigs. */
  readonly folder: "pki" | "etcdPki" | null;
  /** `<name>.pem` has the key as well, and there is no other file: what haproxy reads. */
  readonly joined?: true;
  /** Without: its name. */
  readonly commonName?: string;
  readonly organization?: string | ((topology: Topology) => string);
  readonly usages: readonly Usage[];
  readonly sans?: (node: TopologyNode, topology: Topology) => readonly string[];
}

export interface KubeconfigRow extends Pick<Scope, "since"> {
  /** Below /etc/kubernetes, unless absolute. */
  readonly file: string;
  /** Name of the certificate; null: the node's bootstrap token. */
  readonly certificate: string | null;
  readonly user: string;
  /** Without: default. */
  readonly context?: string;
  readonly consumer: ApiConsumer;
}

export interface DirectoryRow extends Scope {
  readonly path: string;
  readonly mode: string;
}

export interface HostNeeds {
  /** Loaded where the kernel has them. */
  readonly modules?: readonly string[];
  readonly ports?: readonly Omit<HostEntry["firewall"]["ports"][number], "for">[];
  /** IP protocols that have no ports. */
  readonly protocols?: readonly number[];
  readonly stopServices?: readonly string[];
}

export interface CheckRow extends Scope {
  readonly name: string;
  /** Its start is held up until the check passes. Without: the cluster's state, which only `status` asks for. */
  readonly unit?: string;
  /** Place among all checks, on the scale of units' `start`; without: that of the component's first unit. */
  readonly at?: number;
  readonly argv: (context: NodeContext) => readonly string[];
  readonly environment?: (context: NodeContext) => Record<string, string>;
  readonly matches?: string | ((context: NodeContext) => string);
  /** Without: 30. */
  readonly timeoutSeconds?: number;
  /** What it cannot pass without, and other hosts may bring. */
  readonly awaits?: (context: NodeContext) => CheckEntry["awaits"] | null;
  readonly severity?: (context: NodeContext) => CheckEntry["severity"];
  /** Without: the journal of its unit, or of the one that is called as the component. */
  readonly hint?: string | ((context: NodeContext) => string);
}

export type WrittenRow = Scope &
  Omit<WrittenEntry, "for" | "by" | "credential"> &
  Partial<Pick<WrittenEntry, "by" | "credential">>;
