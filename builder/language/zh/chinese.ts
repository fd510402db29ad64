/** Every text that `kubeferry` says in Chinese; hosts tell it theirs in English, so the installer's are among them. */
import type { Catalogue } from "#cli/language/catalogue";
import { texts as installer } from "#cli/language/zh/chinese";
import { help } from "./help.ts";

export const texts: Catalogue = { ...installer, ...help };
