/** Versions of programs, compared. Those of .rpm files have an order of their own (rpm-version). */

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The numbers of `v1.36.3`, `1:3.4.23-4+b2`, `1.20`, `6.1.0-18-amd64`; null for anything else. */
export function parseVersion(text: string | null | undefined): Version | null {
  const match = /^v?(?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text ?? "");
  if (match === null) return null;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

/** Whether `version` is `first` or later; only major and minor count, as in `1.20`. False where one is no version. */
export function isSince(version: string, first: string): boolean {
  const [own, other] = [parseVersion(version), parseVersion(first)];
  if (own === null || other === null) return false;
  return own.major > other.major || (own.major === other.major && own.minor >= other.minor);
}

const { compare } = new Intl.Collator("en", { numeric: true });

/** An order to sort by; numbers as numbers, the rest as text: `1.9.3` before `1.10.0`, `3.4.23-4` before `3.4.23-10`. */
export function compareVersions(a: string, b: string): number {
  return compare(a, b);
}
