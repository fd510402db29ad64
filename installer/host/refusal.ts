/** Why an effect failed. */
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import type { Effect } from "./effect.ts";
import { codeOf } from "./local-files.ts";
import { commandOf } from "./systemd.ts";

/** The kernel's refusals as an operator understands them. */
export function explained(error: unknown, effect: Effect): unknown {
  const code = codeOf(error);
  if (isExpected(error) || code === "") return error;
  const where = placeOf(effect);
  if (code === "ENOSPC" || code === "EDQUOT") {
    const hint = `df -h ${where}; df -i ${where}`;
    return new ExpectedError("NO_SPACE", "the file system is full", { where, hint, cause: error });
  }
  const hint = { EPERM: `lsattr -d ${where}`, EBUSY: `findmnt ${where}` }[code];
  return new ExpectedError("APPLY_FAILED", `${effect.do} failed: ${messageOf(error)}`, { where, hint, cause: error });
}

function placeOf(effect: Effect): string {
  if (effect.do === "run") return effect.argv.join(" ");
  if (effect.do === "end") return effect.processes.map(({ pid }) => pid).join(" ");
  if (effect.do === "systemctl") return commandOf(effect).argv.join(" ");
  return effect.do === "nft" ? effect.chain : effect.path;
}
