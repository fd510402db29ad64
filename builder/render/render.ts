/** Everything that goes onto nodes, from the topology, the PKI and the fetched binaries. Pure. */
import { ExpectedError } from "#cli/errors";
import { errorsIn } from "#cli/finding";
import type { DirectoryEntry, FileEntry, NodeEntry, Role, Selector, WrittenEntry } from "#bundle";
import { flagFindings } from "../config/flag-table.ts";
import { indexAddress } from "../config/topology.ts";
import type { FetchedFile } from "../sources/fetched.ts";
import {
  type Cluster,
  contextOf,
  kubernetes,
  type NodeContext,
  type RenderInput,
  runsContainerd,
  runsDocker,
} from "../components/context.ts";
import type { Piece } from "../components/component.ts";
import { checksOf } from "./checks.ts";
import { etcdMember } from "../components/etcd/member.ts";
import { hostEntry } from "./host.ts";
import { kubeconfigPieces } from "./kubeconfigs.ts";
import type { NodeFile, Rendered } from "./node-file.ts";
import { objectPieces, objectsOf } from "./objects.ts";
import { ownFiles } from "./own-files.ts";
import { gather, gatherFiles, type Placed, selectorFor } from "./pieces.ts";
import { certificateEntries, pkiPieces } from "./pki-files.ts";
import { openTemplates, type Templates } from "./template.ts";
import { textPieces } from "./texts.ts";
import { unitEntries } from "./units.ts";
import { rowsOf } from "./walk.ts";
import { byText } from "../text-order.ts";

/**
 * Renders every node. What is the same on several nodes is one entry. TEMPLATE_INVALID when a template asks for
 * something that is not defined, FLAG_UNKNOWN for a flag in cluster.yaml that the release does not have.
 */
export function render(input: RenderInput, templates: Templates = openTemplates()): Rendered {
  const { topology } = input;
  refuseUnknownFlags(input);
  const contexts = topology.nodes.map((node) => contextOf(input, node));
  const placed = contexts.flatMap((context) =>
    piecesOf(context, templates).map((item): Placed<Piece> => ({ node: context.node, item })),
  );
  /** What nodes have, each with the nodes that have it alike. */
  const entries = <T extends { readonly roles: readonly Role[] }>(
    of: (context: NodeContext) => readonly T[],
  ): (Omit<T, "roles"> & { for: Selector })[] =>
    gather(
      contexts.flatMap((context) => of(context).map((item) => ({ node: context.node, item }))),
      (item) => JSON.stringify(item),
    ).map(({ item: { roles, ...item }, names }) => ({ ...item, for: selectorFor(roles, names, topology.nodes) }));
  const binaries = fetchedFiles(input);
  const made = {
    files: [...binaries, ...gatherFiles(placed, topology.nodes)],
    directories: entries(directoriesOf).toSorted(
      (a, b) => byText(a.path, b.path) || byText(a.for.roles.join(), b.for.roles.join()),
    ),
  };
  const own = ownFiles(input, made);
  const paths = new Set([...binaries, ...own].map((file) => file.path));
  return {
    nodes: topology.nodes.map((node): NodeEntry => ({
      name: node.name,
      ip: indexAddress(node),
      ...(node.ips[1] === undefined ? {} : { ip6: node.ips[1] }),
      subnet: node.subnet,
      roles: [...node.roles],
      iface: node.subnet === null ? node.iface : null,
      ...(node.roles.includes("etcd") ? { member: etcdMember(topology, node) } : {}),
    })),
    files: [...made.files, ...own],
    directories: made.directories,
    units: unitEntries(placed, paths, topology.nodes),
    host: hostEntry(topology),
    checks: entries(checksOf),
    objects: entries((context) => objectsOf(context, templates)),
    certificates: contexts.flatMap(certificateEntries),
    written: entries(writtenOf),
    pods: podsOf(input),
    ...(input.pki.keys === undefined ? {} : { keys: input.pki.keys }),
  };
}

/** Settings of the cluster, the same on every worker. */
function podsOf(cluster: Cluster): Rendered["pods"] {
  const { kubelet, containerd, docker } = cluster.topology.paths;
  return {
    kubelet: kubernetes(cluster) ? kubelet : null,
    containerd: runsContainerd(cluster) ? containerd : null,
    docker: runsDocker(cluster) ? docker : null,
    for: { roles: ["worker"] },
  };
}

/** Loading cluster.yaml has checked them; this is for clusters that came another way. */
function refuseUnknownFlags({ topology, manifest }: RenderInput): void {
  const findings = errorsIn(flagFindings(topology.cluster, manifest));
  if (findings.length === 0) return;
  throw new ExpectedError("FLAG_UNKNOWN", findings.map(({ message }) => message).join("\n"), {
    where: `flags of cluster ${topology.cluster.name}`,
    hint: "correct or remove them in cluster.yaml",
  });
}

/** Every text file of one node. */
function piecesOf(context: NodeContext, templates: Templates): Piece[] {
  return [
    ...textPieces(context, templates),
    ...objectPieces(context, templates),
    ...kubeconfigPieces(context, templates),
    ...pkiPieces(context),
  ];
}

function writtenOf(context: NodeContext): (Omit<WrittenEntry, "for"> & { roles: readonly Role[] })[] {
  return rowsOf(context, ({ written }) => written?.(context)).map(({ component, row, roles }) => {
    const { path, by = component.name, credential = false, ...rest } = row;
    return { path, by, credential, ...rest, roles };
  });
}

/** Fetched files in order of path and platform, each for the roles that the release gives its component. */
function fetchedFiles(input: RenderInput): NodeFile[] {
  const roles = new Map(input.manifest.components.map((component) => [component.name, component.roles]));
  return input.fetched
    .map((file): NodeFile => ({
      path: pathOf(input, file),
      mode: isData(file) ? "0644" : "0755",
      owner: "0:0",
      content: { digest: file.digest, size: file.size },
      sensitive: false,
      for: { roles: [...(roles.get(file.component) ?? [])], platforms: [file.platform] },
      origin: file.origin,
    }))
    .toSorted((a, b) => byText(a.path, b.path) || byText(platformOf(a.for), platformOf(b.for)));
}

function pathOf(input: RenderInput, file: FetchedFile): string {
  const { paths } = input.topology;
  if (isData(file)) return `${paths.own}/${file.name}`;
  return `${file.component.includes("cni") ? paths.cniBinaries : paths.binaries}/${file.name}`;
}

/** Manifests that a release brings beside its programs. */
function isData(file: FetchedFile): boolean {
  return /\.(ya?ml|json)$/.test(file.name);
}

function platformOf(selector: FileEntry["for"]): string {
  return selector.platforms?.join() ?? "";
}

/** Directories that must be there before a unit starts, or that are ours to remove again; those of our files are made with them. */
function directoriesOf(context: NodeContext): (Omit<DirectoryEntry, "for"> & { roles: readonly Role[] })[] {
  const found = rowsOf(context, ({ directories }) => directories?.(context));
  return [...Map.groupBy(found, ({ row }) => row.path)].map(([path, same]) => ({
    path,
    mode: same[0]?.row.mode ?? "0755",
    owner: "0:0",
    roles: [...new Set(same.flatMap(({ roles }) => roles))],
  }));
}
