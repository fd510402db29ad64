/** Every text that `kubeferry` says in Chinese; hosts tell it theirs in English, so the installer's are among them. */
import type { Catalogue } from "#cli/language/catalogue";
import { texts as installer } from "#cli/language/zh/chinese";
import { carryErrors } from "./carry-errors.ts";
import { clusterErrors } from "./cluster-errors.ts";
import { composed } from "./composed.ts";
import { configurationProblems } from "./configuration-problems.ts";
import { help } from "./help.ts";
import { imageErrors } from "./image-errors.ts";
import { progress } from "./progress.ts";
import { sourceErrors } from "./source-errors.ts";

export const texts: Catalogue = {
  ...installer,
  ...help,
  ...sourceErrors,
  ...imageErrors,
  ...carryErrors,
  ...clusterErrors,
  ...configurationProblems,
  ...progress,
  ...composed,
};
