/** Markdown as the handbook shows it, and what a page consists of for whoever compares or checks pages. */
import markdownIt from "markdown-it";

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** As GitHub makes it, so that links hold there and here. */
  readonly id: string;
}

export interface PageParts {
  readonly headings: readonly Heading[];
  /** Code blocks, fenced or indented. */
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
  /** Number of rows of each table. */
  readonly tables: readonly number[];
  /** As written. */
  readonly links: readonly string[];
  /** The text below each heading, for the search. */
  readonly sections: readonly { readonly heading: Heading; readonly text: string }[];
}

type Token = ReturnType<markdownIt["parse"]>[number];

/** Raw HTML stays text: a page cannot bring a script or a picture from elsewhere. */
export function pageMarkdown(): markdownIt {
  const markdown = markdownIt({ html: false, linkify: false });
  markdown.core.ruler.push("ids", ({ tokens }) => {
    for (const [at, heading] of headingsOf(tokens)) tokens[at]?.attrSet("id", heading.id);
  });
  markdown.core.ruler.push("links", ({ tokens }) => {
    for (const token of linksIn(tokens)) token.attrSet("href", shownTarget(token.attrGet("href") ?? ""));
  });
  markdown.renderer.rules.softbreak = (tokens, at) => breakBetween(tokens.slice(0, at), tokens.slice(at + 1));
  return markdown;
}

const wide = /[\p{Script=Han}\u3000-\u303f\uff00-\uffef“”]/u;

/** A line's end is a space, but not between two Chinese signs. */
function breakBetween(before: readonly Token[], after: readonly Token[]): string {
  const last = before.findLast(({ content }) => content !== "")?.content.at(-1) ?? "";
  const first = after.find(({ content }) => content !== "")?.content.at(0) ?? "";
  return wide.test(last) && wide.test(first) ? "" : "\n";
}

/** What a reader sees of a paragraph or cell. */
function plain(tokens: readonly Token[]): string {
  return tokens
    .map(({ type, content }, at) =>
      type === "softbreak" ? breakBetween(tokens.slice(0, at), tokens.slice(at + 1)) : content,
    )
    .join("");
}

/** `push.md#order` is `push.html#order` on the site. */
function shownTarget(href: string): string {
  return /^[a-z]+:/.test(href) ? href : href.replace(/\.md(?=#|$)/, ".html");
}

export function partsOf(text: string): PageParts {
  const tokens = markdownIt({ html: false }).parse(text, {});
  const headings = headingsOf(tokens);
  const sections = [...headings].map(([at, heading], index, all) => {
    const next = all[index + 1]?.[0] ?? tokens.length;
    const body = tokens
      .slice(at + 3, next)
      .map(({ children, content }) => (children === null ? content : plain(children)));
    return { heading, text: body.filter((one) => one !== "").join("\n") };
  });
  return {
    headings: [...headings.values()],
    blocks: tokens
      .filter(({ type }) => type === "fence" || type === "code_block")
      .map(({ info, content }) => ({ language: info, text: content })),
    tables: tokens.flatMap(({ type }, at) => (type === "table_open" ? [rowsFrom(tokens, at)] : [])),
    links: linksIn(tokens).map((token) => token.attrGet("href") ?? ""),
    sections,
  };
}

function headingsOf(tokens: readonly Token[]): Map<number, Heading> {
  const headings = new Map<number, Heading>();
  const seen = new Map<string, number>();
  for (const [at, { type, tag }] of tokens.entries()) {
    if (type !== "heading_open") continue;
    const text = plain(tokens[at + 1]?.children ?? []);
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    headings.set(at, { level: Number(tag.slice(1)), text, id: before === 0 ? slug : `${slug}-${before}` });
  }
  return headings;
}

function linksIn(tokens: readonly Token[]): Token[] {
  return tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === "link_open");
}

function rowsFrom(tokens: readonly Token[], at: number): number {
  const end = tokens.findIndex(({ type }, index) => index > at && type === "table_close");
  return tokens.slice(at, end).filter(({ type }) => type === "tr_open").length;
}
