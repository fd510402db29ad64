/** Takes our lines out of a text that somebody has edited since. */

/** Each whole line that is `from` becomes `to`, or goes where `to` is null. Everything else stays byte for byte. */
export function unedit(text: string, lines: readonly { readonly from: string; readonly to: string | null }[]): string {
  const wanted = new Map(lines.map(({ from, to }) => [from, to]));
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      const bare = line.replace(/\n$/, "");
      const to = wanted.get(bare);
      if (to === undefined) return line;
      return to === null ? "" : to + line.slice(bare.length);
    })
    .join("");
}
