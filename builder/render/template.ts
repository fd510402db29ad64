/**
 * EJS templates of components. A name that is not defined, or whose value is absent, is an error with file and
 * line: no daemon ever starts with `--flag=undefined`. `@NODE_IP@` and its like are plain text here.
 */
import ejs from "ejs";
import { ExpectedError, messageOf } from "#cli/errors";
import { readSource } from "../config/manifests.ts";

type Compiled = (data: Record<string, unknown>) => string;

/** Renders templates, compiling each once. */
export interface Templates {
  /** The text of the template at a path in the project for `data`; TEMPLATE_INVALID with file:line when it cannot be made. */
  render(path: string, data: Record<string, unknown>): string;
}

/** `read` gives a template's text by its path in the project. */
export function openTemplates(read: (path: string) => string | undefined = readSource): Templates {
  const compiled = new Map<string, Compiled>();
  return {
    render(path, data) {
      const template = compiled.get(path) ?? compile(read(path), path);
      compiled.set(path, template);
      try {
        return template(data);
      } catch (cause) {
        throw broken(path, cause);
      }
    },
  };
}

function compile(text: string | undefined, where: string): Compiled {
  if (text === undefined) throw new ExpectedError("TEMPLATE_INVALID", "there is no such template", { where });
  try {
    return ejs.compile(text, { filename: where, escape: insert, compileDebug: true });
  } catch (cause) {
    throw broken(where, cause);
  }
}

/** What `<%= %>` puts in: text, numbers, booleans; nothing is escaped, since these are not web pages. */
function insert(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new TypeError(value === undefined || value === null ? "a value is not defined" : "a value is not a text");
}

/** ejs puts `file:line`, an extract and the message into one text. */
function broken(where: string, cause: unknown): ExpectedError {
  const [first = "", ...rest] = messageOf(cause).split("\n");
  const place = /^(.*:\d+)$/.exec(first)?.[1];
  const message = place === undefined ? messageOf(cause) : (rest.findLast((line) => line.trim() !== "") ?? first);
  return new ExpectedError("TEMPLATE_INVALID", `this template cannot be rendered: ${message.trim()}`, {
    where: place ?? where,
    cause,
  });
}
