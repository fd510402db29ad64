/**
 * Ports opened in the host's own firewall, firewalld or ufw, and in firewalld protocols and pods' networks as well (its
 * rules come after those of iptables, and drop what these accepted): only those that were not open, and closed again by undo.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { isActive } from "../host/systemd.ts";
import { isSame, type Resource } from "./resource.ts";

export interface FirewallId {
  /** `6443/tcp`, `30000-32767/tcp`, `protocol 4`, `from 172.30.0.0/16`, in order; what a tool does not open is none of its. */
  readonly ports: readonly string[];
}

export interface FirewallState {
  /** Null: neither runs; nothing is done here, see nftables.ts. */
  readonly tool: "firewalld" | "ufw" | null;
  /** Of the id's ports: open now; open after the next boot. ufw knows no difference. */
  readonly open: readonly string[];
  readonly permanent: readonly string[];
}

export const firewall: Resource<FirewallId, FirewallState> = {
  name: () => "firewall ports",
  describe: ({ ports }) => `firewall ports ${ports.join(" ")}`,
  async inspect(host, { ports }) {
    if (await isActive(host, "firewalld.service")) {
      const listed = async (...extra: string[]): Promise<string[]> => {
        const found: string[] = [];
        for (const { list, word } of kinds) {
          const asked = ports.filter((opening) => word.test(opening));
          if (asked.length === 0) continue;
          const { stdout } = await host.query(["firewall-cmd", ...extra, ...list]);
          const open = stdout.split(/\s+/);
          found.push(...asked.filter((opening) => open.includes(word.exec(opening)?.[1] ?? "")));
        }
        return found;
      };
      return { tool: "firewalld", open: await listed(), permanent: await listed("--permanent") };
    }
    const open = await ufwPorts(host);
    if (open === null) return { tool: null, open: [], permanent: [] };
    const ours = ports.filter((port) => open.includes(forUfw(port)));
    return { tool: "ufw", open: ours, permanent: ours };
  },
  spec: ({ ports }, now) => {
    if (now.tool === null) return now;
    const opened = openedBy(now.tool, ports);
    return { ...now, open: opened, permanent: opened };
  },
  equal: isSame,
  steps({ ports }, from, to) {
    if (to.tool === null) return [];
    // It may have ended since: then it is asked for all, and says why not.
    const [now, later] = from.tool === to.tool ? [from.open, from.permanent] : [null, null];
    const words = openedBy(to.tool, ports);
    if (to.tool === "ufw") return change(words, now, to.open, ufw);
    return [
      ...change(words, later, to.permanent, (verb, word) => firewalld(verb, word, "--permanent")),
      ...change(words, now, to.open, (verb, word) => firewalld(verb, word)),
    ];
  },
  retires: () => null,
};

type Verb = "open" | "close";

/** `from` null: nobody knows. */
function change(
  ports: readonly string[],
  from: readonly string[] | null,
  to: readonly string[],
  effect: (verb: Verb, port: string) => Effect,
): Effect[] {
  return ports.flatMap((port) => {
    const open = to.includes(port);
    return from?.includes(port) === open ? [] : [effect(open ? "open" : "close", port)];
  });
}

/** What firewalld opens: how a word is written, what lists it, and the option that takes it. */
const kinds = [
  { word: /^(\S+)$/, list: ["--list-ports"], zone: [], option: "port" },
  { word: /^protocol (\S+)$/, list: ["--list-protocols"], zone: [], option: "protocol" },
  { word: /^from (\S+)$/, list: ["--zone=trusted", "--list-sources"], zone: ["--zone=trusted"], option: "source" },
] as const;

function openedBy(tool: "firewalld" | "ufw", words: readonly string[]): string[] {
  const opens = tool === "ufw" ? kinds.slice(0, 1) : kinds;
  return words.filter((opening) => opens.some(({ word }) => word.test(opening)));
}

function firewalld(verb: Verb, opening: string, ...options: readonly string[]): Effect {
  const kind = kinds.find(({ word }) => word.test(opening)) ?? kinds[0];
  const change = `--${verb === "open" ? "add" : "remove"}-${kind.option}=${kind.word.exec(opening)?.[1] ?? opening}`;
  return { do: "run", argv: ["firewall-cmd", ...options, ...kind.zone, change] };
}

function ufw(verb: Verb, port: string): Effect {
  if (verb === "open") return { do: "run", argv: ["ufw", "allow", forUfw(port)] };
  // Code 1: there is no such rule any more.
  return { do: "run", argv: ["ufw", "--force", "delete", "allow", forUfw(port)], accept: [0, 1] };
}

/** Whether one of them runs: then the kernel's rules are its, and are made anew by it. */
export async function otherFirewall(host: HostReader): Promise<boolean> {
  return (await isActive(host, "firewalld.service")) || (await ufwPorts(host)) !== null;
}

/** ufw writes ranges with a colon. */
const forUfw = (port: string): string => port.replace("-", ":");

/** Ports that ufw allows from anywhere; null where it does not run. */
async function ufwPorts(host: HostReader): Promise<string[] | null> {
  const { code, stdout } = await host.query(["ufw", "status"]);
  if (code !== 0 || !/^Status: active/m.test(stdout)) return null;
  return stdout.split("\n").flatMap((line) => /^(\S+)\s+ALLOW\s+Anywhere\s*$/.exec(line)?.[1] ?? []);
}
