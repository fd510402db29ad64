/**
 * Errors that an operator can act on. Anything else that is thrown is a bug and keeps its stack.
 *
 * Every code belongs to one exit code (design: 2 usage, 3 configuration, 4 fetch, 5 integrity,
 * 6 preflight, 7 failed and restored, 8 failed and not restored, 9 unhealthy or drifted).
 */

/** Each code with the exit code of a command that ends with it. The keys are the closed union of codes. */
const exitCodes = {
  // 2: how the command was called
  USAGE: 2,
  // 3: cluster.yaml, release manifests, and what they ask for
  CONFIG_UNREADABLE: 3,
  CONFIG_SYNTAX: 3,
  CONFIG_INVALID: 3,
  RELEASE_UNKNOWN: 3,
  RELEASE_INVALID: 3,
  PIN_MISSING: 3,
  LOCK_INVALID: 3,
  LOCK_STALE: 3,
  TEMPLATE_INVALID: 3,
  FLAG_UNKNOWN: 3,
  RUNTIME_INVALID: 3,
  PKI_INVALID: 3,
  NODE_UNKNOWN: 3,
  ROLE_UNKNOWN: 3,
  // 4: getting bytes from outside
  UNREACHABLE: 4,
  NOT_FOUND: 4,
  STALLED: 4,
  TOO_LARGE: 4,
  OFFLINE: 4,
  UNAUTHORIZED: 4,
  PACKAGE_UNAVAILABLE: 4,
  TOOL_MISSING: 4,
  // 5: bytes that are not what was signed
  UNREADABLE: 5,
  DIGEST_MISMATCH: 5,
  SIZE_MISMATCH: 5,
  TRUNCATED: 5,
  MEMBER_MISSING: 5,
  MEMBER_EXTRA: 5,
  MEMBER_DUPLICATE: 5,
  MEMBER_KIND: 5,
  MEMBER_MODE: 5,
  PATH_ESCAPES: 5,
  ARCHIVE_INVALID: 5,
  ARCHIVE_BOMB: 5,
  FORMAT_INVALID: 5,
  FORMAT_TOO_NEW: 5,
  PLATFORM_MISMATCH: 5,
  INCOMPLETE: 5,
  SIGNATURE_INVALID: 5,
  TRUST_INVALID: 5,
  KEY_MISSING: 5,
  KEY_WRONG: 5,
  SECRETS_INVALID: 5,
  HOST_KEY_UNKNOWN: 5,
  HOST_KEY_CHANGED: 5,
  // 6: the host is not fit, nothing was changed
  PREFLIGHT: 6,
  LOCKED: 6,
  NOT_CONFIRMED: 6,
  JOURNAL_INVALID: 6,
  NO_SPACE: 6,
  DENIED: 6,
  DEVICE_FAILED: 6,
  LIMIT_REACHED: 6,
  // 7 and 8: a change failed
  APPLY_FAILED_RESTORED: 7,
  APPLY_FAILED: 8,
  UNDO_INCOMPLETE: 8,
  HOST_FAILED: 8,
  // 9: it runs, but not as it should
  UNHEALTHY: 9,
  NOT_INSTALLED: 9,
  DRIFTED: 9,
  // 130: the operator's Ctrl-C
  INTERRUPTED: 130,
} as const;

export type ErrorCode = keyof typeof exitCodes;

/** What an {@link ExpectedError} says beside its message. */
export interface ErrorDetails {
  /** Where: `file:line:column`, a URL, a bundle member, a node. */
  readonly where?: string | undefined;
  /** What to do next; a command to paste where there is one. */
  readonly hint?: string | undefined;
  /** What was expected and what was found, shown one under the other. */
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  /** Several things that are wrong at once: people read each on a line of its own, machines one by one. */
  readonly problems?: readonly ErrorProblem[] | undefined;
  readonly cause?: unknown;
}

/** One of several things that are wrong. */
export interface ErrorProblem {
  /** Where this one is, when that is narrower than the error's own place: `cluster.yaml:12:5`. */
  readonly where?: string | undefined;
  readonly message: string;
}

/** Something went wrong that the operator can understand and act on. Secrets are redacted on the way in. */
export class ExpectedError extends Error {
  override readonly name = "ExpectedError";
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  /** The message without its problems. */
  readonly summary: string;
  readonly problems: readonly ErrorProblem[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const problems = details.problems ?? [];
    const lines = problems.map((one) => `\n  ${one.where === undefined ? "" : `${one.where}: `}${one.message}`);
    super(
      redact(`${message}${problems.length === 0 ? "" : ":"}${lines.join("")}`),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.summary = redact(message);
    this.problems = problems.map((one) => ({ ...one, message: redact(one.message) }));
    this.where = details.where === undefined ? undefined : redact(details.where);
    this.hint = details.hint === undefined ? undefined : redact(details.hint);
    this.expected = details.expected;
    this.found = details.found;
  }

  get exitCode(): number {
    return exitCodeOf(this.code);
  }
}

/** Whether a text of elsewhere is one of our codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(exitCodes, text);
}

/** The exit code of a command that ends with this error. */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

/** True for an {@link ExpectedError}, of one of the codes where codes are given. */
export function isExpected(error: unknown, ...codes: ErrorCode[]): error is ExpectedError {
  return error instanceof ExpectedError && (codes.length === 0 || codes.includes(error.code));
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const secrets: readonly [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, "[private key]"],
  [/AGE-SECRET-KEY-1[A-Z0-9]+/gi, "[age key]"],
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, "[bootstrap token]"],
  [/(\/\/)[^/\s:@]+:[^/\s@]+@/g, "$1[credentials]@"],
  [/(authorization:\s*\w+\s+)\S+/gi, "$1[credentials]"],
];

/** Replaces whatever looks like a private key, a token or a password in a URL. */
export function redact(text: string): string {
  return secrets.reduce((result, [pattern, name]) => result.replace(pattern, name), text);
}
