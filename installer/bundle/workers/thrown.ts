/** What a thread threw, in a form that reaches another one: a structured clone loses an error's class and its fields. */
import { type ErrorCode, type ErrorDetails, ExpectedError, isExpected } from "#cli/errors";

export interface Thrown {
  readonly expected: boolean;
  readonly message: string;
  readonly stack: string;
  /** `code`, `syscall`, `path`; of an ExpectedError what it was made of. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export function packThrown(error: unknown): Thrown {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  return { expected: isExpected(error), message, stack, fields: { ...(error as object) } };
}

export function unpackThrown({ expected, message, stack, fields }: Thrown): Error {
  const { code, summary, ...details } = fields as unknown as { code: ErrorCode; summary: string } & ErrorDetails;
  const error = expected ? new ExpectedError(code, summary, details) : Object.assign(new Error(message), fields);
  return Object.assign(error, { stack });
}
