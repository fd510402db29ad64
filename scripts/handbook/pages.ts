/** What the layout and the search need to know of the pages, read from docs/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chapters, englishOnly, type Language, placeOf } from "./contents.ts";
import { type PageParts, partsOf } from "./markdown.ts";

const docs = join(import.meta.dirname, "../../docs");

/** The site's own words. */
export const words = {
  en: { search: "Search", other: "中文", hint: "Search the handbook", untranslated: "", nothing: "Nothing was found." },
  zh: { search: "搜索", other: "English", hint: "搜索手册", untranslated: "(英文)", nothing: "没有找到结果。" },
} as const satisfies Readonly<Record<Language, unknown>>;

export interface PageContents {
  readonly language: Language;
  readonly title: string;
  /** From this page's folder to the site's root: `` or `../`. */
  readonly base: string;
  readonly words: (typeof words)[Language];
  readonly isSearch: boolean;
  /** The same page in the other language. */
  readonly other: string;
  readonly chapters: readonly {
    readonly title: string;
    readonly pages: readonly { readonly title: string; readonly href: string; readonly isCurrent: boolean }[];
  }[];
}

/** @param stem `/zh/push`, as Eleventy names a page. */
export function contentsOf(stem: string): PageContents {
  const language: Language = stem.startsWith("/zh/") ? "zh" : "en";
  const base = language === "zh" ? "../" : "";
  const page = stem.slice(stem.lastIndexOf("/") + 1);
  const isSearch = page === "search";
  const mark = (name: string): string => (englishOnly[name] === undefined ? "" : words[language].untranslated);
  return {
    language,
    base,
    isSearch,
    words: words[language],
    title: isSearch ? words[language].search : titleOf(stem.slice(1)),
    other: isSearch ? `${base}${language === "en" ? "zh/" : ""}search.html` : otherOf(page, language),
    chapters: chapters.map(({ title, pages }) => ({
      title: title[language],
      pages: pages.map((name) => ({
        title: titleOf(placeOf(name, language)) + mark(name),
        href: `${base}${placeOf(name, language)}.html`,
        isCurrent: name === page,
      })),
    })),
  };
}

function otherOf(page: string, language: Language): string {
  if (language === "zh") return `../${page}.html`;
  return englishOnly[page] === undefined ? `zh/${page}.html` : "zh/index.html";
}

/** One entry a section: what search.js looks through. */
export function searchEntries(language: Language): readonly object[] {
  return chapters
    .flatMap(({ pages }) => pages)
    .flatMap((name) => {
      const { sections, headings } = pageAt(placeOf(name, language));
      const base = language === "zh" ? "../" : "";
      return sections.map(({ heading, text }) => ({
        id: `${base}${placeOf(name, language)}.html#${heading.id}`,
        page: headings[0]?.text ?? name,
        title: heading.text,
        text,
      }));
    });
}

function titleOf(place: string): string {
  return pageAt(place).headings[0]?.text ?? place;
}

const read = new Map<string, PageParts>();

function pageAt(place: string): PageParts {
  const known = read.get(place) ?? partsOf(readFileSync(join(docs, `${place}.md`), "utf8"));
  read.set(place, known);
  return known;
}
