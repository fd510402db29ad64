/**
 * The keys that a host trusts: `/etc/kubeferry/trusted/*.pub`, minisign's public keys, put there by who prepares the host.
 * Where there are any, no bundle is read that is not signed with one of them; a file `require` beside them says with how
 * many.
 */
import { lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { parsePublicKey, type Trust, trustIn } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { formatMode } from "#cli/quantities";

export const trustedFolder = "/etc/kubeferry/trusted";

/** Null where the host (the tree at `root`) has no keys. TRUST_INVALID where others could change them. */
export function trustedKeys(root: string): Trust | null {
  const folder = join(root, trustedFolder);
  for (const path of [join(root, "/etc"), join(root, "/etc/kubeferry"), folder]) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    // /etc itself may be a link of the system's own making.
    if (path !== join(root, "/etc")) refuseOpen(path, stat, stat.isDirectory(), "a folder");
  }
  const names = readdirSync(folder).toSorted();
  const keys = names
    .filter((name) => name.endsWith(".pub"))
    .map((name) => parsePublicKey(read(join(folder, name)), name));
  if (keys.length === 0) return null;
  const require = names.includes("require") ? read(join(folder, "require")).trim() : "1";
  if (/^[1-9]\d{0,2}$/.test(require)) return trustIn(keys, Number(require), folder);
  throw new ExpectedError("TRUST_INVALID", "this file says with how many keys a bundle must be signed", {
    where: join(folder, "require"),
    expected: "a number",
    found: JSON.stringify(require.slice(0, 40)),
  });
}

function read(path: string): string {
  const stat = lstatSync(path);
  refuseOpen(path, stat, stat.isFile(), "a regular file");
  return readFileSync(path, "utf8");
}

/** Who can write it decides what this host trusts. */
function refuseOpen(where: string, { mode, uid }: Stats, isKind: boolean, kind: string): void {
  const own = process.geteuid?.() ?? 0;
  const detail = !isKind
    ? { expected: kind, found: "something else" }
    : uid !== 0 && uid !== own
      ? { expected: "owner 0 (root)", found: `owner ${uid}` }
      : (mode & 0o022) !== 0
        ? { expected: "writable by its owner alone", found: `mode ${formatMode(mode)}` }
        : null;
  if (detail === null) return;
  throw new ExpectedError("TRUST_INVALID", "others could change which keys this host trusts", {
    where,
    ...detail,
    hint: `chown root:root ${where}; chmod go-w ${where}; and look at what is in it`,
  });
}
