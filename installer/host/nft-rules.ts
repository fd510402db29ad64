/** Rules of nftables that bear our comment: read from nft's own JSON, and replaced in one transaction of the kernel. */
import { ExpectedError } from "#cli/errors";
import type { Effect } from "./effect.ts";
import type { QueryResult } from "./host.ts";

/** One object of `nft -j list …`, as far as it is read here. */
export interface NftObject {
  readonly chain?: NftChain & {
    readonly name: string;
    readonly hook?: string;
    readonly type?: string;
    readonly policy?: string;
  };
  readonly rule?: NftChain & {
    readonly chain: string;
    readonly handle: number;
    readonly comment?: string;
    readonly expr?: readonly Record<string, unknown>[];
  };
}

interface NftChain {
  readonly family: string;
  readonly table: string;
}

/** Empty for what is no JSON of nft. */
export function parseNft(text: string): NftObject[] {
  try {
    return (JSON.parse(text) as { nftables?: NftObject[] }).nftables ?? [];
  } catch {
    return [];
  }
}

/** See the effect `nft`. */
export async function setRules(
  { family, table, chain, comment, rules }: Effect & { do: "nft" },
  run: (argv: readonly string[]) => Promise<QueryResult>,
): Promise<void> {
  const where = `${family} ${table} ${chain}`;
  const listing = ["nft", "-j", "list", "chain", family, table, chain];
  const listed = await run(listing);
  if (listed.code !== 0 && rules.length === 0) return;
  const present = parseNft(listed.stdout).flatMap(({ rule }) => (rule?.comment === comment ? [rule.handle] : []));
  const commands = [
    ...present.map((handle) => `delete rule ${where} handle ${handle}`),
    // Each goes before all others: the last one first.
    ...rules.toReversed().map((rule) => `insert rule ${where} ${rule} comment "${comment}"`),
  ];
  if (commands.length === 0) return;
  const { code, stderr } = await run(["nft", commands.join("; ")]);
  if (code === 0) return;
  throw new ExpectedError("APPLY_FAILED", `nft ended with ${code}: ${stderr.trim().split("\n")[0] ?? ""}`, {
    where,
    hint: `nft list chain ${where}`,
  });
}
