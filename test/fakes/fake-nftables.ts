/** The kernel's nftables on a fake host, as `nft -j` tells it, as a loaded file makes it, and as the effect `nft` changes it. */
import type { Effect } from "../../installer/host/effect.ts";

interface FakeChain {
  policy: "drop" | "accept";
  /** Texts of rules with their comments. */
  rules: { readonly text: string; readonly comment?: string }[];
}

export class FakeNftables {
  /** Input chains: `inet filter input` → what it holds. */
  chains = new Map<string, FakeChain>();

  list(): string {
    const objects = [...this.chains].flatMap(([name, { policy, rules }]) => {
      const [family, table, chain] = name.split(" ");
      return [
        { chain: { family, table, name: chain, type: "filter", hook: "input", prio: 0, policy } },
        ...rules.map(({ text, ...rest }, handle) => ({
          rule: { family, table, chain, handle, expr: expression(text), ...rest },
        })),
      ];
    });
    return JSON.stringify({ nftables: [{ metainfo: { json_schema_version: 1 } }, ...objects] });
  }

  perform({ family, table, chain, comment, rules }: Effect & { do: "nft" }): void {
    const found = this.chains.get(`${family} ${table} ${chain}`);
    if (found === undefined && rules.length > 0) throw new Error(`there is no chain ${chain}`);
    if (found === undefined) return;
    found.rules = [
      ...rules.map((text) => ({ text, comment })),
      ...found.rules.filter((rule) => rule.comment !== comment),
    ];
  }

  /** The exit code of `nft -c -f`, or with `act` of `nft -f`: lines that insert rules into chains that are there. */
  load(text: string, act: boolean): number {
    for (const line of text.split("\n")) {
      const [, name = "", rule = "", comment = ""] = /^insert rule (\S+ \S+ \S+) (.*) comment "(.*)"$/.exec(line) ?? [];
      if (name === "") continue;
      const chain = this.chains.get(name);
      if (chain === undefined) return 1;
      if (act) chain.rules = [{ text: rule, comment }, ...chain.rules];
    }
    return 0;
  }

  copy(): Map<string, FakeChain> {
    return structuredClone(this.chains);
  }
}

/** Of `tcp dport 1-2 accept`, `meta l4proto 4 accept`, and of a bare verdict. */
function expression(text: string): object[] {
  const [, number] = /^meta l4proto (\d+) accept$/.exec(text) ?? [];
  if (number !== undefined) {
    return [{ match: { op: "==", left: { meta: { key: "l4proto" } }, right: Number(number) } }, { accept: null }];
  }
  const [, protocol, port = ""] = /^(tcp|udp) dport (\S+) accept$/.exec(text) ?? [];
  if (protocol === undefined) return [{ [text]: null }];
  const numbers = port.split("-").map(Number);
  const right = numbers.length === 1 ? numbers[0] : { range: numbers };
  return [{ match: { op: "==", left: { payload: { protocol, field: "dport" } }, right } }, { accept: null }];
}
