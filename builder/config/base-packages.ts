/** The packages that a host has before anything of ours: manifests/bases/<distribution>.txt. */
import { readFile } from "node:fs/promises";
import { ExpectedError } from "#cli/errors";
import { listManifests, readManifest } from "./manifests.ts";
import type { PackageRequest } from "./cluster.ts";

/** Name → version, as the file lists them. PACKAGE_UNAVAILABLE when the distribution has no base. */
export async function basePackages(request: PackageRequest): Promise<Map<string, string>> {
  const text = await baseText(request);
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim().split(/\s+/));
  return new Map(lines.filter(([name]) => name !== "").map(([name = "", version = ""]) => [name, version]));
}

/** The file that the request names, else the one of the distribution's name. CONFIG_UNREADABLE, PACKAGE_UNAVAILABLE. */
export async function baseText(request: PackageRequest): Promise<string> {
  if (request.base !== undefined) {
    return await readFile(request.base, "utf8").catch((cause: unknown) => {
      throw new ExpectedError("CONFIG_UNREADABLE", "the base of packages cannot be read", {
        where: request.base,
        cause,
      });
    });
  }
  const name = `bases/${request.distribution.replaceAll(" ", "-")}.txt`;
  const text = readManifest(name);
  if (text !== undefined) return text;
  const known = listManifests("bases").filter((path) => /-\d[\d.]*\.txt$/.test(path));
  throw new ExpectedError(
    "PACKAGE_UNAVAILABLE",
    `it is not known which packages every ${request.distribution} host has`,
    {
      where: "packages: in cluster.yaml",
      expected: `manifests/${name}`,
      found: known.map((path) => path.replace(/^bases\/(.*)\.txt$/, "$1")).join(", "),
      hint: "list them on a fresh host (dpkg-query -W, or rpm -qa --qf '%{NAME} %{EVR}\\n') and name the file as base:",
    },
  );
}
