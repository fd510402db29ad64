/** The file tree of a guest as find prints it. */

export interface FileRecord {
  /** Type, mode, owner; of a regular file size and time of change too, of a link its target. */
  readonly how: string;
  /** Same identity, same bytes: nobody can set a file's ctime. */
  readonly identity: string;
  sha256: string | undefined;
}

/** Lines of `%y|%m|%U:%G|%s|%T@|%C@|%i|%p|%l`. */
export function parseFiles(listing: string): Map<string, FileRecord> {
  const files = new Map<string, FileRecord>();
  for (const line of listing.split("\n")) {
    const [type, mode, owner, size, mtime, ctime, inode, path, target] = line.split("|");
    if (type === undefined || path === undefined) continue;
    // A folder's size and time follow from what came and went in it.
    const more = type === "f" ? `${size} bytes ${mtime}` : target;
    const how = [type, mode, owner, more].filter(Boolean).join(" ");
    files.set(path, { how, identity: [inode, size, mtime, ctime].join(" "), sha256: undefined });
  }
  return files;
}
