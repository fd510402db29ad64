/** Files of components on one node: units, configurations and what cluster.yaml decides the number of. */
import type { Origin } from "#bundle";
import type { FileRow, TextRow, UnitRow } from "../components/component.ts";
import { config, type NodeContext } from "../components/context.ts";
import type { Piece } from "../components/component.ts";
import { isHardened } from "../components/profile.ts";
import { flagsOf } from "./flags.ts";
import type { Templates } from "./template.ts";
import { type Found, rowsOf } from "./walk.ts";

/** Every file of a node's components but for those of objects and of the PKI. */
export function textPieces(context: NodeContext, templates: Templates): Piece[] {
  const files = rowsOf<FileRow>(context, ({ files }) => files);
  const units = rowsOf<UnitRow>(context, ({ units }) => units).map(({ row, ...found }): Found<FileRow> => {
    const { name, flags = [] } = row;
    const data = (c: NodeContext): Record<string, unknown> => ({
      flags: flagsOf(flags, c, name.replace(".service", "")),
      ...row.data?.(c),
    });
    return { ...found, row: { ...row, data, path: ({ paths }) => `${paths.units}/${name}` } };
  });
  return [
    ...[...units, ...files].map((found): Piece => {
      const { name, path = config(name), mode, everyone, sensitive = false } = found.row;
      // With the profile root alone reads units and configuration files.
      const closed = sensitive || mode === "0600" || (isHardened(context) && everyone !== true);
      return { path: path(context), mode: closed ? "0600" : "0644", sensitive, ...written(found, context, templates) };
    }),
    ...rowsOf(context, ({ pieces }) => pieces?.(context)).map(({ row }) => row),
  ];
}

/** The text of a row, and where it is from. */
export function written(
  { component, row, roles }: Found<TextRow>,
  context: NodeContext,
  templates: Templates,
): Pick<Piece, "content" | "roles" | "origin"> {
  const folder = `builder/components/${component.name}`;
  const from = (template: string): Origin => ({ from: "template", template });
  if (row.text !== undefined) return { content: `${row.text(context).trimEnd()}\n`, roles, origin: from(folder) };
  const template = `${folder}/${row.template ?? row.name}.ejs`;
  const { topology, node, paths } = context;
  const content = templates.render(template, { topology, node, paths, ...row.data?.(context) });
  return { content, roles, origin: from(template) };
}
