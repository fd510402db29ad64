/** YAML text as a value of which every part still knows its line and column. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from "yaml";

/** Keys and indexes from the top to a value: `["nodes", 0, "ip"]`. */
export type KeyPath = readonly (string | number)[];

/** Something wrong with a file, at a place. Lines and columns count from 1. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface LocatedYaml {
  /** Plain data; undefined where `problems` made it meaningless. */
  readonly value: unknown;
  /** Of the YAML itself: syntax, duplicate keys, aliases, tags. */
  readonly problems: readonly Problem[];
  /** Where the value at `path` is, or its nearest ancestor that the file has; with `key` the key's place. */
  locate(path: KeyPath, key?: boolean): { line: number; column: number };
}

/**
 * Reads one YAML document. Aliases are refused: no file of ours needs them, and they are how a small file
 * grows to gigabytes.
 */
export function parseLocated(text: string): LocatedYaml {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, strict: true, version: "1.2" });
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const all = [...document.errors, ...document.warnings];
  // After a tab the parser takes nothing for what it is.
  const tabs = all.filter(({ code }) => code === "TAB_AS_INDENT");
  const problems: Problem[] = (tabs.length > 0 ? tabs : all).map((error) => ({
    ...at(error.pos[0]),
    message: plainSyntax(error.code, error.message),
  }));
  visit(document, {
    Alias(_key, node) {
      problems.push({ ...at(node.range?.[0] ?? 0), message: `the alias *${node.source} is not taken; write it out` });
    },
    Pair(_key, pair) {
      if (isScalar(pair.key) && pair.key.value === "<<") {
        problems.push({ ...at(pair.key.range?.[0] ?? 0), message: "the merge key << is not taken; write it out" });
      }
    },
  });
  return {
    value: problems.length === 0 ? document.toJS({ maxAliasCount: 0 }) : undefined,
    problems,
    locate: (path, key = false) => at(offsetOf(document.contents, path, key)),
  };
}

function offsetOf(top: Node | null, path: KeyPath, wantKey: boolean): number {
  let node: Node | null = top;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    let next: Node | null = null;
    if (isMap(node)) {
      const pair = (node.items as Pair<Node, Node | null>[]).find(
        ({ key }) => isScalar(key) && String(key.value) === String(part),
      );
      if (pair === undefined) return offset;
      const key = pair.key.range?.[0] ?? offset;
      const last = index === path.length - 1;
      // A block value starts on the next line; its key is what a reader looks for.
      const own = isMap(pair.value) || isSeq(pair.value) ? key : (pair.value?.range?.[0] ?? key);
      offset = last && wantKey ? key : own;
      next = pair.value;
    } else if (isSeq(node)) {
      next = (node.items[Number(part)] as Node | undefined) ?? null;
      if (next === null) return offset;
      offset = next.range?.[0] ?? offset;
    }
    if (next === null || isAlias(next)) return offset;
    node = next;
  }
  return offset;
}

function plainSyntax(code: string, message: string): string {
  if (code === "DUPLICATE_KEY") return "this key is already there";
  if (code === "TAB_AS_INDENT") return "a tab cannot indent; use spaces";
  if (code === "MULTIPLE_DOCS") return "only one document is wanted: a second --- begins here";
  return `not YAML: ${message}`;
}
