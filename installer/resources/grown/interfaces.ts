/** Interfaces that CNI plugins, flannel, calico, kube-proxy and docker make, and routes to pods through others. */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { eachOf, familyOf, isWithin, network } from "#formats/address";
import { grown } from "./grown.ts";

export interface InterfacesId {
  readonly docker: boolean;
  /** The pods' network, `172.30.0.0/16`, or one of each family, joined by a comma. */
  readonly pods: string;
}

export interface InterfacesState {
  readonly interfaces: readonly {
    readonly name: string;
    /** Of the bridge that it is attached to. */
    readonly master: string | null;
    readonly up: boolean;
  }[];
  /** To addresses of pods, as `ip route` prints them. */
  readonly routes: readonly string[];
}

/** Names that only these programs give. */
const networks =
  /^(cni0|cbr0|flannel(\.\d+|-v6\.\d+|\.ipip|-wg|-wg-v6|\d+)|kube-ipvs0|vxlan(-v6)?\.calico|wireguard\.cali|cali[0-9a-f]+|tunl0)$/;
const dockers = /^(docker0|docker_gwbridge|br-[0-9a-f]{12})$/;
/** Comes and goes with its kernel module. */
const builtIn = "tunl0";
const folder = "/sys/class/net";

export const interfaces = grown<InterfacesId, InterfacesState>({
  name: () => "interfaces of pods",
  async inspect(host, { pods }) {
    if (!host.live) return { interfaces: [], routes: [] };
    const found: InterfacesState["interfaces"][number][] = [];
    for (const name of await host.list(folder)) {
      const link = await host.stat(`${folder}/${name}/master`);
      const master = link?.type === "symlink" ? (link.target.split("/").at(-1) ?? null) : null;
      const flags = Number((await host.read(`${folder}/${name}/flags`))?.trim() ?? 0);
      found.push({ name, master, up: (flags & 1) === 1 });
    }
    return { interfaces: found, routes: await routesTo(host, pods) };
  },
  steps(id, now, before) {
    const old = new Set(before.interfaces.map(({ name }) => name));
    const fresh = now.interfaces.filter(({ name }) => !old.has(name));
    const made = fresh.filter(({ name }) => networks.test(name) || (id.docker && dockers.test(name)));
    const masters = made.map(({ name }) => name);
    const attached = fresh.filter(({ name, master }) => name.startsWith("veth") && masters.includes(master ?? ""));
    const gone = [...attached, ...made].filter(({ name }) => name !== builtIn).map(({ name }) => name);
    const tunnel = made.some(({ name, up }) => name === builtIn && up);
    const routes = now.routes.filter((route) => !before.routes.includes(route) && !gone.includes(deviceOf(route)));
    return [
      ...routes.map((route) => ip("route", "del", ...route.split(" ").filter((word) => !marks.has(word)))),
      ...gone.map((name) => ip("link", "delete", name)),
      ...(tunnel ? [ip("address", "flush", "dev", builtIn), ip("link", "set", builtIn, "down")] : []),
    ];
  },
});

/** What `ip route` prints of a route's state, and does not read. */
const marks = new Set(["linkdown", "dead", "offload", "trap", "pervasive"]);

function ip(...words: string[]): Effect {
  // The other end of a pair went with its namespace in the meantime.
  return { do: "run", argv: ["ip", ...words], forgive: "Cannot find device|No such (process|device)" };
}

function deviceOf(route: string): string {
  return / dev (\S+)/.exec(route)?.[1] ?? "";
}

async function routesTo(host: HostReader, pods: string): Promise<string[]> {
  const found: string[] = [];
  for (const range of eachOf(pods)) {
    const family = familyOf(range) === "ipv4" ? "-4" : "-6";
    const { code, stdout } = await host.query(["ip", family, "route", "show", "table", "main"]);
    const lines = code === 0 ? stdout.split("\n").map((line) => line.trim()) : [];
    const isToPods = (line: string): boolean => {
      const [first = "", next = ""] = line.split(" ");
      return isWithin(network(/^[\da-f]*[.:]/.test(first) ? first : next), network(range));
    };
    found.push(...lines.filter(isToPods));
  }
  return found;
}
