/** What the system refuses anywhere, and nobody nearer to it explained: an operator's to mend, and no bug. */
import { type ErrorCode, ExpectedError, messageOf } from "./errors.ts";

type Reason = readonly [code: ErrorCode, message: string, hint: (where: string) => string];

const full: Reason = ["NO_SPACE", "the file system is full", (where) => `df -h ${where}; df -i ${where}`];
const denied: Reason = ["DENIED", "this user may not do this", () => "run it as root, or as the user it belongs to"];
const limit: Reason = ["LIMIT_REACHED", "too many files are open", () => "ulimit -n 1024, then run it again"];

/** Only what is never Kubeferry's own fault: a file that is missing may be. */
const reasons: Readonly<Record<string, Reason>> = {
  ENOSPC: full,
  EDQUOT: full,
  EACCES: denied,
  EPERM: denied,
  EROFS: ["DENIED", "the file system is read-only", (where) => `findmnt -T ${where}`],
  EIO: ["DEVICE_FAILED", "the device gives an input/output error", () => "dmesg says which device fails"],
  EMFILE: limit,
  ENFILE: limit,
  ENOMEM: ["LIMIT_REACHED", "there is not enough memory", () => "free -m; ulimit -a"],
  EAGAIN: ["LIMIT_REACHED", "no further process can be started", () => "ulimit -u; systemctl show -p TasksMax"],
};

/** Why a file that an operator named cannot be read; what is rare in the system's own words. */
export function whyUnreadable(cause: unknown): string {
  switch (cause instanceof Error && "code" in cause ? cause.code : null) {
    case "ENOENT":
    case "ENOTDIR":
      return "there is no such file";
    case "EISDIR":
      return "it is a folder, not a file";
    case "EACCES":
      return "this user may not read it";
    default:
      return messageOf(cause);
  }
}

/** An error of the system as an operator can act on it, about `place` where it names none; any other as it is. */
export function explainedBySystem(error: unknown, place?: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return error;
  const reason = reasons[String(error.code)];
  if (reason === undefined) return error;
  const [code, message, hint] = reason;
  const where = "path" in error && typeof error.path === "string" ? error.path : place;
  return new ExpectedError(code, `${message} (${error.message})`, { where, hint: hint(where ?? "."), cause: error });
}
