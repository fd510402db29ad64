/** In which language people are told. What machines read is English, whatever this says. */

/** Words of ours as people read them; English is what the sources say. */
export interface Language {
  /** A text of ours in this language; one that its catalogue lacks stays English. */
  readonly say: (english: string) => string;
  /** How many columns of a terminal a text takes. */
  readonly columnsOf: (text: string) => number;
  /** A line in pieces that a line may end after; together they are the line. */
  readonly piecesOf: (line: string) => readonly string[];
}

export const english: Language = {
  say: (text) => text,
  columnsOf: (text) => text.length,
  piecesOf: (line) => line.match(/\s*\S+/g) ?? [],
};

/**
 * Whether Chinese is asked for: by LC_ALL, LC_MESSAGES or LANG, the first that is set, as everywhere. Not where it could not
 * be read: in another charset than UTF-8, on the kernel's own console, and on terminals that only print (dumb, vt220 of a serial line).
 */
export function wantsChinese(environment: Readonly<Record<string, string | undefined>>): boolean {
  const names = ["LC_ALL", "LC_MESSAGES", "LANG"];
  const locale = names.map((name) => environment[name] ?? "").find((value) => value !== "") ?? "";
  const console = /^(linux|dumb|vt\d+)(-|$)/.test(environment["TERM"] ?? "");
  return !console && /^zh(_[A-Za-z]+)?(\.utf-?8)?(@\w+)?$/i.test(locale);
}

/** A code or name of ours with what it is called in this language, where that is something else. */
export function named(name: string, { say }: Language): string {
  const called = say(name);
  return called === name ? name : `${name} ${called}`;
}

/** A text filled up with spaces to so many columns. */
export function padded(text: string, columns: number, language: Language): string {
  return text + " ".repeat(Math.max(0, columns - language.columnsOf(text)));
}
