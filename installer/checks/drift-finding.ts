/** How drift is told. */
import { error, type Finding } from "#cli/finding";
import { formatMode } from "#cli/quantities";
import { sameOwner } from "../resources/file.ts";
import type { Owner } from "../host/effect.ts";

/** `what` is a path, or the name of a thing. */
export function drift(check: string, what: string, message: string, hint: string): Finding {
  return error(check, `${what} ${message}`, { hint });
}

interface Attributes {
  readonly mode: number;
  readonly owner: Owner;
}

/** What differs in mode and owner. */
export function attributeDrift(path: string, found: Attributes, expected: Attributes): Finding[] {
  const findings: Finding[] = [];
  if (found.mode !== expected.mode) {
    const [is, was] = [formatMode(found.mode), formatMode(expected.mode)];
    findings.push({ ...drift("mode", path, "has another mode", `chmod ${was} ${path}`), expected: was, found: is });
  }
  if (!sameOwner(found.owner, expected.owner)) {
    const [is, was] = [`${found.owner.uid}:${found.owner.gid}`, `${expected.owner.uid}:${expected.owner.gid}`];
    findings.push({ ...drift("owner", path, "has another owner", `chown ${was} ${path}`), expected: was, found: is });
  }
  return findings;
}
