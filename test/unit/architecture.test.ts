/** The rules of the house that the linter (.oxlintrc.json) cannot hold: where packages live, how large files get, what loads what. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: Source[] = ["builder", "installer"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const text = readFileSync(file, "utf8");
      const found = text.matchAll(/(?:^(?:import|export)\b[^;]*?from\s*|^import\s+|\bimport\()"([^"]+)"/gm);
      return { path: relative(root, file), text, imports: [...found].map((match) => match[1] ?? "") };
    }),
);

/** The path below the project that a relative import means; null for packages and `#…`. */
function target(source: Source, specifier: string): string | null {
  return specifier.startsWith(".") ? join(dirname(source.path), specifier) : null;
}

function violations(check: (source: Source, specifier: string) => string | false): string[] {
  return sources.flatMap((source) =>
    source.imports
      .map((specifier) => check(source, specifier))
      .filter((text) => text !== false)
      .map((text) => `${source.path}: ${text}`),
  );
}

test("builder and installer meet only at #bundle, #cli, #formats and #x509", () => {
  const found = violations((source, specifier) => {
    const other = source.path.startsWith("builder/") ? "installer/" : "builder/";
    return (target(source, specifier)?.startsWith(other) ?? false) && `imports ${specifier}`;
  });
  assert.deepEqual(found, []);
});

test("bundle/, cli/ and formats/ are leaves: they import nothing of the rest of the installer", () => {
  const found = violations((source, specifier) => {
    if (!/^installer\/(bundle|cli|formats)\//.test(source.path)) return false;
    const path = target(source, specifier);
    return path !== null && !/^installer\/(bundle|cli|formats)\//.test(path) && `imports ${specifier}`;
  });
  assert.deepEqual(found, []);
});

/** A text in which a module of Node is asked for by any form but a static import of names, which the linter judges. */
const otherForms = (modules: string): RegExp =>
  new RegExp(
    `(?:import|require|getBuiltinModule)\\s*\\(\\s*["'\`](?:node:)?(?:${modules})["'\`]|` +
      `import\\s+(?!type\\b)(?!\\{[^}]*\\}\\s*from)[^;"']*from\\s*["'](?:node:)?(?:${modules})["']`,
  );

test("the linter's rules of who writes files and who starts programs cannot be gone around", () => {
  const found = sources
    .filter(({ path }) => path.startsWith("installer/"))
    .filter(
      ({ path, text }) =>
        /oxlint-disable|eslint-disable|createRequire|process\.binding/.test(text) ||
        (path !== "installer/host/local.ts" && otherForms("child_process").test(text)) ||
        (!/^installer\/(bundle\/|journal\/|host\/local)/.test(path) && otherForms("fs|fs/promises").test(text)),
    )
    .map(({ path }) => path);
  assert.deepEqual(found, []);
});

test("every form in which a module of Node can be had is told from one that the linter judges", () => {
  const forms = otherForms("fs|fs/promises");
  for (const text of [
    'import * as fs from "node:fs";',
    'import fs from "fs";',
    'import fs, { readFileSync } from "node:fs";',
    'await import("node:fs")',
    "const { rmSync } = await import( 'fs/promises' );",
    'require("fs")',
    'process.getBuiltinModule("node:fs")',
  ]) {
    assert.match(text, forms);
  }
  for (const text of ['import { readFileSync } from "node:fs";', 'import type { Stats } from "node:fs";']) {
    assert.doesNotMatch(text, forms);
  }
});

test("process.env is read only by way of the surroundings", () => {
  const found = sources.filter(
    (source) => source.text.includes("process.env") && source.path !== "installer/cli/run.ts",
  );
  assert.deepEqual(
    found.map((source) => source.path),
    [],
  );
});

test("no program is started through a shell", () => {
  const found = sources.filter((source) =>
    /\bshell:\s*true|\bexecSync?\(/.test(source.text.replaceAll(/\.exec\(/g, "")),
  );
  assert.deepEqual(
    found.map((source) => source.path),
    [],
  );
});

test("a third-party package has one home", () => {
  const homes: Record<string, RegExp> = {
    "age-encryption": /^installer\/bundle\/|^builder\/pack\/(keys|seal-secrets)/,
    "@cyclonedx/cyclonedx-library": /^builder\/sbom/,
    "@noble/hashes": /^builder\/sign\//,
    "packageurl-js": /^builder\/sbom/,
    commander:
      /^installer\/cli\/(run|completion|help|options)|^builder\/(program|commands\/)|^installer\/(program|commands\/)/,
    ejs: /^builder\/render\/template/,
    "get-east-asian-width": /^installer\/cli\/language\/chinese/,
    "node-forge": /^builder\/pki\/|^installer\/(checks|certificates)\//,
    tar: /^installer\/bundle\/|^builder\/archive\//,
    undici: /^builder\/http\//,
    zod: /^builder\/|^installer\/bundle\/(format|living|selector)/,
    postject: /^builder\/pack\/runtime\//,
    ssh2: /^builder\/push\//,
    yaml: /^builder\//,
    "p-limit": /^builder\//,
  };
  const found = violations((source, specifier) => {
    const name = specifier.startsWith("@")
      ? specifier.split("/").slice(0, 2).join("/")
      : (specifier.split("/")[0] ?? "");
    const home = homes[name];
    return home !== undefined && !home.test(source.path) && `imports ${name}`;
  });
  assert.deepEqual(found, []);
});

test("a command's own modules and packages are loaded when it runs: to parse a command line, commander is enough", () => {
  const loaded = new Set<string>();
  const load = (path: string): void => {
    const source = sources.find((one) => one.path === path);
    if (source === undefined || loaded.has(path)) return;
    loaded.add(path);
    for (const [, specifier = ""] of source.text.matchAll(/^(?:import|export)\b(?! type)[^;]*?from\s*"([^"]+)"/gm)) {
      if (specifier === "#bundle") load("installer/bundle/index.ts");
      else if (/^#(cli|formats)\//.test(specifier)) load(`installer/${specifier.slice(1)}.ts`);
      else if (specifier === "#x509") load("installer/certificates/x509.ts");
      else if (specifier.startsWith(".")) load(join(dirname(path), specifier));
      else if (!specifier.startsWith("node:")) loaded.add(specifier);
    }
  };
  for (const program of ["builder/program.ts", "installer/program.ts"]) load(program);
  assert.deepEqual(
    [...loaded].filter((path) => !path.endsWith(".ts") || path.startsWith("installer/bundle/")),
    ["commander"],
  );
});

test("files are small, and none is called utils, helpers, common or types", () => {
  const long = sources.filter((source) => source.text.split("\n").length > 301).map((source) => source.path);
  assert.deepEqual(long, []);
  const vague = sources
    .filter((source) => /\/(utils?|helpers?|common|types|misc)\.ts$/.test(source.path))
    .map((source) => source.path);
  assert.deepEqual(vague, []);
});

/** The circles of a graph, each once, as `a → b → a`. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (at: string, trail: readonly string[]): string[] => {
    if (trail.includes(at)) return [[...trail.slice(trail.indexOf(at)), at].join(" → ")];
    if (done.has(at)) return [];
    const circles = (graph.get(at) ?? []).flatMap((next) => visit(next, [...trail, at]));
    done.add(at);
    return circles;
  };
  return [...graph.keys()].flatMap((at) => visit(at, []));
}

test("no import goes round in a circle, and none between the builder's folders", () => {
  const files = new Map<string, string[]>();
  const folders = new Map<string, string[]>();
  for (const source of sources) {
    const targets = source.imports.map((specifier) => target(source, specifier)).filter((path) => path !== null);
    files.set(source.path, targets);
    // Files right below builder/ are each a folder of their own.
    const [, from = ""] = /^builder\/([^/]+)/.exec(source.path) ?? [];
    const others = targets.flatMap((path) => /^builder\/([^/]+)/.exec(path)?.[1] ?? []);
    if (from !== "") folders.set(from, [...(folders.get(from) ?? []), ...others.filter((other) => other !== from)]);
  }
  assert.deepEqual([...circlesOf(files), ...circlesOf(folders)], []);
});
