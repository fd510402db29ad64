/** Programs out of packages of the machine's own distribution: version and digest by its signed index, and the .deb itself. */
import { join, resolve } from "node:path";
import { isExpected } from "#cli/errors";
import { openedFile, type Source } from "../source.ts";
import { type AptFile, type AptRecord, openPrivateApt, type PrivateApt, unavailable } from "./private-apt.ts";

export interface AptQuestion {
  /** Debian's name: `amd64`. A package for `all` is of this one then. */
  readonly architecture: string;
  readonly wanted: readonly { readonly package: string; readonly version: string | null }[];
}

/** `dir` is a folder of our own, made when it is first needed. Versions are those that apt would install now. */
export function createAptSource(dir: string, signal?: AbortSignal): Source<AptQuestion, AptRecord[], AptFile> {
  const opened = new Map<string, Promise<PrivateApt>>();
  const open = async (architecture: string): Promise<PrivateApt> => {
    const about = `apt sources of this machine, ${architecture}`;
    const options = { folder: join(resolve(dir), architecture), architecture, about, signal };
    const apt = opened.get(architecture) ?? openPrivateApt(options);
    opened.set(architecture, apt);
    return await apt;
  };
  return {
    async resolve({ architecture, wanted }) {
      const apt = await open(architecture);
      await apt.update();
      const records = await apt.show(wanted.map((one) => ({ name: one.package, version: one.version })));
      const missing = wanted.filter((_, index) => records[index] === undefined);
      if (missing.length === 0) return records.flatMap((record) => (record ? [{ ...record, architecture }] : []));
      const names = missing.map((one) => [one.package, one.version].filter((part) => part !== null).join("="));
      throw unavailable(names, apt);
    },

    async open(one, take) {
      const apt = await open(one.architecture);
      const where = `apt:${one.name}=${one.version} (${one.architecture})`;
      const taking = async (): Promise<Awaited<ReturnType<typeof take>>> =>
        await apt.download([one], async (pathOf) => await take(openedFile(where, pathOf(one), { signal })));
      return await taking().catch(async (error: unknown) => {
        if (!isExpected(error, "PACKAGE_UNAVAILABLE")) throw error;
        // The lists may be older than the lock.
        await apt.update();
        return await taking();
      });
    },
  };
}
