/** Texts of ours and what they are in another language, found by the English text itself, as gettext does. */

/**
 * English → the other language. `{1}`, `{2}` stand for what a text is filled in with, in the order in which the English has
 * it; `{1*}` in the translation: that part is a text of ours too.
 */
export type Catalogue = Readonly<Record<string, string>>;

/** A form of finished texts. */
interface Pattern {
  readonly form: RegExp;
  /** The longest of what it says itself: a text without that needs no further look. */
  readonly says: string;
  readonly translation: string;
  /** The numbers of what is a text of ours too, one of which must have a translation; none: it fits as it is. */
  readonly ours: readonly number[];
  /** The surest are tried first. */
  readonly rank: number;
}

/** Finds the translation of a finished English text: the key that it is, else the key that it is filled in from. */
export function translator(catalogue: Catalogue): (english: string) => string {
  const patterns = Object.entries(catalogue)
    .filter(([key]) => key.includes("{1}"))
    // The more a key says itself, the surer it is.
    .toSorted(([one], [other]) => ownLength(other) - ownLength(one))
    .flatMap(([key, translation]) => patternsOf(key, translation))
    .toSorted((one, other) => one.rank - other.rank);
  const say = (english: string): string => {
    if (Object.hasOwn(catalogue, english)) return catalogue[english] ?? english;
    for (const { form, says, translation, ours } of patterns) {
      const match = english.includes(says) ? form.exec(english) : null;
      if (match !== null && (ours.length === 0 || ours.some((number) => isSaid(match[number] ?? ""))))
        return filledIn(translation, match);
    }
    return english.includes("\n") ? english.split("\n").map(say).join("\n") : english;
  };
  const isSaid = (english: string): boolean => say(english) !== english;
  const filledIn = (translation: string, match: RegExpExecArray): string =>
    translation.replaceAll(filled, (_, before = "", number: string, ours: string, after = "") => {
      const value = match[Number(number)] ?? "";
      if (ours === "") return `${before}${value}${after}`;
      const said = say(value);
      return (/^\p{Script=Han}/u.test(said) ? "" : before) + said + (/\p{Script=Han}$/u.test(said) ? "" : after);
    });
  return say;
}

const placeholder = /\{\d\}/g;
/** With the spaces that stand between Chinese and Latin letters only. */
const filled = /((?<=\p{Script=Han}) )?\{(\d)(\*?)\}( (?=\p{Script=Han}))?/gu;
const starred = /\{(\d)\*\}/g;

function ownLength(key: string): number {
  return key.replaceAll(placeholder, "").length;
}

/** As a text around others of ours, one of which is known; and by its own words, where it has any. */
function patternsOf(key: string, translation: string): Pattern[] {
  const words = (key.replaceAll(placeholder, "").match(/[A-Za-z]{2,}/g) ?? []).length;
  const ours = [...translation.matchAll(starred)].map(([, number]) => Number(number));
  const literal = key.split(placeholder);
  const says = literal.toSorted((one, other) => other.length - one.length)[0] ?? "";
  const form = (filling: (part: string, number: number) => string): RegExp => {
    const escaped = literal.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const parts = escaped.map((part, at) => part + (at < literal.length - 1 ? filling(part, at + 1) : ""));
    return new RegExp(`^${parts.join("")}$`);
  };
  // One that says little itself would fit many a text: it is filled in with single words then, but for what a colon announces.
  const weak = /^\{1\}[^(]*$/.test(key) && words < 3;
  const own = form((part) => (weak && !part.endsWith(": ") ? "(\\S*? *)" : "([^]*?)"));
  const around = form((_, number) => (words > 0 || ours.includes(number) ? "([^]*?)" : "(\\S+?)"));
  // `{1}:{2}:{3}: {4}` is a place in a file.
  const isSure = words > 0 || literal.length > 4;
  return [
    ...(ours.length === 0 ? [] : [{ form: around, says, translation, ours, rank: isSure ? 0 : 2 }]),
    ...(words === 0 ? [] : [{ form: own, says, translation, ours: [], rank: words < 3 ? 3 : 1 }]),
  ];
}
