/** Virtual servers of ipvs, which kube-proxy makes where it is told to use it. */
import type { Effect } from "../../host/effect.ts";
import { grown } from "./grown.ts";

export interface VirtualServersState {
  /** `-t 10.64.0.1:443`, as ipvsadm takes them. */
  readonly servers: readonly string[];
}

export const virtualServers = grown<Record<string, never>, VirtualServersState>({
  name: () => "virtual servers of ipvs",
  async inspect(host) {
    return { servers: host.live ? parseVirtualServers((await host.read("/proc/net/ip_vs")) ?? "") : [] };
  },
  steps(_id, now, before) {
    return now.servers
      .filter((server) => !before.servers.includes(server))
      .map((server): Effect => ({
        do: "run",
        argv: ["ipvsadm", "-D", ...server.split(" ")],
        forgive: "No such (service|file)",
      }));
  },
});

/** Of /proc/net/ip_vs: `TCP  0A400001:01BB rr`, `UDP  [fd00:…:000a]:0035 rr`, `FWM  0000000A rr`. */
export function parseVirtualServers(text: string): string[] {
  const flags = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service", FWM: "-f" } as const;
  return text.split("\n").flatMap((line) => {
    const [protocol = "", at = ""] = line.trim().split(/\s+/);
    const flag = flags[protocol as keyof typeof flags];
    if (flag === undefined) return [];
    if (protocol === "FWM") return [`${flag} ${parseInt(at, 16)}`];
    const [, address = "", port = ""] = /^(.*):([0-9A-F]{4})$/i.exec(at) ?? [];
    const dotted = address.startsWith("[")
      ? address
      : (address.match(/../g) ?? []).map((byte) => parseInt(byte, 16)).join(".");
    return [`${flag} ${dotted}:${parseInt(port, 16)}`];
  });
}
