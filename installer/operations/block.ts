/** A managed block of lines in a file of the host's own. The operator's lines are never touched. */
import type { Owner } from "../host/effect.ts";
import { edit, type EditBefore, inspectEdit, takeBackEdit } from "./edit.ts";
import type { Kind } from "./operation.ts";

export interface BlockSpec {
  readonly path: string;
  /** Without line feeds. `#` begins a comment in such a file. */
  readonly lines: readonly string[];
  /** Of a new file. */
  readonly owner: Owner;
}

const begin = "# begin kubeferry";
const end = "# end kubeferry";

export const block: Kind<BlockSpec, EditBefore> = {
  resource: ({ path }) => path,
  describe: ({ path, lines }) => `${lines.length} lines in ${path}`,
  inspect: (host, { path }) => inspectEdit(host, path),
  forward: ({ path, lines, owner }, before) => edit(path, before, withBlock(before?.text ?? "", lines), owner),
  backward({ path, lines }, before) {
    const old = new Set((before?.text ?? "").split("\n"));
    const ours = blockLines(lines).filter((line) => !old.has(line));
    return takeBackEdit(
      path,
      before,
      withBlock(before?.text ?? "", lines),
      ours.map((from) => ({ from, to: null })),
    );
  },
};

/** The lines with those that mark them. */
export function blockLines(lines: readonly string[]): string[] {
  return [begin, ...lines, end];
}

/** The text with the block as its last lines, in place of an earlier block. */
export function withBlock(text: string, lines: readonly string[]): string {
  const block = blockLines(lines);
  const present = text.split("\n");
  const [first, last] = [present.indexOf(begin), present.indexOf(end)];
  if (first >= 0 && last > first) return [...present.slice(0, first), ...block, ...present.slice(last + 1)].join("\n");
  const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${ended}${block.join("\n")}\n`;
}
