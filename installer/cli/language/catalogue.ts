/** Texts of ours and what they are in another language, found by the English text itself, as gettext does. */

/**
 * English → the other language. `{1}`, `{2}` stand for what a text is filled in with, in the order in which the English has
 * it; `{1*}` in the translation: that part is a text of ours too.
 */
export type Catalogue = Readonly<Record<string, string>>;

interface Pattern {
  readonly form: RegExp;
  readonly translation: string;
}

/** Finds the translation of a finished English text: the key that it is, else the key that it is filled in from. */
export function translator(catalogue: Catalogue): (english: string) => string {
  const patterns = Object.entries(catalogue)
    .filter(([key]) => key.includes("{1}"))
    // The more a key says itself, the surer it is.
    .toSorted(([one], [other]) => ownLength(other) - ownLength(one))
    .map(([key, translation]): Pattern => ({ form: formOf(key), translation }));
  const say = (english: string): string => {
    if (Object.hasOwn(catalogue, english)) return catalogue[english] ?? english;
    for (const { form, translation } of patterns) {
      const match = form.exec(english);
      if (match !== null)
        return translation.replaceAll(/\{(\d)(\*?)\}/g, (_, number: string, ours: string) => {
          const value = match[Number(number)] ?? "";
          return ours === "" ? value : say(value);
        });
    }
    return english;
  };
  return say;
}

const placeholder = /\{\d\}/g;

function ownLength(key: string): number {
  return key.replaceAll(placeholder, "").length;
}

function formOf(key: string): RegExp {
  // One that says little itself would fit many a text: it is filled in with single words then, but for what a colon announces.
  const weak = key.startsWith("{1}") && (key.replaceAll(placeholder, "").match(/[A-Za-z]{2,}/g) ?? []).length < 3;
  const parts = key.split(placeholder);
  const filled = parts.slice(0, -1).map((part) => (weak && !part.endsWith(": ") ? "(\\S*?)" : "([^]*?)"));
  const literal = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.map((part, at) => part + (filled[at] ?? "")).join("")}$`);
}
