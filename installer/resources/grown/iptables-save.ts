/** What `iptables-save` prints, read and taken apart. Pure. */

export interface SavedTable {
  readonly name: string;
  /** Built-in chains with their policy; null: somebody's own chain. */
  readonly chains: readonly { readonly name: string; readonly policy: string | null }[];
  /** `-A FORWARD -j KUBE-FORWARD`, in order. */
  readonly rules: readonly string[];
}

export function parseSaved(text: string): SavedTable[] {
  const tables: { name: string; chains: { name: string; policy: string | null }[]; rules: string[] }[] = [];
  for (const line of text.split("\n")) {
    const table = tables.at(-1);
    if (line.startsWith("*")) tables.push({ name: line.slice(1).trim(), chains: [], rules: [] });
    else if (table === undefined) continue;
    else if (line.startsWith("-A ")) table.rules.push(line.trim());
    else if (line.startsWith(":")) {
      const [name = "", policy = "-"] = line.slice(1).split(" ");
      table.chains.push({ name, policy: policy === "-" ? null : policy });
    }
  }
  return tables;
}

export interface Rule {
  readonly chain: string;
  readonly target: string | null;
  readonly comment: string | null;
  /** Interfaces that it names, be it to leave them out. */
  readonly interfaces: readonly string[];
  /** Everything behind the chain. */
  readonly text: string;
}

export function parseRule(line: string): Rule {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
  const after = (...flags: string[]): string | null => {
    const at = words.findIndex((word) => flags.includes(word));
    return at < 0 ? null : (words[at + 1] ?? null);
  };
  const named = [after("-i", "--in-interface"), after("-o", "--out-interface")];
  return {
    chain: words[1] ?? "",
    target: after("-j", "-g"),
    comment: after("--comment"),
    interfaces: named.filter((name) => name !== null),
    text: line.replace(/^-A \S+ ?/, ""),
  };
}
