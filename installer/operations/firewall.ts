/** Ports opened in the host's own firewall, firewalld or ufw: only those that were not open, and closed again by undo. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import type { Kind } from "./operation.ts";
import { isActive } from "./unit.ts";

export interface FirewallSpec {
  /** `6443/tcp`, `30000-32767/tcp`, in order. */
  readonly ports: readonly string[];
}

export interface FirewallBefore {
  /** Null: neither runs; nothing is done here, see nftables.ts. */
  readonly tool: "firewalld" | "ufw" | null;
  /** Of `ports`: open now; open after the next boot. ufw knows no difference. */
  readonly open: readonly string[];
  readonly permanent: readonly string[];
}

export const firewall: Kind<FirewallSpec, FirewallBefore> = {
  resource: () => "firewall ports",
  describe: ({ ports }) => `firewall ports ${ports.join(" ")}`,
  async inspect(host, { ports }) {
    if (await isActive(host, "firewalld.service")) {
      const listed = async (...extra: string[]): Promise<string[]> => {
        const { stdout } = await host.query(["firewall-cmd", ...extra, "--list-ports"]);
        return stdout.split(/\s+/).filter((port) => ports.includes(port));
      };
      return { tool: "firewalld", open: await listed(), permanent: await listed("--permanent") };
    }
    const open = await ufwPorts(host);
    if (open === null) return { tool: null, open: [], permanent: [] };
    const ours = ports.filter((port) => open.includes(forUfw(port)));
    return { tool: "ufw", open: ours, permanent: ours };
  },
  forward: ({ ports }, before) => change(ports, before, "open"),
  backward: ({ ports }, before) => change(ports, before, "close"),
};

/** Whether one of them runs: then the kernel's rules are its, and are made anew by it. */
export async function otherFirewall(host: HostReader): Promise<boolean> {
  return (await isActive(host, "firewalld.service")) || (await ufwPorts(host)) !== null;
}

function change(ports: readonly string[], { tool, open, permanent }: FirewallBefore, how: "open" | "close"): Effect[] {
  const lacking = (present: readonly string[]): string[] => ports.filter((port) => !present.includes(port));
  if (tool === "firewalld") {
    const verb = how === "open" ? "--add-port" : "--remove-port";
    const now = lacking(open).map((port): Effect => ({ do: "run", argv: ["firewall-cmd", `${verb}=${port}`] }));
    const later = lacking(permanent).map((port): Effect => ({
      do: "run",
      argv: ["firewall-cmd", "--permanent", `${verb}=${port}`],
    }));
    return [...later, ...now];
  }
  if (tool === null) return [];
  return lacking(open).map((port): Effect => {
    const argv = how === "open" ? ["ufw", "allow", forUfw(port)] : ["ufw", "--force", "delete", "allow", forUfw(port)];
    // Code 1 of a deletion: there is no such rule any more.
    return how === "open" ? { do: "run", argv } : { do: "run", argv, accept: [0, 1] };
  });
}

/** ufw writes ranges with a colon. */
const forUfw = (port: string): string => port.replace("-", ":");

/** Ports that ufw allows from anywhere; null where it does not run. */
async function ufwPorts(host: HostReader): Promise<string[] | null> {
  const { code, stdout } = await host.query(["ufw", "status"]);
  if (code !== 0 || !/^Status: active/m.test(stdout)) return null;
  return stdout.split("\n").flatMap((line) => /^(\S+)\s+ALLOW\s+Anywhere\s*$/.exec(line)?.[1] ?? []);
}
