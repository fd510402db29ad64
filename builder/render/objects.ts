/** What is brought about in the running cluster after the start: files for kubectl and etcd, and their order. */
import type { ObjectEntry, Role } from "#bundle";
import type { ObjectRow } from "../components/component.ts";
import { etcdApiOfFlannel, has, kubernetes, type NodeContext } from "../components/context.ts";
import { masterLabel } from "../components/kubelet/settings.ts";
import type { Piece } from "../components/component.ts";
import type { Templates } from "./template.ts";
import { written } from "./texts.ts";
import { type Found, rowsOf } from "./walk.ts";

/** An object of one node, before equal ones are gathered. */
export type NodeObject = Omit<ObjectEntry, "for"> & { readonly roles: readonly Role[] };

/** The files of a node's objects, ours and the operator's own. */
export function objectPieces(context: NodeContext, templates: Templates): Piece[] {
  const ours = found(context)
    .filter(({ row }) => row.brought !== true)
    .map((one): Piece => {
      const sensitive = one.row.sensitive ?? false;
      const file = { path: pathOf(context, one.row.name), mode: sensitive ? "0600" : "0644", sensitive };
      return { ...file, ...written(one, context, templates) };
    });
  const own = ownManifests(context).map(({ file, text, sensitive }): Piece => ({
    path: pathOf(context, file),
    mode: sensitive ? "0600" : "0644",
    content: text,
    sensitive,
    roles: ["master"],
    origin: { from: "operator", name: file },
  }));
  return [...ours, ...own];
}

/**
 * The objects that a node brings about, in order: what is of the whole cluster, the first member or master; the rights of the
 * administrator, whichever master is there first.
 */
export function objectsOf(context: NodeContext, templates: Templates): NodeObject[] {
  const { topology, node } = context;
  const first = [topology.etcdMembers[0], topology.masters[0]].map((one) => one?.name === node.name);
  const named = (file: string): Pick<NodeObject, "name" | "path"> => ({
    name: file.replace(/\.\w+$/, ""),
    path: pathOf(context, file),
  });
  const ours = found(context).filter(({ row }) => row.via !== "file");
  const etcd = ours.flatMap((one): NodeObject[] => {
    if (one.row.via !== "etcd" || first[0] !== true) return [];
    const { content, roles } = written(one, context, templates);
    const via = `etcd${etcdApiOfFlannel(context)}` as const;
    return [{ ...named(one.row.name), roles, via, key: one.row.key, value: content.trim() }];
  });
  const files = [
    ...ours.filter(({ row }) => row.via === undefined).map(({ row }) => row.name),
    ...ownManifests(context).map(({ file }) => file),
  ];
  const kubectl = first[1] === true ? files : [];
  const grants = ours.filter(({ row }) => row.via === "grant").map(({ row }) => row.name);
  return [
    ...etcd,
    ...grants.map((file): NodeObject => ({ ...named(file), roles: ["master"], via: "grant" })),
    ...kubectl.map((file): NodeObject => ({ ...named(file), roles: ["master"], via: "kubectl" })),
    ...label(context),
  ];
}

/** A kubelet may not say of its own node that it is a master: the master does, once the node has joined. */
function label(context: NodeContext): NodeObject[] {
  if (!kubernetes(context) || !has(context, "master") || !has(context, "worker")) return [];
  return [{ name: context.node.name, via: "label", key: masterLabel(context), value: "", roles: ["worker"] }];
}

function found(context: NodeContext): Found<ObjectRow>[] {
  return rowsOf(context, ({ objects }) => objects, ["master"]);
}

/** Below a folder of its own, so that no name is one of ours. */
function ownManifests(context: NodeContext): { file: string; text: string; sensitive: boolean }[] {
  if (!kubernetes(context) || !has(context, "master")) return [];
  return context.manifests.map(({ name, text, sensitive }) => ({ file: `manifests/${name}.yaml`, text, sensitive }));
}

function pathOf({ paths }: NodeContext, file: string): string {
  return `${paths.own}/${file}`;
}
