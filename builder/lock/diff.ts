/** What `lock --update` would change, as lines of a diff. Pure. */
import type { Lock } from "./lock.ts";
import { pinText } from "./provenance.ts";

/** `- …` for what goes, `+ …` for what comes, grouped by what it is about; empty when nothing changes but the day. */
export function diffLocks(before: Lock, after: Lock): string[] {
  const old = entriesOf(before);
  const now = entriesOf(after);
  const keys = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    if (was === is) return [];
    return [`  ${key}`, ...(was === undefined ? [] : [`-   ${was}`]), ...(is === undefined ? [] : [`+   ${is}`])];
  });
}

/** What identifies an entry → everything that an update may change about it. */
function entriesOf(lock: Lock): Map<string, string> {
  const { release, manifest, platforms, artifacts, images, packages } = lock;
  return new Map<string, string>([
    ["release", `${release} (manifest ${manifest.slice(0, 12)})`],
    ["platforms", platforms.toSorted().join(", ")],
    ...artifacts.map((one): [string, string] => [
      `artifact ${one.component} ${one.platform} ${one.from}`,
      [
        one.version,
        one.resolved,
        one.digest,
        one.size === null ? "size unknown" : `${one.size} bytes`,
        pinText(one),
        ...one.mirrors.map((mirror) => `or ${mirror}`),
        ...Object.entries(one.files)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([member, name]) => `${member} as ${name}`),
      ].join(", "),
    ]),
    ...images.map((one): [string, string] => [
      `image ${one.name} ${one.platform}`,
      [one.digest, one.resolved, `pinned by ${one.pinnedBy}`, ...(one.from === undefined ? [] : [one.from])].join(", "),
    ]),
    ...packages.map((one): [string, string] => [
      `package ${one.name} ${one.architecture} ${one.distribution}`,
      [one.version, one.digest, `${one.size} bytes`, one.wanted ? "named" : "a dependency"].join(", "),
    ]),
  ]);
}
