/** What each error code means, where it usually comes from and what to do: what `explain CODE` prints and docs/errors.md lists. */
import type { ErrorCode } from "../errors.ts";
import { configurationCodes } from "./configuration-codes.ts";
import type { Explanation } from "./explanation.ts";
import { hostCodes } from "./host-codes.ts";
import { integrityCodes } from "./integrity-codes.ts";

/** A code without an entry does not compile. */
export const codeExplanations: Readonly<Record<ErrorCode, Explanation>> = {
  ...configurationCodes,
  ...integrityCodes,
  ...hostCodes,
};
