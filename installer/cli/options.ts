/** Options that commands of both programs have, and how their values are read. */
import { type Command, InvalidArgumentError } from "commander";

export function withJson(command: Command): Command {
  return command.option("--json", "one JSON object a line on stdout, human-readable output on stderr");
}

/** The value of an option that may be repeated: all of them. */
export function collect(value: string, list: string[] = []): string[] {
  return [...list, value];
}

/** Whose signatures a bundle must have; `asks` tells what comes of a key. */
export function withPublicKeys(command: Command, asks: string): Command {
  return command
    .option("--public-key <key>", `minisign's public key, or a file with it: ${asks} (repeatable)`, collect)
    .option(
      "--require <number>",
      "with how many of the public keys it must be signed (default: 1)",
      wholeNumber(3, "keys"),
    );
}

/** Reads a whole number from 1 on, of at most so many digits. */
export function wholeNumber(digits: number, of: string): (value: string) => number {
  const pattern = new RegExp(`^[1-9]\\d{0,${digits - 1}}$`);
  return (value) => {
    if (pattern.test(value)) return Number(value);
    throw new InvalidArgumentError(`A number of ${of}, from 1 on.`);
  };
}
