/** How help looks: in the terminal's width, however narrow, with an example at its end, and in the user's language. */
import { type Command, Help } from "commander";
import { english, type Language } from "./language/language.ts";
import type { Writer } from "./reporter.ts";

/** For `addHelpText("after", …)`: command lines as they are typed. */
export function example(...lines: string[]): string {
  return `\nExample${lines.length === 1 ? "" : "s"}:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

interface Readers {
  readonly out: Writer;
  readonly err: Writer;
  readonly language?: Language | undefined;
}

/** Of one command: its help goes to these writers, and is as wide as they are. */
export function showHelpOn(command: Command, { out, err, language = english }: Readers): void {
  const { say } = language;
  /** What comes after the help. */
  const aside = (text: string, { columns = 80 }: Writer): string =>
    text.startsWith("\n")
      ? paragraphsOf(text)
          .map((one) => (isTyped(one) ? one : wrapped(say(one), columns, language)))
          .join("\n")
      : text;
  command
    .configureOutput({
      writeOut: (text) => out.write(aside(text, out)),
      writeErr: (text) => err.write(aside(text, err)),
      // run.ts tells it as every other error.
      outputError: () => undefined,
      getOutHelpWidth: () => out.columns ?? 80,
      getErrHelpWidth: () => err.columns ?? 80,
    })
    .configureHelp({
      minWidthToWrap: leastColumn,
      formatItem,
      subcommandTerm: (one) => one.name(),
      displayWidth: language.columnsOf,
      boxWrap: (text, width) => (width < leastColumn ? text : wrapped(text, width, language)),
      styleTitle: say,
      commandDescription: (one) => say(one.description()),
      subcommandDescription: (one) => say(one.description()),
      argumentDescription: (one) => say(one.description),
      optionDescription(option) {
        const shown = Help.prototype.optionDescription.call(this, option);
        return say(option.description) + say(shown.slice(option.description.length));
      },
    });
}

/** Lines of prose that follow each other are one; what is typed keeps its lines. */
export function paragraphsOf(text: string): string[] {
  return text.split("\n").reduce<string[]>((before, line) => {
    const last = before.at(-1) ?? "";
    const continues = last !== "" && line !== "" && !isTyped(last) && !isTyped(line);
    return continues ? [...before.slice(0, -1), `${last} ${line}`] : [...before, line];
  }, []);
}

const isTyped = (line: string): boolean => line.startsWith("  ");

const leastColumn = 24;

/** As commander does; where a column beside the terms would be too narrow, what each means is below it. */
function formatItem(this: Help, term: string, termWidth: number, description: string): string {
  const width = this.helpWidth ?? 80;
  const beside = termWidth + 4;
  if (description === "") return `  ${term}`;
  const isBeside = width - beside >= leastColumn;
  const indent = isBeside ? beside : 6;
  const text = this.boxWrap(description, width - indent).replaceAll("\n", `\n${" ".repeat(indent)}`);
  return isBeside ? `  ${term.padEnd(termWidth)}  ${text}` : `  ${term}\n${" ".repeat(indent)}${text}`;
}

/** As commander does, too, but a line may end wherever the language lets it. */
function wrapped(text: string, width: number, { piecesOf, columnsOf }: Language): string {
  const lines = text.split("\n").map((line) => {
    let [filled, columns] = ["", 0];
    for (const piece of piecesOf(line)) {
      const more = columnsOf(piece);
      const fits = filled === "" || columns + more <= width;
      filled += fits ? piece : `\n${piece.trimStart()}`;
      columns = fits ? columns + more : columnsOf(piece.trimStart());
    }
    return filled;
  });
  return lines.join("\n");
}
