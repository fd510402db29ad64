/** HTML of which every value is text, unless it was made here: what a bundle calls itself cannot become markup. */
import { visible } from "#cli/reporter";

/** Markup. Only {@link markup} makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | readonly Html[];

/** Values are escaped, in text as in quoted attributes; control characters are shown as `\x1b`. */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, at) => part + (at < values.length ? rendered(values[at] ?? "") : "")).join(""));
}

function rendered(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(({ text }) => text).join("");
  return visible(String(value)).replaceAll(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

/** Rows below a head; nothing where there are none. */
export function table(head: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  if (rows.length === 0) return markup``;
  const line = (cells: readonly (string | Html)[]): Html =>
    markup`<tr>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>\n`;
  return markup`<table><thead><tr>${head.map((name) => markup`<th>${name}</th>`)}</tr></thead><tbody>\n${rows.map(line)}</tbody></table>`;
}
