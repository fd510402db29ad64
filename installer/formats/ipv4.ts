/** IPv4 addresses and networks as numbers. Texts are trusted to be valid; in one that is not, nothing is contained. */

export interface Network {
  /** First address, as an unsigned 32-bit number. */
  readonly first: number;
  readonly last: number;
  /** Length of the prefix, 0 to 32. */
  readonly prefix: number;
}

/** `10.0.0.1` → 167772161. */
export function addressNumber(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** 167772161 → `10.0.0.1`. */
export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
}

/** `10.0.0.7/16` → the network that holds it, 10.0.0.0 to 10.0.255.255. */
export function network(cidr: string): Network {
  const [base = "", length = "32"] = cidr.split("/");
  const prefix = Number(length);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(addressNumber(base) / size) * size;
  return { first, last: first + size - 1, prefix };
}

/** Whether the network `10.0.0.0/24` holds the address `10.0.0.7`. */
export function contains(cidr: string, ip: string): boolean {
  const { first, last } = network(cidr);
  const address = addressNumber(ip);
  return address >= first && address <= last;
}

/** Whether all of `inner` is in `outer`. */
export function isWithin(inner: Network, outer: Network): boolean {
  return inner.first >= outer.first && inner.last <= outer.last;
}

export function overlaps(a: Network, b: Network): boolean {
  return a.first <= b.last && b.first <= a.last;
}
