/** How help looks: in the terminal's width, however narrow, and with an example at its end. */
import type { Command, Help } from "commander";
import type { Writer } from "./reporter.ts";

/** For `addHelpText("after", …)`: command lines as they are typed. */
export function example(...lines: string[]): string {
  return `\nExample${lines.length === 1 ? "" : "s"}:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** Of one command: its help goes to these writers, and is as wide as they are. */
export function showHelpOn(command: Command, { out, err }: { out: Writer; err: Writer }): void {
  command
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => out.columns ?? 80,
      getErrHelpWidth: () => err.columns ?? 80,
    })
    .configureHelp({ minWidthToWrap: leastColumn, formatItem, subcommandTerm: (one) => one.name() });
}

const leastColumn = 24;

/** As commander does; where a column beside the terms would be too narrow, what each means is below it. */
function formatItem(this: Help, term: string, termWidth: number, description: string): string {
  const width = this.helpWidth ?? 80;
  const beside = termWidth + 4;
  if (description === "") return `  ${term}`;
  const isBeside = width - beside >= leastColumn;
  const indent = isBeside ? beside : 6;
  const wrapped = this.boxWrap(description, width - indent).replaceAll("\n", `\n${" ".repeat(indent)}`);
  return isBeside ? `  ${term.padEnd(termWidth)}  ${wrapped}` : `  ${term}\n${" ".repeat(indent)}${wrapped}`;
}
