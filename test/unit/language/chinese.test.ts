/** The catalogue is whole: what the sources say, category by category, has its Chinese, and it has nothing that they do not say. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { paragraphsOf } from "#cli/help";
import { type Catalogue, translator } from "#cli/language/catalogue";
import { texts as all } from "../../../builder/language/zh/chinese.ts";
import { carryErrors } from "../../../builder/language/zh/carry-errors.ts";
import { clusterErrors } from "../../../builder/language/zh/cluster-errors.ts";
import { composed } from "../../../builder/language/zh/composed.ts";
import { configurationProblems } from "../../../builder/language/zh/configuration-problems.ts";
import { help as kubeferryHelp } from "../../../builder/language/zh/help.ts";
import { imageErrors } from "../../../builder/language/zh/image-errors.ts";
import { progress as kubeferryProgress } from "../../../builder/language/zh/progress.ts";
import { sourceErrors } from "../../../builder/language/zh/source-errors.ts";
import { checkExplanations } from "../../../installer/cli/explain/checks.ts";
import { codeExplanations } from "../../../installer/cli/explain/codes.ts";
import type { Explanation } from "../../../installer/cli/explain/explanation.ts";
import { bundleErrors } from "../../../installer/cli/language/zh/bundle-errors.ts";
import { commandErrors } from "../../../installer/cli/language/zh/command-errors.ts";
import { hostErrors } from "../../../installer/cli/language/zh/host-errors.ts";
import { checks } from "../../../installer/cli/language/zh/checks.ts";
import { codes } from "../../../installer/cli/language/zh/codes.ts";
import { configurationCodes } from "../../../installer/cli/language/zh/configuration-codes.ts";
import { findings } from "../../../installer/cli/language/zh/findings.ts";
import { frame } from "../../../installer/cli/language/zh/frame.ts";
import { health } from "../../../installer/cli/language/zh/health.ts";
import { help as installHelp } from "../../../installer/cli/language/zh/help.ts";
import { hostCodes } from "../../../installer/cli/language/zh/host-codes.ts";
import { integrityCodes } from "../../../installer/cli/language/zh/integrity-codes.ts";
import { labels } from "../../../installer/cli/language/zh/labels.ts";
import { preflight } from "../../../installer/cli/language/zh/preflight.ts";
import { problems } from "../../../installer/cli/language/zh/problems.ts";
import { progress as installProgress } from "../../../installer/cli/language/zh/progress.ts";
import { saidIn } from "../../../scripts/language/said.ts";
import { closingOf } from "../../../scripts/generate/command-texts.ts";
import { commandLines } from "../../../scripts/generate/programs.ts";
import { commandsAlone } from "./commands-alone.ts";

const root = join(import.meta.dirname, "../../..");
const read = (pattern: string): string =>
  globSync(pattern, { cwd: root })
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");

/** What every command, option and argument of a program says of itself. */
function helpOf(command: Command): string[] {
  const own = [command, ...command.options, ...command.registeredArguments].map((one) =>
    typeof one.description === "function" ? one.description() : one.description,
  );
  const after = command.commands.length > 0 ? [] : paragraphsOf(closingOf(command).join("\n"));
  const prose = after.filter((line) => !/^ {2}|^Examples?:$/.test(line));
  return [...own, ...prose, ...command.commands.flatMap(helpOf)].filter((text) => text !== "");
}

const textsOf = (table: Readonly<Record<string, Explanation>>): string[] =>
  Object.values(table).flatMap(({ meaning, causes, remedies }) => [meaning, ...causes, ...remedies]);

const details = ["hint", "expected", "found"];

const maker = [{ argument: 1 }, { argument: 2, fields: details }];

/** What findings say, of preflight and audit to the smoke test: by their makers' arguments, or as objects with a `check`. */
function findingsIn(pattern: string): string[] {
  const calls = { ok: maker, warning: maker, error: maker, drift: [{ argument: 2, lead: true }, { argument: 3 }] };
  const object = { has: "check", fields: ["message", ...details] };
  return textsIn(pattern, calls, [object]);
}

/** Texts of sources that have words of their own; what has none needs none in Chinese. */
function textsIn(
  pattern: string,
  ...wanted: Parameters<typeof saidIn> extends [string, ...infer Wanted] ? Wanted : never
): string[] {
  const texts = globSync(pattern, { cwd: root }).flatMap((path) =>
    saidIn(readFileSync(join(root, path), "utf8"), ...wanted),
  );
  return texts.filter((text) => /[A-Za-z]{2}/.test(text.replaceAll(/\{\d\}/g, "")));
}

const found = findingsIn("installer/{checks,commands,transaction}/**/*.ts");

/** What errors say, and the problems that they list; and what is only warned of. */
const errorCalls = { ExpectedError: [{ argument: 1 }, { argument: 2, fields: details }], ".warn": [{ argument: 0 }] };
const problemObjects = [
  { has: "message", fields: ["message", "hint"] },
  { has: "why", fields: ["why"] },
];
const errors = textsIn(
  "installer/**/*.ts",
  errorCalls,
  [...problemObjects, { has: "next", fields: ["cause"] }],
  ["whyUnreadable"],
);

const second = [{ argument: 1 }];
const third = [{ argument: 2 }];
const fourth = [{ argument: 3 }];
const options = [{ argument: 3, fields: ["hint"] }];
const builderErrors = [
  ...textsIn("builder/**/*.ts", { ...errorCalls, error: maker, warning: maker }, problemObjects),
  // Texts that go from one file to another: hints that readers of files are given, and functions that give a text.
  ...textsIn(
    "{builder,installer/certificates}/**/*.ts",
    { fail: fourth, parseYaml: options, loadYaml: options, readText: second },
    [],
    ["netrcHint", "packageHint", "whyNoAuthority", "whyUnread"],
  ),
  ...textsIn("builder/pack/closure/*.ts", {}, [{ has: "where", fields: ["hint"] }]),
  // What a schema says of a value, and the parts of which sentences about a field are made.
  ...textsIn(
    "builder/{config,push}/*.ts",
    { ".regex": second, ".refine": second, ".max": second, ".min": second, ofFamilies: third },
    [
      { has: "error", fields: ["error"] },
      { has: "boolean", fields: ["string", "int", "boolean", "array", "object"] },
      { has: "what", fields: ["what"] },
      { has: "reason", fields: ["reason"] },
      { has: "apiVersion", fields: ["kind"] },
      { has: "root", fields: ["state"] },
    ],
  ),
];
const healthChecks = textsIn("builder/components/**/*.ts", {}, [{ has: "argv", fields: ["name", "hint"] }]);

/** What is told while it is worked, and what is asked; what is indented is a list, and told as it is. */
const telling = { ".info": [{ argument: 0 }], ".stage": second, confirm: [{ argument: 0 }] };
const steps = { has: "reissue", fields: ["trust", "reissue", "drop"] };
const isSentence = (text: string): boolean => !text.startsWith("  ");
const notes = { has: "notes", fields: ["notes"] };
const installerTells = textsIn("installer/**/*.ts", telling, [notes], ["describeAwaited", "nextOf"]).filter(isSentence);
const builderTells = textsIn("builder/**/*.ts", telling, [steps], ["carriedText"]).filter(isSentence);

const isSaid = (text: string): boolean => !commandsAlone.includes(text);

const { kubeferry, "./install": install } = commandLines();

/** Category → what the sources say, and the parts of the catalogue for it: no more and no less. */
const categories: Readonly<Record<string, { wanted: readonly string[]; catalogues: readonly Catalogue[] }>> = {
  "help of both programs": {
    wanted: [...helpOf(kubeferry), ...helpOf(install)],
    catalogues: [installHelp, kubeferryHelp],
  },
  "what error codes are called": { wanted: Object.keys(codeExplanations), catalogues: [codes] },
  "what explain says": {
    wanted: [...textsOf(codeExplanations), ...textsOf(checkExplanations)],
    catalogues: [configurationCodes, integrityCodes, hostCodes, checks],
  },
  "what findings say": {
    wanted: found.filter(isSaid),
    catalogues: [preflight, findings],
  },
  "errors of ./install": {
    wanted: errors.filter((text) => isSaid(text) && !found.includes(text)),
    catalogues: [bundleErrors, hostErrors, commandErrors, problems],
  },
  "errors of kubeferry, and what is wrong with configuration": {
    wanted: builderErrors.filter((text) => isSaid(text) && !found.includes(text) && !errors.includes(text)),
    catalogues: [sourceErrors, imageErrors, carryErrors, clusterErrors, configurationProblems],
  },
  "health checks of bundles": {
    wanted: healthChecks.filter(isSaid),
    catalogues: [health],
  },
  "what ./install tells and asks": {
    wanted: installerTells.filter((text) => isSaid(text) && !errors.includes(text)),
    catalogues: [installProgress],
  },
  "what kubeferry tells": {
    wanted: builderTells.filter((text) => isSaid(text) && ![...installerTells, ...builderErrors].includes(text)),
    catalogues: [kubeferryProgress],
  },
};

for (const [category, { wanted, catalogues }] of Object.entries(categories)) {
  test(`${category} is in Chinese, whole`, () => {
    const keys = catalogues.flatMap((one) => Object.keys(one));
    assert.deepEqual(
      [...new Set(wanted)].filter((text) => !Object.hasOwn(all, text)),
      [],
      "these have no Chinese text",
    );
    assert.deepEqual(
      keys.filter((key) => !wanted.includes(key)),
      [],
      "these are said nowhere: take them out",
    );
  });
}

test("./install has the Chinese of what it says itself", () => {
  assert.deepEqual(
    helpOf(install).filter((text) => !Object.hasOwn(installHelp, text)),
    [],
  );
});

test("what commander says is what it says in this version", () => {
  const sources = read("node_modules/commander/lib/*.js") + read("{builder,installer}/{*.ts,cli/*.ts,commands/*.ts}");
  const words = Object.keys(frame).flatMap((key) => key.match(/[A-Za-z]{4,}/g) ?? []);
  assert.deepEqual(
    words.filter((word) => !sources.includes(word)),
    [],
  );
});

const everything = [found, errors, builderErrors, healthChecks, installerTells, builderTells].flat();

test("texts that are the same in every language are some that findings and errors have", () => {
  assert.deepEqual(
    commandsAlone.filter((text) => !everything.includes(text)),
    [],
  );
  assert.ok(found.length > 200, `${found.length} texts of findings were read`);
});

const [, , , ...told] = Object.values(categories);
const filledIn = told.flatMap(({ catalogues }) => catalogues);

test("every text of a finding or error, filled in, is said in Chinese with what it was filled in with", () => {
  const say = translator(all);
  for (const key of filledIn.flatMap((one) => Object.keys(one))) {
    const english = key.replaceAll(/\{(\d)\}/g, "<$1>");
    const parts = key.match(/\{\d\}/g) ?? [];
    const translation = say(english);
    assert.notEqual(translation, english);
    for (const [at] of parts.entries()) assert.ok(translation.includes(`<${at + 1}>`), key);
  }
});

test("labels are said by the programs' frame", () => {
  const sources = read("installer/{cli,checks}/{*,explain/*}.ts");
  const said = (label: string): boolean =>
    sources.includes(`"${label}"`) || sources.includes(`\`${label.split("{")[0]}`);
  assert.deepEqual(
    Object.keys(labels).filter((label) => !said(label)),
    [],
  );
});

test("texts are put together with the words that the builder puts between them", () => {
  const sources = read("builder/**/*.ts");
  const between = Object.keys(composed).flatMap((key) => key.match(/[a-z][a-z ]+/g) ?? []);
  assert.deepEqual(
    between.filter((words) => !sources.includes(words)),
    [],
  );
});

test("no text stands in two parts of the catalogue", () => {
  const parts = [frame, labels, composed, ...Object.values(categories).flatMap(({ catalogues }) => catalogues)];
  const keys = parts.flatMap((one) => Object.keys(one));
  assert.deepEqual(
    keys.filter((key, at) => keys.indexOf(key) !== at),
    [],
  );
  assert.equal(keys.length, Object.keys(all).length);
});

test("a translation has what its text is filled in with, and Chinese punctuation", () => {
  for (const [key, text] of Object.entries(all)) {
    const filled = (one: string): string[] =>
      [...one.matchAll(/\{(\d)\*?\}/g)].map(([, number = ""]) => number).toSorted();
    assert.deepEqual([...new Set(filled(text))], filled(key), key);
    assert.doesNotMatch(text, /\p{Script=Han}[,;:?!]/u, key);
    // Terminals do not agree on how wide these are.
    const unsure = text.match(/[“”‘’—…·×→]/g)?.filter((one) => !key.includes(one)) ?? [];
    assert.deepEqual(unsure, [], key);
  }
});
