/** Addresses and networks of both families as numbers. Texts are trusted to be valid; in one that is not, nothing is contained. */
import { isIPv4, isIPv6 } from "node:net";

export type Family = "ipv4" | "ipv6";

export interface Network {
  readonly family: Family;
  /** First address, as an unsigned number of 32 or 128 bits. */
  readonly first: bigint;
  readonly last: bigint;
  /** Length of the prefix, 0 to 32 or 128. */
  readonly prefix: number;
}

const bits = { ipv4: 32, ipv6: 128 } as const;

/** Of an address or a network. */
export function familyOf(text: string): Family {
  return text.includes(":") ? "ipv6" : "ipv4";
}

/** `10.0.0.1:6443`, `[fd00::1]:6443`; names and tokens as they are. */
export function hostPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What a text like `172.30.0.0/16,fd00:10:244::/56` names: one, or one of each family, as the daemons' flags have it. */
export function eachOf(text: string): string[] {
  return text.split(",");
}

/** `10.0.0.1` → 167772161; less than 0: it is no address. */
export function addressNumber(text: string): bigint {
  if (isIPv4(text)) return joined(text.split(".").map(Number), 8n);
  if (!isIPv6(text) || text.includes("%")) return -1n;
  const [head = "", tail] = text.replace(/[\d.]+\.\d+$/, asGroups).split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(head), groups(tail ?? "")];
  return joined([...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after], 16n);
}

/** The end of `::ffff:10.0.0.1` as IPv6 has it. */
function asGroups(text: string): string {
  const number = addressNumber(text);
  return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
}

function joined(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(part), 0n);
}

/** 167772161 → `10.0.0.1`; of IPv6 the one spelling of RFC 5952, which the kernel and Kubernetes write as well. */
export function addressText(number: bigint, family: Family = "ipv4"): string {
  if (family === "ipv4") return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((number >> BigInt(112 - 16 * at)) & 0xffffn).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** An address as the kernel writes it: of IPv6, which has many spellings, that of RFC 5952. What is none, as it is. */
export function usualSpelling(text: string): string {
  const number = addressNumber(text);
  return number < 0n ? text : addressText(number, familyOf(text));
}

/** `10.0.0.7/16` → the network that holds it, 10.0.0.0 to 10.0.255.255. */
export function network(cidr: string): Network {
  const [base = "", length] = cidr.split("/");
  const family = familyOf(base);
  const prefix = Number(length ?? bits[family]);
  const own = BigInt(bits[family] - prefix);
  const first = (addressNumber(base) >> own) << own;
  return { family, first, last: first + (1n << own) - 1n, prefix };
}

/** Whether the network `10.0.0.0/24` holds the address `10.0.0.7`. */
export function contains(cidr: string, ip: string): boolean {
  const { family, first, last } = network(cidr);
  const address = addressNumber(ip);
  return family === familyOf(ip) && address >= first && address <= last;
}

/** Whether all of `inner` is in `outer`. */
export function isWithin(inner: Network, outer: Network): boolean {
  return inner.family === outer.family && inner.first >= outer.first && inner.last <= outer.last;
}

export function overlaps(a: Network, b: Network): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}
