/** OpenSSH's known_hosts: which keys a host may have. Hashed names, patterns, ports and revoked keys as ssh takes them. */
import { createHash, createHmac } from "node:crypto";

export interface KnownKey {
  readonly line: number;
  /** `ssh-ed25519` … */
  readonly type: string;
  readonly key: Buffer;
  readonly revoked: boolean;
}

/** The keys that `text` lists for a host as it is addressed. Lines of certificate authorities are passed over. */
export function knownKeys(text: string, address: string, port: number): KnownKey[] {
  const name = port === 22 ? address.toLowerCase() : `[${address.toLowerCase()}]:${port}`;
  return text.split("\n").flatMap((raw, at): KnownKey[] => {
    const words = raw.trim().split(/[ \t]+/);
    const marker = words[0]?.startsWith("@") === true ? words.shift() : undefined;
    const [names, type, encoded] = words;
    if (names === undefined || names.startsWith("#") || type === undefined || encoded === undefined) return [];
    if (marker !== undefined && marker !== "@revoked") return [];
    if (!namesMatch(names, name)) return [];
    return [{ line: at + 1, type, key: Buffer.from(encoded, "base64"), revoked: marker === "@revoked" }];
  });
}

function namesMatch(names: string, name: string): boolean {
  const hashed = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/.exec(names);
  if (hashed !== null) {
    const [, salt = "", hash] = hashed;
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  const patterns = names.toLowerCase().split(",");
  const fits = (pattern: string): boolean => asExpression(pattern).test(name);
  if (patterns.some((one) => one.startsWith("!") && fits(one.slice(1)))) return false;
  return patterns.some((one) => !one.startsWith("!") && fits(one));
}

function asExpression(pattern: string): RegExp {
  const source = pattern.replaceAll(/[^*?]/g, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
  return new RegExp(`^${source.replaceAll("*", ".*").replaceAll("?", ".")}$`, "u");
}

export type Judgement = "known" | "unknown" | "changed" | "revoked";

/** What is to be thought of a host that shows `key`. */
export function judge(known: readonly KnownKey[], key: Buffer): Judgement {
  const same = known.filter((one) => one.key.equals(key));
  if (same.some(({ revoked }) => revoked)) return "revoked";
  if (same.length > 0) return "known";
  return known.some(({ revoked }) => !revoked) ? "changed" : "unknown";
}

/** As ssh-keygen -l prints it: `SHA256:…`. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The type that a key says it has. */
export function typeOf(key: Buffer): string {
  const length = key.length < 4 ? 0 : key.readUInt32BE(0);
  return key.subarray(4, 4 + Math.min(length, 64)).toString("latin1");
}

const signatures: Readonly<Record<string, readonly string[]>> = { "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"] };
const usual = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/** Signature algorithms in the order in which a host is asked for them: of the keys that are known of it first. */
export function preferred(known: readonly KnownKey[]): string[] {
  const types = [...known.map(({ type }) => type).filter((type) => usual.includes(type)), ...usual];
  return [...new Set(types)].flatMap((type) => signatures[type] ?? [type]);
}
