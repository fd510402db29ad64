/** Words as one command line: ssh hands a host one text, which the login shell of the user there takes apart. */

/** Every word in single quotes, in which a shell obeys nothing. Throws for a NUL, which no command line can hold. */
export function shellQuote(words: readonly string[]): string {
  return words
    .map((word) => {
      if (word.includes("\0")) throw new TypeError("a word of a command line holds a NUL");
      return `'${word.replaceAll("'", `'\\''`)}'`;
    })
    .join(" ");
}
