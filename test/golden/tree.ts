/** What is rendered for a cluster as texts that a person can review: one tree of everything, and each file that a template makes. */
import { digestOf, type Selector } from "#bundle";
import type { NodeFile, Rendered } from "../../builder/render/node-file.ts";

/** One line a file, then directories, units, checks, objects and the host. `of` says what is shown of a file's content. */
export function tree(rendered: Rendered, of: (file: NodeFile) => string = short): string {
  return [
    ...rendered.files.map(
      (file) => `${file.mode} ${file.path}  ${whom(file.for)}  ${of(file)}${file.sensitive ? "  SECRET" : ""}`,
    ),
    ...rendered.directories.map((entry) => `${entry.mode} ${entry.path}/  ${whom(entry.for)}`),
    ...rendered.units.map(
      (unit) =>
        `unit ${unit.name}  ${whom(unit.for)}  start ${unit.start}${unit.noBlock ? " (does not wait)" : ""}\n` +
        `  enabled by ${unit.links.join(" ")}\n  restarts on ${unit.restartOn.join(" ")}${reloads(unit)}`,
    ),
    ...rendered.checks.map(
      (check) =>
        `check ${check.name}  ${whom(check.for)}  ${check.severity}\n  ${check.argv.map(shown).join(" ")}` +
        (check.awaits === undefined ? "" : `\n  waits for ${check.awaits.enough} of ${check.awaits.at.join(" ")}`),
    ),
    ...rendered.objects.map(
      ({ name, via, key = "", value = "", path = "", for: selector }) =>
        `object ${name}  ${whom(selector)}  ${[via, key, value, path].filter(Boolean).join(" ")}`,
    ),
    ...rendered.certificates.map(
      (entry) => `certificate ${entry.node}:${entry.path}  ${entry.subject}  ${entry.sans.join(" ")}`,
    ),
    `pods ${JSON.stringify(rendered.pods)}`,
    ...rendered.written.map(
      ({ path, by, credential, certificate, for: selector }) =>
        `written ${path}  ${whom(selector)}  by ${by}${credential ? "  CREDENTIAL" : ""}` +
        (certificate === undefined ? "" : `  ${certificate.commonName} by ${certificate.authority}`),
    ),
    `host ${JSON.stringify(rendered.host, null, 1)}`,
    "",
  ].join("\n");
}

function reloads({ reloadOn = [] }: Rendered["units"][number]): string {
  return reloadOn.length === 0 ? "" : `\n  reads anew ${reloadOn.join(" ")}`;
}

/** One text a path below `files`, that of the first node which has it. Kubeconfigs hold only placeholders. */
export function texts(rendered: Rendered): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, content, origin } of rendered.files) {
    if (typeof content !== "string" || origin.from !== "template" || origin.template.includes("/kubeconfigs/"))
      continue;
    const name = `files${path}`;
    if (!found.has(name)) found.set(name, content);
  }
  return found;
}

/** A script is reviewed where it is written, in builder/components. */
function shown(word: string): string {
  return word.includes("\n") ? `[${word.split("\n").length} lines, ${digestOf(word).slice(0, 8)}]` : word;
}

/** Eight digits of a text's digest; binaries are only names here. */
function short({ content }: NodeFile): string {
  return typeof content === "string" ? digestOf(content).slice(0, 8) : "binary";
}

function whom(selector: Selector): string {
  return [selector.roles.join(","), selector.nodes?.join(","), selector.platforms?.join(",")].filter(Boolean).join(" ");
}
