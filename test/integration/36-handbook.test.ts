/** `npm run handbook`, opened from its folder by a real Chromium that has no network: every page, in both languages, and the search. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Browser } from "../programs/browser.ts";
import { requirePackages } from "../programs/packages.ts";

const root = join(import.meta.dirname, "../..");
const site = join(root, "dist/handbook");
const address = (page: string): string => pathToFileURL(join(site, page)).href;
let browser: Browser;

before(async () => {
  requirePackages("chromium");
  execFileSync(process.execPath, ["scripts/handbook.ts"], { cwd: root, stdio: "ignore" });
  browser = await Browser.start();
});
after(() => browser[Symbol.asyncDispose]());

test("every page opens, in its language, and every link of it leads to a page and a heading that are there", async () => {
  const pages = globSync("**/*.html", { cwd: site });
  assert.ok(pages.length >= 40, `${pages.length} pages`);
  const targets = new Map<string, readonly string[]>();
  const links: { readonly page: string; readonly href: string }[] = [];
  for (const page of pages) {
    await browser.open(address(page));
    const seen = await browser.evaluate<{ title: string; language: string; ids: string[]; links: string[] }>(
      `({ title: document.querySelector("main h1").textContent, language: document.documentElement.lang,
          ids: [...document.querySelectorAll("[id]")].map(({ id }) => id), links: [...document.links].map(({ href }) => href) })`,
    );
    assert.equal(seen.language, page.startsWith("zh/") ? "zh-CN" : "en", page);
    assert.equal(await browser.evaluate("document.title"), `${seen.title} · Kubeferry`);
    targets.set(address(page), seen.ids);
    links.push(...seen.links.map((href) => ({ page, href })));
  }
  const broken = links.filter(({ href }) => {
    const { protocol, hash } = new URL(href);
    if (protocol === "https:") return false;
    const ids = targets.get(href.slice(0, href.length - hash.length).replace(/\?$/, ""));
    return ids === undefined || (hash !== "" && !ids.includes(decodeURIComponent(hash.slice(1))));
  });
  assert.deepEqual(broken, []);
});

for (const [start, word, page, title] of [
  ["index.html", "lost quorum", "day-2-etcd.html", /^Day 2: etcd/],
  ["push.html", "--force-new-cluster", "day-2-etcd.html", /^Day 2: etcd/],
  ["zh/index.html", "法定人数", "day-2-etcd.html", /etcd/],
  ["zh/push.html", "更新证书", "day-2-renewal.html", /更新证书/],
] as const) {
  test(`from ${start} the search for ${word} leads to ${page}`, async () => {
    await browser.open(address(start));
    await browser.follow(
      `document.querySelector("input[name=q]").value = ${JSON.stringify(word)}; document.querySelector("header form").requestSubmit()`,
    );
    const results = await browser.evaluate<{ text: string; href: string }[]>(
      `[...document.querySelectorAll("#results a")].map(({ textContent, href }) => ({ text: textContent, href }))`,
    );
    const found = results.find(({ href }) => href.startsWith(new URL(page, address(start)).href));
    assert.ok(found !== undefined, JSON.stringify(results.slice(0, 5)));
    assert.match(found.text, title);
    await browser.follow(`location = ${JSON.stringify(found.href)}`);
    assert.equal(
      await browser.evaluate(`document.getElementById(decodeURIComponent(location.hash.slice(1))) !== null`),
      true,
    );
  });
}

test("a word that no page has is not found, and nothing else is shown", async () => {
  await browser.open(`${address("zh/search.html")}?q=${encodeURIComponent("<img src=x onerror=alert(1)>")}`);
  assert.equal(await browser.evaluate(`document.getElementById("results").textContent`), "没有找到结果。");
  assert.equal(await browser.evaluate(`document.querySelectorAll("img").length`), 0);
});

test("all that was asked for lies in the handbook's own folder, and nothing failed", () => {
  const own = pathToFileURL(`${site}/`).href;
  assert.ok(browser.requests.length > 40);
  assert.deepEqual(
    browser.requests.filter((url) => !url.startsWith(own) && url !== "data:,"),
    [],
  );
  assert.deepEqual(browser.complaints, []);
});

test("pages name no script but the search's, and only links lead to the web", () => {
  for (const page of globSync("**/*.html", { cwd: site })) {
    const html = readFileSync(join(site, page), "utf8");
    const loaded = [...html.matchAll(/<(?!a\b)[a-z]+[^>]*\b(?:src|href|action)="([^"]*)"/g)].map(([, url]) => url);
    assert.deepEqual(
      loaded.filter((url) => /^[a-z]+:/.test(url ?? "") && url !== "data:,"),
      [],
      page,
    );
    assert.equal(/<script/.test(html), page.endsWith("search.html"), page);
  }
});
