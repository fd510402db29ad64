/** What the exit codes of both programs mean. */
import { type ErrorCode, exitCodeOf } from "#cli/errors";
import { codeExplanations } from "../../installer/cli/explain/codes.ts";

export const exitCodeMeanings: Readonly<Record<number, string>> = {
  0: "done",
  1: "a bug",
  2: "usage",
  3: "configuration",
  4: "fetch",
  5: "integrity",
  6: "preflight",
  7: "failed, and the host restored",
  8: "failed, and the host not restored",
  9: "unhealthy or drifted",
  130: "interrupted",
};

/** The error codes that end a command with this exit code. */
export function errorCodesOf(exitCode: number): ErrorCode[] {
  return (Object.keys(codeExplanations) as ErrorCode[]).filter((code) => exitCodeOf(code) === exitCode);
}
