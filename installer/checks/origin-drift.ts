/**
 * Audit of the chain from a public key to the installed files: the key signs SHA256SUMS, that lists the index, the index
 * lists the files; and what the journal says was installed is what the index says. Pure.
 */
import {
  decodeIndex,
  decodeSums,
  digestOf,
  indexPath,
  checkTrust,
  selects,
  signaturePath,
  sumsPath,
  type Trust,
} from "#bundle";
import { messageOf } from "#cli/errors";
import type { Finding } from "#cli/finding";
import type { KeptBundle } from "../journal/kept-bundle.ts";
import type { Transaction } from "../journal/transaction.ts";
import { goalsIn, idsOf } from "../resources/catalogue.ts";
import { drift } from "./drift-finding.ts";

/** [] where every link holds; without a key all but the first is looked at. */
export function originDrift(transaction: Transaction, kept: KeptBundle, trust: Trust | null): Finding[] {
  const { payload } = transaction.header.bundle;
  const where = `/var/lib/kubeferry/bundles/${payload}`;
  const again = "./install from the bundle itself, once its signature is checked: kubeferry verify --public-key";
  const broken = (what: string, message: string): Finding[] => [drift("signature", `${where}/${what}`, message, again)];
  const { index, sums, signatures } = kept;
  if (index === null || sums === null) {
    // Older installers kept none.
    return trust === null && index === null && sums === null
      ? []
      : broken(index === null ? indexPath : sumsPath, "is gone");
  }
  const { sums: listed, problems } = decodeSums(sums.toString("utf8"));
  const found = digestOf(index);
  if (found !== payload) return withDigests(broken(indexPath, "is not the index that was installed"), payload, found);
  if (problems.length > 0 || listed.get(indexPath) !== payload) return broken(sumsPath, "does not list this index");
  if (trust !== null) {
    try {
      checkTrust(sums, signatures, trust, where);
    } catch (error) {
      return broken(signaturePath, `is not good: ${messageOf(error)}`);
    }
  }
  return journalDrift(transaction, index);
}

/** Where the journal says of a file what the index does not. Files of this one host are in no index. */
function journalDrift({ header, phases }: Transaction, bytes: Buffer): Finding[] {
  const { node, roles, platform } = header;
  const index = decodeIndex(bytes.toString("utf8"), indexPath);
  const noted = new Map(idsOf("file", goalsIn({ phases })).map((file) => [file.path, file]));
  const mine = index.files.filter((entry) => selects(entry.for, node.profile, roles, platform));
  return mine.flatMap(({ path, digest, mode, tokens }): Finding[] => {
    const file = noted.get(path);
    const hint = "the journal was changed: keep a copy of /var/lib/kubeferry, and ./install from the bundle again";
    if (file === undefined)
      return [drift("signature", path, "is of the bundle, and the journal does not say so", hint)];
    // Tokens are replaced on the node: then the content is no bundle's.
    const same = (tokens.length > 0 || file.digest === digest) && file.mode === parseInt(mode, 8);
    if (same) return [];
    const found = drift("signature", path, "is noted in the journal as something else than the bundle has", hint);
    return withDigests([found], digest, file.digest);
  });
}

function withDigests(findings: readonly Finding[], expected: string, found: string): Finding[] {
  return findings.map((finding) => ({ ...finding, expected, found }));
}
