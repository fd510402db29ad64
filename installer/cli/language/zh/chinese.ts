/** Every text that `./install` says in Chinese. */
import type { Catalogue } from "../catalogue.ts";
import { bundleErrors } from "./bundle-errors.ts";
import { checks } from "./checks.ts";
import { codes } from "./codes.ts";
import { commandErrors } from "./command-errors.ts";
import { configurationCodes } from "./configuration-codes.ts";
import { findings } from "./findings.ts";
import { frame } from "./frame.ts";
import { health } from "./health.ts";
import { help } from "./help.ts";
import { hostErrors } from "./host-errors.ts";
import { hostCodes } from "./host-codes.ts";
import { integrityCodes } from "./integrity-codes.ts";
import { labels } from "./labels.ts";
import { preflight } from "./preflight.ts";
import { problems } from "./problems.ts";
import { progress } from "./progress.ts";

export const texts: Catalogue = {
  ...frame,
  ...labels,
  ...help,
  ...codes,
  ...configurationCodes,
  ...integrityCodes,
  ...hostCodes,
  ...checks,
  ...preflight,
  ...findings,
  ...bundleErrors,
  ...hostErrors,
  ...commandErrors,
  ...problems,
  ...health,
  ...progress,
};
