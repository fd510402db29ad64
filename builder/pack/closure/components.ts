/** Whether everything that the lock's artifacts give is on some node. */
import type { Platform } from "#bundle";
import { error, type Finding } from "#cli/finding";
import type { LockedArtifact } from "../../lock/lock.ts";
import type { Rendered } from "../../render/node-file.ts";
import { baseName } from "./programs.ts";

export function checkComponents(
  artifacts: readonly LockedArtifact[],
  rendered: Rendered,
  platform: Platform,
): Finding[] {
  const here = new Set(
    rendered.files
      .filter(({ for: selector }) => selector.platforms === undefined || selector.platforms.includes(platform))
      .map(({ path }) => baseName(path)),
  );
  return artifacts
    .filter((artifact) => artifact.platform === platform)
    .flatMap((artifact) => Object.values(artifact.files).map((name) => ({ name, component: artifact.component })))
    .filter(({ name }) => name !== "*" && !here.has(name))
    .map(({ name, component }) =>
      error("file", `${name} of component ${component} is on no node (${platform})`, {
        where: `component ${component}`,
        expected: name,
        hint: "kubeferry fetch; if it stays, render it on the roles that the release manifest gives the component",
      }),
    );
}
