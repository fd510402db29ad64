/** The keys that `kubeferry build` left, as one file with a line a node: what one person carries to several machines. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes it into `folder`, beside the `.keys` folder that is there, and gives its path. */
export function writeKeyLines(folder: string): string {
  const keys = readdirSync(folder).find((name) => name.endsWith(".keys"));
  if (keys === undefined) throw new Error("kubeferry build wrote no keys");
  const lines = readdirSync(join(folder, keys)).flatMap((name) => {
    const node = /^(.+)\.key$/.exec(name)?.[1];
    const identity = /^AGE-SECRET-KEY-\S+$/m.exec(readFileSync(join(folder, keys, name), "utf8"))?.[0];
    return node === undefined || identity === undefined ? [] : [`${node} ${identity}\n`];
  });
  const path = join(folder, "key-lines");
  writeFileSync(path, lines.join(""), { mode: 0o600 });
  return path;
}
