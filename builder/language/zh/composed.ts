/** Forms in which several texts are told as one. */
import type { Catalogue } from "#cli/language/catalogue";

export const composed: Catalogue = {
  "{1}; did you mean `{2}`?": "{1*}；是否想写 `{2}`？",
  "{1}; {2}": "{1*}；{2*}",
  // A place in a file, or a check, and what is wrong there.
  "{1}:{2}:{3}: {4}": "{1}:{2}:{3}: {4*}",
  "{1}: {2}": "{1*}: {2*}",
};
