/** The language of the Chinese references. */
import { chinese as languageOf } from "#cli/language/chinese";
import { texts } from "../../builder/language/zh/chinese.ts";

/** Words that only the references have. */
const own = { " One of {1}.": "可选：{1}。", " Default: {1}.": "默认：{1}。", ".": "。" };

export const chinese = languageOf({ ...texts, ...own });
