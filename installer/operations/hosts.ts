/** A managed block in /etc/hosts. The operator's own lines are never touched. */
import type { Owner } from "../host/effect.ts";
import { edit, type EditBefore, inspectEdit, takeBackEdit } from "./edit.ts";
import type { Kind } from "./operation.ts";

export interface HostsSpec {
  readonly entries: readonly { readonly ip: string; readonly name: string }[];
  readonly owner: Owner;
}

const path = "/etc/hosts";
const begin = "# begin kubeferry";
const end = "# end kubeferry";

export const hosts: Kind<HostsSpec, EditBefore> = {
  resource: () => path,
  describe: ({ entries }) => `${entries.length} names in ${path}`,
  inspect: (host) => inspectEdit(host, path),
  forward: (spec, before) => edit(path, before, withBlock(before?.text ?? "", spec), spec.owner),
  backward(spec, before) {
    const old = new Set((before?.text ?? "").split("\n"));
    const lines = block(spec).filter((line) => !old.has(line));
    return takeBackEdit(
      path,
      before,
      withBlock(before?.text ?? "", spec),
      lines.map((from) => ({ from, to: null })),
    );
  },
};

/** The text with the block as its last lines, in place of an earlier block. */
export function withBlock(text: string, spec: HostsSpec): string {
  const lines = text.split("\n");
  const [first, last] = [lines.indexOf(begin), lines.indexOf(end)];
  if (first >= 0 && last > first)
    return [...lines.slice(0, first), ...block(spec), ...lines.slice(last + 1)].join("\n");
  const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${ended}${block(spec).join("\n")}\n`;
}

function block({ entries }: HostsSpec): string[] {
  return [begin, ...entries.map(({ ip, name }) => `${ip} ${name}`), end];
}
