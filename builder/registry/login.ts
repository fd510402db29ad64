/** Who may push: a private file with one line `user:password`, as `registries:` of cluster.yaml has it. */
import { ExpectedError } from "#cli/errors";
import type { NetrcEntry } from "../http/netrc.ts";
import { privateFile } from "../private-file.ts";

/** As an entry for the registry's host. DENIED where others may read it, CONFIG_INVALID where it is no such line. */
export function readLogin(path: string, machine: string): NetrcEntry {
  const text = privateFile(path, "the registry's credentials").toString("utf8");
  const [, login, password] = /^([^\s:]+):([^\n\r]+)\r?\n?$/.exec(text) ?? [];
  if (login !== undefined && password !== undefined) return { machine, login, password };
  throw new ExpectedError("CONFIG_INVALID", "this file wants one line, user:password", {
    where: path,
    hint: "write user:password as its one line",
  });
}
