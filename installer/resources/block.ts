/** A managed block of lines in a file of the host's own, /etc/hosts above all. The operator's lines are never touched. */
import type { Owner } from "../host/effect.ts";
import { type Edit, edited, editSteps, equalText, inspectText, type TextState } from "./edit.ts";
import type { Resource } from "./resource.ts";

export interface BlockId {
  readonly path: string;
  /** Without line feeds. `#` begins a comment in such a file. */
  readonly lines: readonly string[];
  /** Of a new file. */
  readonly owner: Owner;
}

const begin = "# begin kubeferry";
const end = "# end kubeferry";

export const block: Resource<BlockId, TextState> = {
  name: ({ path }) => path,
  describe: ({ path, lines }) => `${lines.length} lines in ${path}`,
  inspect: (host, { path }) => inspectText(host, path),
  spec: ({ lines, owner }, now) => edited(now, blockEdit(lines), owner),
  equal: equalText,
  steps: ({ path, lines }, from, to) => editSteps(path, from, to, blockEdit(lines)),
};

export function blockEdit(lines: readonly string[]): Edit {
  const ours = [begin, ...lines, end];
  return {
    apply: (text) => withBlock(text ?? "", lines),
    lines(before) {
      const old = new Set((before ?? "").split("\n"));
      return ours.filter((line) => !old.has(line)).map((from) => ({ from, to: null }));
    },
  };
}

/** The text with the block as its last lines, in place of an earlier block. */
export function withBlock(text: string, lines: readonly string[]): string {
  const block = [begin, ...lines, end];
  const present = text.split("\n");
  const [first, last] = [present.indexOf(begin), present.indexOf(end)];
  if (first >= 0 && last > first) return [...present.slice(0, first), ...block, ...present.slice(last + 1)].join("\n");
  const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${ended}${block.join("\n")}\n`;
}
