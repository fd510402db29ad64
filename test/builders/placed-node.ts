/** The rendered text files of one node as real files below a folder, and its units' command lines as they would run. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { selects } from "#bundle";
import type { NodeFile, Rendered } from "../../builder/render/node-file.ts";

/** The entries of a node that takes all of its roles. */
export function filesOf(rendered: Rendered, name: string): NodeFile[] {
  const node = rendered.nodes.find((entry) => entry.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return rendered.files.filter((file) => selects(file.for, name, node.roles, "linux/amd64"));
}

/** Writes a node's text files below `root` and makes its directories. */
export function placeNode(rendered: Rendered, name: string, root: string): void {
  const node = rendered.nodes.find((entry) => entry.name === name);
  for (const entry of rendered.directories) {
    if (selects(entry.for, name, node?.roles ?? [], "linux/amd64")) {
      mkdirSync(join(root, entry.path), { recursive: true, mode: Number.parseInt(entry.mode, 8) });
    }
  }
  for (const file of filesOf(rendered, name)) {
    if (typeof file.content !== "string") continue;
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    writeFileSync(join(root, file.path), file.content, { mode: Number.parseInt(file.mode, 8) });
  }
}

/** A file's text; throws for a binary. */
export function contentOf({ content, path }: NodeFile): string {
  if (typeof content !== "string") throw new Error(`${path} is no text`);
  return content;
}

/** Text of a node's file; throws when it has none. */
export function textOf(rendered: Rendered, name: string, path: string): string {
  const found = filesOf(rendered, name).find((file) => file.path === path);
  if (found === undefined) throw new Error(`${name} has no ${path}`);
  return contentOf(found);
}

/** The words of a unit's ExecStart, as systemd reads them (specifiers and quotes resolved, variables left alone). */
export function commandLine(unit: string): string[] {
  const joined = unit.replaceAll("\\\n", " ");
  const line = /^ExecStart=(.*)$/m.exec(joined)?.[1] ?? "";
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare = ""]) =>
    (quoted?.replaceAll(/\\(.)/g, "$1") ?? bare).replaceAll("%%", "%").replaceAll("$$", "$"),
  );
}

/** Moves the absolute paths of our own folders in a command line below `root`. */
export function below(root: string, words: readonly string[]): string[] {
  return words.map((word) => word.replaceAll(/(?<=^|=|,)(?=\/(etc|var|data)\/)/g, root));
}
