/** kubeferry(1) and kubeferry-install(8): every command with its options and example, from the programs themselves. */
import { type CommandText, commandText, type TermText } from "../command-texts.ts";
import { errorCodesOf, exitCodeMeanings } from "../exit-codes.ts";
import { commandLines } from "../programs.ts";
import { bold, escapeRoff, page, type PageHead, prose, section, tagged, term, verbatim } from "./roff.ts";
import { type Surrounding, surroundings } from "./surroundings.ts";

/** Each page by the file's name. */
export function programPages(): Record<string, string> {
  const { kubeferry, "./install": install } = commandLines();
  return {
    "kubeferry.1": programPage(
      { name: "kubeferry", section: 1, summary: "carry a Kubernetes cluster across an air gap" },
      commandText(kubeferry, "kubeferry"),
      surroundings.kubeferry,
    ),
    "kubeferry-install.8": programPage(
      { name: "kubeferry-install", section: 8, summary: "make a host a node of a bundle's cluster, and undo it" },
      commandText(install, "./install"),
      surroundings.install,
    ),
  };
}

function programPage(head: PageHead, program: CommandText, { description, ...around }: Surrounding): string {
  return page(head, [
    ...section("SYNOPSIS", [`${bold(program.name)} \\fIcommand\\fR [\\fIoption\\fR ...] [\\fIargument\\fR ...]`]),
    ...section("DESCRIPTION", [prose(program.description), ...description.flatMap((text) => [".PP", prose(text)])]),
    ...section("OPTIONS", [...terms(program.options), ...tagged(term("-h, --help"), "help, also of each command")]),
    ...section("COMMANDS", program.commands.flatMap(describe)),
    ...section("EXAMPLES", closing(program.closing.slice(1))),
    ...section("EXIT STATUS", exitStatus()),
    ...section("ENVIRONMENT", terms(around.environment)),
    ...section("FILES", terms(around.files)),
    ...section("SEE ALSO", [around.seeAlso.map(([name, number]) => `${bold(name)}(${number})`).join(",\n")]),
  ]);
}

/** A command that only holds others is not shown itself. */
function describe(command: CommandText): string[] {
  if (command.commands.length > 0) return command.commands.flatMap(describe);
  const { name, usage } = command;
  return [
    `.SS "${term(`${name} ${usage}`).replaceAll('"', "\\(dq")}"`,
    prose(command.description),
    ...terms([...command.arguments, ...command.options]),
    ...closing(command.closing),
  ];
}

function terms(rows: readonly TermText[]): string[] {
  return rows.flatMap((row) => tagged(term(row.term), prose(row.text)));
}

/** Headings as paragraphs, what is indented as it is. */
function closing(lines: readonly string[]): string[] {
  const shown = lines.filter((line) => line !== "");
  return shown.flatMap((line, at) => {
    if (!line.startsWith(" ")) return [".PP", escapeRoff(line)];
    if (at > 0 && shown[at - 1]?.startsWith(" ")) return [];
    const end = shown.findIndex((next, index) => index > at && !next.startsWith(" "));
    return verbatim(shown.slice(at, end === -1 ? undefined : end).map((one) => one.trim()));
  });
}

function exitStatus(): string[] {
  return Object.entries(exitCodeMeanings).flatMap(([code, meaning]) => {
    const codes = errorCodesOf(Number(code));
    const named = codes.length === 0 ? "" : ` (${codes.map((name) => `\`${name}\``).join(", ")})`;
    return tagged(bold(code), prose(`${meaning}${named}`));
  });
}
