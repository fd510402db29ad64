/** Files on media that die, or that somebody else owns: what the system says becomes an error that can be acted on. */
import { ExpectedError } from "#cli/errors";

const reasons: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  EACCES: ["this user may not read it", "run it as root, or as the user it belongs to"],
  EPERM: ["this user may not read it", "run it as root, or as the user it belongs to"],
  EIO: ["the medium gives an input/output error", "copy it from another medium; dmesg says which device fails"],
  ELOOP: ["a symbolic link stands in its place", "unpack the bundle again into an empty folder"],
  ENOENT: ["it went away", "is the medium still mounted? then run the same command again"],
  ENOTDIR: ["a part of its path is no folder", "unpack the bundle again into an empty folder"],
  ESTALE: ["the network file system lost it", "mount it again, or copy the bundle to a local disk"],
  ENAMETOOLONG: ["its name is too long", "unpack the bundle again into an empty folder"],
  EMFILE: ["too many files are open", "ulimit -n 1024, then run the same command again"],
  ENODEV: ["the medium went away", "mount it again, then run the same command again"],
  ENXIO: ["the medium went away", "mount it again, then run the same command again"],
};

/** What `read` gives; UNREADABLE with the reason where the system refuses. */
export function readable<Result>(where: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw unreadable(where, cause);
  }
}

/** An error of the system about `where` as UNREADABLE; any other as it is. */
function unreadable(where: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !("syscall" in cause) || !("code" in cause)) return cause;
  const [why, hint] = reasons[String(cause.code)] ?? [cause.message, undefined];
  return new ExpectedError("UNREADABLE", `this cannot be read: ${why}`, { where, hint, cause });
}
