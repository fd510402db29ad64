/**
 * Ports and protocols opened where an administrator's own nftables rules are the firewall: at the head of each input chain
 * that may drop, and pods' networks in each forward chain that may, marked by a comment, and once more in the file that nftables.service loads. An accept in a table of ours would
 * not do: it ends only its own chain, and another one drops all the same.
 */
import { basename, dirname } from "node:path";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { type NftObject, parseNft } from "../host/nft-rules.ts";
import { isActive } from "../host/systemd.ts";
import { familyOf } from "#formats/address";
import { blockEdit } from "./block.ts";
import { type Edit, edited, editSteps, equalText, inspectText, type TextState } from "./edit.ts";
import { otherFirewall } from "./firewall.ts";
import { isSame, type Resource } from "./resource.ts";

export interface NftablesId {
  /** `6443/tcp`, `30000-32767/tcp`, `protocol 4`; forwarded: `from 172.30.0.0/16`, `to 172.30.0.0/16`; in order. */
  readonly ports: readonly string[];
  /** Of a node with IPv6 alone: chains for IPv4 are nothing to it. */
  readonly ipv6?: true;
}

/** For a node with this address. */
export function inFamily(ip: string): Pick<NftablesId, "ipv6"> {
  return familyOf(ip) === "ipv6" ? { ipv6: true } : {};
}

interface Chain {
  /** `inet filter input` */
  readonly name: string;
  /** What it is asked: whether the host takes a packet, which is so where this is absent, or forwards it. */
  readonly hook?: "forward";
  /** Of the ports that our rules in it accept: as the id's `ports`, in order. */
  readonly open: readonly string[];
  /** Whether the file below makes this chain. */
  readonly inFile: boolean;
}

export interface NftablesState {
  readonly chains: readonly Chain[];
  /** What nftables.service loads; null where it does not run and no boot starts it. */
  readonly file: { readonly path: string; readonly text: TextState } | null;
}

const comment = "kubeferry";
const files = ["/etc/nftables.conf", "/etc/sysconfig/nftables.conf"];
const serviceLinks = ["sysinit", "multi-user"].map(
  (target) => `/etc/systemd/system/${target}.target.wants/nftables.service`,
);
/** Made anew by their own programs, which know what they let in. */
const foreignTables = /^(kube|flannel|cali|docker|firewalld|ufw|libvirt)/;

export const nftables: Resource<NftablesId, NftablesState> = {
  name: () => "nftables ports",
  describe: ({ ports }) => `nftables ports ${ports.join(" ")}`,
  inspect: nftablesOf,
  spec: ({ ports }, now) => ({
    chains: now.chains.map((chain) => {
      const open = wantedIn(chain, ports);
      return isEqual(chain.open, open) ? chain : { ...chain, open };
    }),
    file: now.file && { ...now.file, text: edited(now.file.text, editOf(ports, now.chains)) },
  }),
  equal: (a, b) =>
    isSame(a.chains.map(opening), b.chains.map(opening)) && equalText(a.file?.text ?? null, b.file?.text ?? null),
  steps({ ports }, from, to) {
    const rules = to.chains.flatMap(({ name, open }): Effect[] => {
      const present = from.chains.find((chain) => chain.name === name)?.open ?? [];
      return isEqual(present, open) ? [] : [rulesOf(name, open)];
    });
    if (to.file === null) return rules;
    const { path, text } = to.file;
    const edits = editSteps(path, from.file?.path === path ? from.file.text : null, text, editOf(ports, to.chains));
    // A file that nft would not load leaves the host without a firewall at its next boot.
    const isNew = edits.some((effect) => effect.do === "write");
    const check: Effect[] = isNew ? [{ do: "run", argv: ["nft", "-c", "-f", path] }] : [];
    return [...edits, ...check, ...rules];
  },
  retires: () => null,
};

/** Chains that may drop, and the file that a boot loads. */
export async function nftablesOf(host: HostReader, { ports, ipv6 }: NftablesId): Promise<NftablesState> {
  // Of chains for IPv6 alone a node with an IPv4 address wants something only in dual stack.
  const both = ports.some((word) => /^from .*:/.test(word)) ? ["inet", "ip", "ip6"] : ["inet", "ip"];
  const families = ipv6 === true ? ["inet", "ip6"] : both;
  const chains = (await otherFirewall(host)) ? [] : await droppingChains(host, families);
  const path = await loadedFile(host);
  const made = path === null ? [] : (await withIncludes(host, path)).flatMap((text) => chainsIn(text));
  return {
    chains: chains.map((chain) => ({ ...chain, inFile: made.includes(chain.name) })),
    file: path === null || (await host.read(path)) === null ? null : { path, text: await inspectText(host, path) },
  };
}

const opening = ({ name, open }: Chain): unknown => [name, open.toSorted()];

/** Input and forward chains that may drop, as an administrator made them, with what ours of them accept. */
async function droppingChains(host: HostReader, families: readonly string[]): Promise<Omit<Chain, "inFile">[]> {
  const { code, stdout } = await host.query(["nft", "-j", "-t", "-p", "list", "ruleset"], {
    outputLimit: 64 * 1024 * 1024,
  });
  const objects = code === 0 ? parseNft(stdout) : [];
  return objects.flatMap(({ chain }): Omit<Chain, "inFile">[] => {
    if (chain?.type !== "filter" || !families.includes(chain.family)) return [];
    if (chain.hook !== "input" && chain.hook !== "forward") return [];
    // iptables' own: it would no longer understand its table.
    if (/^ip6? filter (INPUT|FORWARD)$/.test(`${chain.family} ${chain.table} ${chain.name}`)) return [];
    if (foreignTables.test(chain.table)) return [];
    const rules = objects.flatMap(({ rule }) =>
      rule?.family === chain.family && rule.table === chain.table && rule.chain === chain.name ? [rule] : [],
    );
    if (chain.policy !== "drop" && !rules.some(mayDrop)) return [];
    const open = rules.filter((rule) => rule.comment === comment).flatMap((rule) => portOf(rule) ?? []);
    const name = `${chain.family} ${chain.table} ${chain.name}`;
    return chain.hook === "forward" ? [{ name, hook: chain.hook, open }] : [{ name, open }];
  });
}

type Rule = NonNullable<NftObject["rule"]>;

function mayDrop({ expr = [] }: Rule): boolean {
  const verdicts = ["drop", "reject", "jump", "goto", "vmap", "queue", "xt"];
  return expr.some((part) => verdicts.some((verdict) => verdict in part));
}

/** `6443/tcp` of a rule as {@link rulesOf} makes it; null of any other. */
function portOf({ expr = [] }: Rule): string | null {
  const [match, verdict, ...more] = expr as readonly {
    match?: { op?: string; left?: Left; right?: unknown };
    accept?: null;
  }[];
  if (more.length > 0 || verdict === undefined || !("accept" in verdict) || match?.match?.op !== "==") return null;
  const { left, right } = match.match;
  const payload = left?.payload;
  const { range, prefix } = right as { range?: [number, number]; prefix?: { addr: string; len: number } };
  const value = prefix === undefined ? (range?.join("-") ?? String(right)) : `${prefix.addr}/${prefix.len}`;
  if (left?.meta?.key === "l4proto") return `protocol ${value}`;
  if (payload?.field === "saddr") return `from ${value}`;
  if (payload?.field === "daddr") return `to ${value}`;
  return payload?.field === "dport" ? `${value}/${payload.protocol}` : null;
}

interface Left {
  readonly payload?: { readonly protocol?: string; readonly field?: string };
  readonly meta?: { readonly key?: string };
}

/** What a chain is to let through: a forward chain pods' networks of its family, an input chain all else. */
function wantedIn({ hook, name }: Pick<Chain, "hook" | "name">, words: readonly string[]): string[] {
  const other = name.startsWith("ip6 ") ? "ip" : name.startsWith("ip ") ? "ip6" : null;
  return words.filter((word) => {
    const [, network] = /^(?:from|to) (.*)$/.exec(word) ?? [];
    return network === undefined ? hook === undefined : hook === "forward" && tableOf(network) !== other;
  });
}

/** The family in which nft has rules for addresses like this one. */
const tableOf = (network: string): "ip" | "ip6" => (familyOf(network) === "ipv4" ? "ip" : "ip6");

function rulesOf(name: string, ports: readonly string[]): Effect {
  const [family = "", table = "", chain = ""] = name.split(" ");
  return { do: "nft", family, table, chain, comment, rules: ports.map(ruleText) };
}

function ruleText(port: string): string {
  const [kind, value] = port.split(" ");
  if (kind === "protocol") return `meta l4proto ${value} accept`;
  if (kind === "from" || kind === "to")
    return `${tableOf(value ?? "")} ${kind === "from" ? "saddr" : "daddr"} ${value} accept`;
  const [number, protocol] = port.split("/");
  return `${protocol} dport ${number} accept`;
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && b.every((port) => a.includes(port));
}

/** Lines for the file, which is left alone where it makes none of the chains. */
function editOf(ports: readonly string[], chains: readonly Chain[]): Edit {
  const made = chains.filter(({ inFile }) => inFile);
  const lines = made.flatMap(({ name, ...asked }) =>
    wantedIn({ name, ...asked }, ports)
      .toReversed()
      .map((port) => `insert rule ${name} ${ruleText(port)} comment "${comment}"`),
  );
  return made.length === 0 ? { apply: (text) => text, lines: () => [] } : blockEdit(lines);
}

/** The file that nftables.service loads, where it runs or a boot starts it. */
async function loadedFile(host: HostReader): Promise<string | null> {
  const links = await Promise.all(serviceLinks.map((path) => host.stat(path)));
  if (links.every((stat) => stat === null) && !(await isActive(host, "nftables.service"))) return null;
  for (const path of files) if ((await host.stat(path))?.type === "file") return path;
  return null;
}

/** Its text, and those of the files that it includes by name or by one `*`. */
async function withIncludes(host: HostReader, path: string): Promise<string[]> {
  const text = (await host.read(path)) ?? "";
  const texts = [text];
  for (const [, found = ""] of text.matchAll(/^\s*include\s+"([^"]+)"/gm)) {
    const [folder, name] = [dirname(found), basename(found)];
    const [start = "", end = ""] = name.split("*");
    const names = name.includes("*")
      ? (await host.list(folder)).filter((entry) => entry.startsWith(start) && entry.endsWith(end))
      : [name];
    for (const entry of names) texts.push((await host.read(`${folder}/${entry}`)) ?? "");
  }
  return texts;
}

/** The chains that a text makes, as `inet filter input`: `table inet filter { chain input {`, `add chain inet filter input {`. */
export function chainsIn(text: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  let words: string[] = [];
  for (const [token] of text.replaceAll(/"[^"\n]*"|#.*$/gm, " ").matchAll(/[{};]|[^\s{};]+/g)) {
    if (token !== "{" && token !== "}" && token !== ";") {
      words.push(token);
      continue;
    }
    if (token === "{") {
      const said = words.join(" ");
      const table = /(?:^| )table (?:(ip|ip6|inet|arp|bridge|netdev) )?(\S+)$/.exec(said);
      const chain = /(?:^| )chain (?:(?:(ip|ip6|inet|arp|bridge|netdev) )?(\S+) )?(\S+)$/.exec(said);
      if (chain !== null) found.push(`${chain[2] ? `${chain[1] ?? "ip"} ${chain[2]}` : (open[0] ?? "")} ${chain[3]}`);
      open.push(table === null ? "" : `${table[1] ?? "ip"} ${table[2]}`);
    } else if (token === "}") {
      open.pop();
    }
    words = [];
  }
  return found;
}
