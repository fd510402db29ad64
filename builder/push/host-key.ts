/** Whether a host is the one that it was: its key against known_hosts, and what is told where it is not. */
import { readFileSync } from "node:fs";
import { ExpectedError } from "#cli/errors";
import { whyUnreadable } from "#cli/system-error";
import { fingerprint, judge, type KnownKey, knownKeys, preferred, typeOf } from "./known-hosts.ts";

export interface HostKeys {
  /** Signature algorithms to ask for, those of known keys first. */
  readonly algorithms: readonly string[];
  /** Null: it is the host. HOST_KEY_UNKNOWN, HOST_KEY_CHANGED. */
  refusal(key: Buffer): ExpectedError | null;
}

/** The text of a known_hosts file; UNAUTHORIZED where it cannot be read. */
export function readKnownHosts(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ExpectedError("HOST_KEY_UNKNOWN", `the file of known hosts cannot be read: ${whyUnreadable(cause)}`, {
      where: path,
      cause,
      hint: "knownHosts: PATH in hosts.yaml; ssh-keyscan HOST prints lines for it, to compare with the hosts' own consoles",
    });
  }
}

export function hostKeysOf(text: string, path: string, address: string, port: number): HostKeys {
  const known = knownKeys(text, address, port);
  return {
    algorithms: preferred(known),
    refusal: (key) => refusalOf(key, known, { path, address, port }),
  };
}

interface Place {
  readonly path: string;
  readonly address: string;
  readonly port: number;
}

function refusalOf(key: Buffer, known: readonly KnownKey[], { path, address, port }: Place): ExpectedError | null {
  const found = `${typeOf(key)} ${fingerprint(key)}`;
  const on = "on the host's own console: for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done";
  const lines = (keys: readonly KnownKey[]): string => keys.map(({ line }) => `${path}:${line}`).join(", ");
  const target = `${address}:${port}`;
  switch (judge(known, key)) {
    case "known":
      return null;
    case "unknown":
      return new ExpectedError("HOST_KEY_UNKNOWN", `the key of ${target} is in no line of the known hosts`, {
        where: path,
        found,
        hint: `compare it ${on}; then ssh-keyscan -p ${port} ${address} >> ${path}`,
      });
    case "revoked":
      return new ExpectedError("HOST_KEY_CHANGED", `${target} shows a key that is marked as revoked`, {
        where: lines(known.filter((one) => one.revoked && one.key.equals(key))),
        found,
        hint: "whoever holds this key can pretend to be the host: ask who revoked it",
      });
    case "changed":
      return new ExpectedError("HOST_KEY_CHANGED", `${target} shows another key than the one that is known`, {
        where: lines(known),
        expected: known.map((one) => `${one.type} ${fingerprint(one.key)}`).join(", "),
        found,
        hint: `somebody may stand in between, or the host was set up anew: compare it ${on}`,
      });
  }
}
