/** Rules of `registries:`: files that are what they are named as, and what a runtime cannot be told. */
import type { ClusterConfig } from "./cluster.ts";
import type { OwnFiles } from "./own-files.ts";
import { error, type RuleFinding } from "./rule.ts";
import type { ReleaseManifest } from "./release.ts";

/** Everything that is wrong with the registries; `own` has the files that could be read. */
export function registryFindings(
  { registries, runtime }: ClusterConfig,
  { kubernetes }: ReleaseManifest,
  own: OwnFiles,
): RuleFinding[] {
  return Object.entries(registries).flatMap(([name, { mirrors, ca, credentials, insecure }]) => {
    const at = (field: string, wrong: boolean, message: string): RuleFinding[] =>
      wrong ? [error(["registries", name, field], message)] : [];
    const holds = (source: string | undefined, form: RegExp): boolean => {
      const bytes = source === undefined ? undefined : own.get(source);
      return bytes === undefined || form.test(bytes.toString("utf8"));
    };
    const isAny = name === "*";
    const withPath = mirrors.some((url) => new URL(url).pathname !== "/");
    return [
      ...at("ca", !holds(ca, /^-----BEGIN CERTIFICATE-----$/m), `${ca} holds no certificate in PEM`),
      ...at("credentials", !holds(credentials, oneLogin), `${credentials} wants one line, user:password`),
      ...(isAny && (ca !== undefined || credentials !== undefined || insecure)
        ? [error(["registries", name], "* is any registry: it has mirrors, and each of them an entry of its own")]
        : []),
      ...(runtime === "docker"
        ? [
            ...at("mirrors", mirrors.length > 0 && name !== "docker.io", "docker knows mirrors of docker.io only"),
            ...at("mirrors", withPath, "docker takes no mirror with a path"),
            ...at(
              "credentials",
              credentials !== undefined && kubernetes === null,
              "docker without a kubelet takes them by docker login",
            ),
          ]
        : []),
    ];
  });
}

/** One line `user:password`, as netrc's cousins have it. */
const oneLogin = /^[^\s:]+:[^\n\r]+\r?\n?$/;
