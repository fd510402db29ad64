/** Every text that `./install` says in Chinese. */
import type { Catalogue } from "../catalogue.ts";
import { frame } from "./frame.ts";
import { help } from "./help.ts";

export const texts: Catalogue = { ...frame, ...help };
