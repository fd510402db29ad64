/**
 * `npm run handbook`: docs/ as a static site in dist/handbook, in English and (below zh/) Chinese, to be opened from its folder or
 * put on any web server. Pages have no script and no picture; only the search runs one, of this site's own.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runMain } from "#cli/main";
import { Eleventy } from "@11ty/eleventy";
import { languages } from "./handbook/contents.ts";
import { pageMarkdown } from "./handbook/markdown.ts";
import { contentsOf, searchEntries, words } from "./handbook/pages.ts";

const root = join(import.meta.dirname, "..");
const output = join(root, "dist/handbook");
runMain(main);

async function main(): Promise<number> {
  process.chdir(root);
  rmSync(output, { recursive: true, force: true });
  await site().write();
  for (const language of languages) {
    const index = `const entries = ${JSON.stringify(searchEntries(language))};\n`;
    writeFileSync(join(output, language === "zh" ? "zh" : "", "search-index.js"), index);
  }
  process.stdout.write("dist/handbook/index.html\n");
  return 0;
}

interface Place {
  readonly page: { readonly filePathStem: string };
}

function site(): Eleventy {
  return new Eleventy("docs", "dist/handbook", {
    configPath: null,
    quietMode: true,
    config(config) {
      config.setUseGitIgnore(false);
      for (const one of ["docs/man/**", "docs/decisions/**"]) config.ignores.add(one);
      config.setTemplateFormats(["md"]);
      config.setLibrary("md", pageMarkdown());
      config.setLayoutsDirectory("../scripts/handbook");
      config.addGlobalData("layout", "layout.njk");
      config.addGlobalData(
        "permalink",
        () =>
          ({ page }: Place) =>
            `${page.filePathStem.slice(1)}.html`,
      );
      config.addGlobalData("eleventyComputed", { contents: ({ page }: Place) => contentsOf(page.filePathStem) });
      for (const language of languages) {
        config.addTemplate(`${language === "zh" ? "zh/" : ""}search.md`, `# ${words[language].search}\n`);
      }
      config.addPassthroughCopy({
        "docs/*.svg": ".",
        "scripts/handbook/style.css": "style.css",
        "scripts/handbook/search.js": "search.js",
        "node_modules/minisearch/dist/umd/index.js": "minisearch.js",
      });
      return { markdownTemplateEngine: false, htmlTemplateEngine: false };
    },
  });
}
