/** The man pages as the distribution's own programs read them: without a warning, and with everything that the programs have. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { clusterSchema } from "../../builder/config/cluster.ts";
import { clusterFields } from "../../scripts/generate/cluster-fields.ts";
import { clusterExample } from "../../scripts/generate/cluster-reference.ts";
import { type CommandText, commandText } from "../../scripts/generate/command-texts.ts";
import { errorCodesOf, exitCodeMeanings } from "../../scripts/generate/exit-codes.ts";
import { page, verbatim } from "../../scripts/generate/man/roff.ts";
import { commandLines } from "../../scripts/generate/programs.ts";
import { requirePackages } from "../programs/packages.ts";

const root = join(import.meta.dirname, "../..");
const pages = readdirSync(join(root, "docs/man"));
const folder = mkdtempSync(join(tmpdir(), "kubeferry-man-"));
before(() => requirePackages("man-db", "groff-base", "mandoc"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A page as man shows it, in lines so long that nothing is broken. */
function shown(...words: string[]): string {
  const env = { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", MANWIDTH: "1000" };
  const { status, stdout, stderr } = spawnSync("man", ["--warnings=w", ...words], { env, encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout;
}

for (const name of pages) {
  const path = join(root, "docs/man", name);
  test(`man, groff and mandoc take ${name} without a warning`, () => {
    assert.match(shown("-l", path), /^NAME$/m);
    const groff = spawnSync("groff", ["-ww", "-man", "-Tutf8", path], { encoding: "utf8" });
    assert.deepEqual([groff.status, groff.stderr], [0, ""]);
    const lint = spawnSync("mandoc", ["-T", "lint", "-W", "warning", path], { encoding: "utf8" });
    // By intent: a page that says the same is the same file.
    const warnings = lint.stdout.split("\n").filter((line) => line !== "" && !line.includes("missing date"));
    assert.deepEqual(warnings, []);
  });
}

test("what is escaped is shown as it was, by groff and by mandoc", () => {
  const lines = [
    ".TH is a request",
    "'br too",
    String.raw`\fBbold\fR C:\new`,
    "-o, --output",
    `"a" 'b' \`c\``,
    "^ ~ … é",
  ];
  const path = join(folder, "hard.1");
  writeFileSync(
    path,
    page({ name: "hard", section: 1, summary: "what is hard" }, [".SH TEXT", ...verbatim(lines).slice(1)]),
  );
  for (const argv of [
    ["groff", "-ww", "-man", "-Tutf8", "-P-c", path],
    ["mandoc", "-T", "utf8", path],
  ]) {
    const [program = "", ...words] = argv;
    const text = execFileSync(program, words, { encoding: "utf8" }).replaceAll(/.\x08/g, "");
    for (const line of lines) assert.ok(text.includes(` ${line}\n`), `${program}: ${line} in\n${text}`);
  }
});

/** The part of a page that tells of one command. */
function partOf(text: string, { name, usage }: CommandText): string {
  const heading = `   ${name} ${usage}`.trimEnd().replaceAll(/<(.*?)>/g, "$1");
  const [, part] = text.split(`\n${heading}\n`);
  assert.ok(part !== undefined, `${heading} in\n${text}`);
  return part.split(/\n {0,3}\S/)[0] ?? "";
}

function leaves(command: CommandText): CommandText[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

for (const [name, typed] of [
  ["kubeferry.1", "kubeferry"],
  ["kubeferry-install.8", "./install"],
] as const) {
  test(`${name} has every command with its options and examples, every exit code and variable`, () => {
    const text = shown("-l", join(root, "docs/man", name));
    const commands = leaves(commandText(commandLines()[typed], typed));
    assert.ok(commands.length > 15);
    for (const command of commands) {
      const part = partOf(text, command);
      const options = command.options.flatMap(({ term }) => term.match(/--[a-z-]+/g) ?? []);
      const examples = command.closing.filter((line) => line.startsWith("  $ ")).map((line) => line.trim());
      for (const one of [...options, ...examples]) assert.ok(part.includes(one), `${command.name}: ${one}`);
    }
    const exits = text.split("\nEXIT STATUS\n")[1]?.split("\nENVIRONMENT\n")[0] ?? "";
    for (const code of Object.keys(exitCodeMeanings)) {
      const line = exits.split("\n").find((one) => one.startsWith(`       ${code} `)) ?? "";
      for (const named of errorCodesOf(Number(code))) assert.ok(line.includes(named), `${code}: ${named} in ${line}`);
    }
    const part = typed === "kubeferry" ? "builder" : "installer";
    const read = globSync(`{${part},installer/cli}/**/*.ts`, { cwd: root }).flatMap((path) => {
      const reads = path === "builder/http/settings.ts" ? /\bvalue\("([A-Z_]+)"/g : /\benvironment\["([A-Z_]+)"/g;
      return [...readFileSync(join(root, path), "utf8").matchAll(reads)].map(([, variable = ""]) => variable);
    });
    assert.ok(read.length > 2);
    for (const variable of read) assert.match(text.split("\nENVIRONMENT\n")[1] ?? "", new RegExp(`\\b${variable}\\b`));
  });
}

test("kubeferry-cluster.yaml(5) has every field, and its example is a cluster", () => {
  const text = shown("-l", join(root, "docs/man/kubeferry-cluster.yaml.5"));
  const fields = clusterFields();
  assert.ok(fields.length > 80);
  for (const { path, description } of fields) {
    assert.notEqual(description, "", path);
    assert.ok(text.includes(`\n       ${path}  (`), path);
  }
  clusterSchema.parse(parse(clusterExample));
});
