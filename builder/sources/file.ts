/** Files of this machine: `file:PATH` of a release, folders that `--mirror` and `--from` name. */
import { statSync } from "node:fs";
import { ExpectedError, messageOf } from "#cli/errors";
import { openedFile, type Source, type Sum, sumOf } from "./source.ts";

export function createFileSource(signal?: AbortSignal): Source<string, Sum, string> {
  return {
    async resolve(path) {
      return await this.open(path, sumOf);
    },

    async open(path, take) {
      let isFile = false;
      try {
        isFile = statSync(path).isFile();
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code !== "ENOENT" && code !== "ENOTDIR") {
          throw new ExpectedError("UNREACHABLE", `this file cannot be read: ${messageOf(cause)}`, {
            where: path,
            cause,
          });
        }
      }
      if (!isFile) throw new ExpectedError("NOT_FOUND", "there is no such file", { where: path });
      return await take(openedFile(path, path, { signal }));
    },
  };
}
