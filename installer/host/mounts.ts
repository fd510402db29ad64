/** What is mounted, from /proc/PID/mountinfo. */

export interface Mount {
  readonly at: string;
  readonly type: string;
  /** Of this mount and of its file system. */
  readonly options: readonly string[];
  /** Which folder of the file system it shows: `/`, or of a bind mount another one; `net:[4026532214]` of a namespace. */
  readonly root: string;
  readonly source: string;
}

/** Mounts in the order in which they cover each other. */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const fields = before.split(" ");
    const [root, at, options] = [fields[3], fields[4], fields[5]];
    const [type = "", source = "", superOptions = ""] = after.split(" ");
    if (root === undefined || at === undefined || options === undefined) return [];
    const readOnly = superOptions.split(",").includes("ro") ? ["ro"] : [];
    const all = [...options.split(","), ...readOnly];
    return [{ at: unescaped(at), type, options: all, root: unescaped(root), source: unescaped(source) }];
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
