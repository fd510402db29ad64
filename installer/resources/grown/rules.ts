/** Which rules, chains and tables of netfilter kube-proxy, the kubelet, CNI plugins, flannel, calico and docker wrote. Pure. */
import { parseRule, type Rule, type SavedTable } from "./iptables-save.ts";

export interface RulesOwner {
  readonly docker: boolean;
  /** The pods' network, `172.30.0.0/16`, or one of each family, joined by a comma. */
  readonly pods: string;
}

const chains = /^(KUBE-|CNI-|FLANNEL-|cali-)/;
const dockerChains = /^DOCKER(-|$)/;
const comments = /^(cali:|flanneld (masq|forward)$)/;
const dockerInterfaces = /^(docker0|docker_gwbridge|br-[0-9a-f]{12})$/;

/** The chains of a table that were made since `before` by programs of ours. */
function ownChains(now: SavedTable, before: SavedTable | undefined, { docker }: RulesOwner): string[] {
  const old = new Set(before?.chains.map(({ name }) => name));
  return now.chains
    .filter(({ name, policy }) => policy === null && !old.has(name))
    .map(({ name }) => name)
    .filter((name) => chains.test(name) || (docker && dockerChains.test(name)));
}

/** Whether a rule in a chain that stays is of a program of ours: where it leads to, what it says of itself, its form. */
function isOwnRule(rule: Rule, gone: ReadonlySet<string>, owner: RulesOwner): boolean {
  if (rule.target !== null && gone.has(rule.target)) return true;
  if (rule.comment !== null && comments.test(rule.comment)) return true;
  if (owner.docker && rule.interfaces.some((name) => dockerInterfaces.test(name))) return true;
  return isFlannels(rule, owner.pods);
}

/** flannel before 0.20, which is of no dual stack here, wrote its rules without a comment, always in these forms. */
function isFlannels({ chain, text }: Rule, pods: string): boolean {
  const net = pods.replaceAll(".", "\\.");
  const forms =
    chain === "POSTROUTING"
      ? [
          `-s ${net} -d ${net} -j RETURN`,
          `-s ${net} ! -d 224\\.0\\.0\\.0/4 -j MASQUERADE( --random-fully)?`,
          `! -s ${net} -d [\\d./]+ -j RETURN`,
          `! -s ${net} -d ${net} -j MASQUERADE( --random-fully)?`,
        ]
      : chain === "FORWARD"
        ? [`-s ${net} -j ACCEPT`, `-d ${net} -j ACCEPT`]
        : [];
  return forms.some((form) => new RegExp(`^${form}$`).test(text));
}

export interface TableChange {
  readonly table: string;
  /** For `iptables-restore --noflush`, between `*table` and `COMMIT`; none: nothing to do. */
  readonly lines: readonly string[];
  /** Whether nothing at all is left in it then. */
  readonly empty: boolean;
}

/** What makes a table what it was before, as far as it is ours. */
export function changeOf(now: SavedTable, before: SavedTable | undefined, owner: RulesOwner): TableChange {
  const gone = new Set(ownChains(now, before, owner));
  const old = [...(before?.rules ?? [])];
  const drop = now.rules.map(parseRule).filter(({ chain }) => !gone.has(chain));
  const own = drop.filter((rule) => {
    const at = old.indexOf(`-A ${rule.chain}${rule.text === "" ? "" : ` ${rule.text}`}`);
    if (at >= 0) old.splice(at, 1);
    return at < 0 && isOwnRule(rule, gone, owner);
  });
  // docker closes it, and the kubelet's unit opens it.
  const policies = now.chains.flatMap(({ name, policy }) => {
    const was = before?.chains.find((chain) => chain.name === name)?.policy ?? "ACCEPT";
    return name === "FORWARD" && now.name === "filter" && policy !== null && policy !== was
      ? [`:${name} ${was} [0:0]`]
      : [];
  });
  const lines = [
    ...policies,
    ...own.map(({ chain, text }) => `-D ${chain} ${text}`),
    ...[...gone].map((chain) => `-F ${chain}`),
    ...[...gone].map((chain) => `-X ${chain}`),
  ];
  const closed = now.chains.some(({ name, policy }) => policy !== null && policy !== "ACCEPT" && name !== "FORWARD");
  const others = now.chains.some(({ name, policy }) => policy === null && !gone.has(name));
  return { table: now.name, lines, empty: drop.length === own.length && !others && !closed };
}

/** nftables' own tables of kube-proxy, flannel, CNI plugins, calico and docker: `ip kube-proxy`. */
export function isOwnTable(table: string, { docker }: RulesOwner): boolean {
  const name = table.split(" ")[1] ?? "";
  return (
    /^(kube-proxy|flannel-ipv[46]|cni_hostport|cni_plugins_masquerade|calico)$/.test(name) ||
    (docker && name === "docker-bridges")
  );
}
