/** Ports opened in the host's own firewall, firewalld or ufw: only those that were not open, and closed again by undo. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { isActive } from "../host/systemd.ts";
import { isSame, type Resource } from "./resource.ts";

export interface FirewallId {
  /** `6443/tcp`, `30000-32767/tcp`, in order. */
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
        const { stdout } = await host.query(["firewall-cmd", ...extra, "--list-ports"]);
        const open = stdout.split(/\s+/);
        return ports.filter((port) => open.includes(port));
      };
      return { tool: "firewalld", open: await listed(), permanent: await listed("--permanent") };
    }
    const open = await ufwPorts(host);
    if (open === null) return { tool: null, open: [], permanent: [] };
    const ours = ports.filter((port) => open.includes(forUfw(port)));
    return { tool: "ufw", open: ours, permanent: ours };
  },
  spec: ({ ports }, now) => (now.tool === null ? now : { ...now, open: ports, permanent: ports }),
  equal: isSame,
  steps({ ports }, from, to) {
    if (to.tool === null) return [];
    // It may have ended since: then it is asked for all, and says why not.
    const [now, later] = from.tool === to.tool ? [from.open, from.permanent] : [null, null];
    if (to.tool === "ufw") return change(ports, now, to.open, ufw);
    return [
      ...change(ports, later, to.permanent, (verb, port) => firewalld(verb, port, "--permanent")),
      ...change(ports, now, to.open, (verb, port) => firewalld(verb, port)),
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

function firewalld(verb: Verb, port: string, ...options: readonly string[]): Effect {
  return { do: "run", argv: ["firewall-cmd", ...options, `--${verb === "open" ? "add" : "remove"}-port=${port}`] };
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
