/** The handbook is whole: every page is in its contents and has its translation, no link leads nowhere, every command can be typed. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { commandLines } from "../../../scripts/generate/programs.ts";
import {
  chapters,
  englishOnly,
  generated,
  type Language,
  languages,
  placeOf,
} from "../../../scripts/handbook/contents.ts";
import { type PageParts, partsOf } from "../../../scripts/handbook/markdown.ts";

const docs = join(import.meta.dirname, "../../../docs");
const listed = chapters.flatMap(({ pages }) => pages);
const english = globSync("*.md", { cwd: docs }).map((name) => basename(name, ".md"));
const chinese = globSync("zh/*.md", { cwd: docs }).map((name) => basename(name, ".md"));
/** `zh/push` → what it consists of. */
const pages = new Map<string, PageParts>(
  [...english, ...chinese.map((name) => `zh/${name}`)].map((place) => [
    place,
    partsOf(readFileSync(join(docs, `${place}.md`), "utf8")),
  ]),
);
const handWritten = [...pages].filter(([place]) => !generated.includes(basename(place)));

test("every page of docs stands once in the contents, and the contents name no other", () => {
  assert.deepEqual(listed.toSorted(), english.toSorted(), "scripts/handbook/contents.ts and docs/*.md");
});

test("every page is translated, or says why not", () => {
  const wanted = english.filter((name) => englishOnly[name] === undefined);
  assert.deepEqual(
    wanted.filter((name) => !chinese.includes(name)),
    [],
    "these lack a translation in docs/zh, or a reason in `englishOnly` of scripts/handbook/contents.ts",
  );
  assert.deepEqual(
    chinese.filter((name) => !wanted.includes(name)),
    [],
    "these are of no English page, or of one that is listed as English only",
  );
  assert.deepEqual(
    Object.keys(englishOnly).filter((name) => !english.includes(name)),
    [],
  );
});

/** A code block without what a translation may say in other words: comments, and Chinese text. */
const bare = ({ language, text }: PageParts["blocks"][number]): string =>
  `${language}\n${text.replaceAll(/(^|\s)#.*$/gm, "").replaceAll(/[^\S\n]+$/gm, "")}`;

for (const name of chinese) {
  test(`the Chinese ${name} has the headings, code blocks, tables and links of the English`, () => {
    const [one, other] = [pages.get(name), pages.get(`zh/${name}`)];
    assert.ok(one !== undefined && other !== undefined);
    const levels = ({ headings }: PageParts): number[] => headings.map(({ level }) => level);
    assert.deepEqual(levels(other), levels(one));
    // A generated block has what a command's help says, too.
    if (generated.includes(name)) assert.equal(other.blocks.length, one.blocks.length);
    else assert.deepEqual(other.blocks.map(bare), one.blocks.map(bare));
    assert.deepEqual(other.tables, one.tables);
    // Another order is another language's right.
    const targets = (place: string, { links }: PageParts): string[] =>
      links.map((link) => (/^https?:/.test(link) ? link : pageOf(place, link))).toSorted();
    assert.deepEqual(targets(`zh/${name}`, other), targets(name, one));
    assert.match(other.headings[0]?.text ?? "", /\p{Script=Han}|^[\w.]+$/u);
  });
}

/** The file that a relative link means, below the project; of a page that is translated the English one. */
function pageOf(place: string, link: string): string {
  const path = join(dirname(place), link.replace(/#.*$/, "")).replace(/^zh\//, "");
  return link.startsWith("#") ? "" : path;
}

test("Chinese text has Chinese punctuation", () => {
  const wrong = chinese.flatMap((name) =>
    (pages.get(`zh/${name}`)?.sections ?? []).flatMap(({ text }) => text.match(/.*\p{Script=Han}[,;:?!].*/gu) ?? []),
  );
  assert.deepEqual(wrong, []);
});

test("no link of the handbook leads nowhere, and none leaves it but for the web", () => {
  const wrong = [...pages].flatMap(([place, { links }]) =>
    links.flatMap((link) => {
      if (link.startsWith("https:")) return [];
      const [path = "", id] = link.split("#");
      const target = path === "" ? place : join(dirname(place), path.replace(/\.md$/, ""));
      const page = pages.get(target);
      if (page === undefined || (path !== "" && !path.endsWith(".md"))) return [`${place}: ${link} is no page`];
      return id === undefined || page.headings.some((heading) => heading.id === decodeURIComponent(id))
        ? []
        : [`${place}: ${link} has no such heading`];
    }),
  );
  assert.deepEqual(wrong, []);
});

test("a Chinese page leads to Chinese pages where there are any", () => {
  const wrong = chinese.flatMap((name) =>
    (pages.get(`zh/${name}`)?.links ?? []).filter(
      (link) => /^\.\.\/[^/]+\.md/.test(link) && chinese.includes(basename(link.replace(/#.*$/, ""), ".md")),
    ),
  );
  assert.deepEqual(wrong, []);
});

/** Commands of ours in a page's code blocks, each as words. */
function commandsIn({ blocks }: PageParts): string[][] {
  return blocks
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/&&|\|\||[;|]/))
    .map((command) =>
      command
        .replace(/\s\d?>.*$/, "")
        .trim()
        .replace(/^(?:\$ |sudo )+/, ""),
    )
    .filter((command) => /^(?:dist\/)?kubeferry |^\.\/install( |$)/.test(command))
    .map((command) => [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? ""));
}

/** What commander says to it: options, their values, and the number of words; null: it would run. */
function refusal([program = "", ...words]: readonly string[]): string | null {
  const programs: Readonly<Record<string, Command>> = { ...commandLines() };
  let command = programs[program.replace(/^dist\//, "")];
  let rest = words;
  for (;;) {
    const next = command?.commands.find((one) => one.name() === rest[0]);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  // `./install` without a word of its own is apply.
  if (command?.parent === null && program === "./install")
    command = command.commands.find((one) => one.name() === "apply");
  if (command === undefined) return "is no program of ours";
  if (rest.includes("--help") || rest.includes("--version")) return null;
  if (command.commands.length > 0) return `has no command ${rest[0] ?? ""}`;
  let said = "";
  command.exitOverride().configureOutput({ writeErr: (text) => (said += text), writeOut: () => {} });
  try {
    const { operands, unknown } = command.parseOptions([...rest]);
    if (unknown.length > 0) return `has no ${unknown[0]}`;
    const taken = command.registeredArguments;
    const least = taken.filter(({ required }) => required).length;
    if (operands.length < least || (operands.length > taken.length && taken.at(-1)?.variadic !== true)) {
      return `takes ${taken.map((one) => one.name()).join(", ") || "no words"}`;
    }
    const missing = command.options.find(
      (option) => option.mandatory && command.getOptionValue(option.attributeName()) === undefined,
    );
    return missing === undefined ? null : `needs ${missing.long}`;
  } catch (error) {
    return said || String(error);
  }
}

test("what is no command, option, value or number of words is told", () => {
  for (const [line, told] of [
    ["kubeferry bild cluster.yaml", /no command bild/],
    ["kubeferry build cluster.yaml --singed release.key", /has no --singed/],
    ["kubeferry build", /takes cluster.yaml/],
    ["kubeferry inspect plant-7.tar --sbom word", /spdx/],
    ["kubeferry push plant-7.tar --parallel", /argument missing/],
    ["./install restore", /takes no words/],
    ["./install --role worker --ips 10.64.3.2", /has no --ips/],
  ] as const) {
    assert.match(refusal(line.split(" ")) ?? "", told);
  }
});

for (const [language, least] of [
  ["en", 60],
  ["zh", 60],
] as const satisfies readonly (readonly [Language, number])[]) {
  test(`every command in a code block of the hand-written pages would run (${language})`, () => {
    const commands = handWritten
      .filter(([place]) => place.startsWith("zh/") === (language === "zh"))
      .flatMap(([place, parts]) => commandsIn(parts).map((words) => ({ place, words })));
    assert.ok(commands.length >= least, `${commands.length} commands were found`);
    const wrong = commands.flatMap(({ place, words }) => {
      const problem = refusal(words);
      return problem === null ? [] : [`${place}: ${words.join(" ")}: ${problem}`];
    });
    assert.deepEqual(wrong, []);
  });
}

test("every page of the contents is a file in each language", () => {
  for (const language of languages) {
    for (const name of listed)
      assert.ok(existsSync(join(docs, `${placeOf(name, language)}.md`)), `${language}: ${name}`);
  }
});
