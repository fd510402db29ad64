/** Hosts of a test as network namespaces on one bridge, which is in a namespace of its own: nothing leaves them. */
import { execFileSync } from "node:child_process";
import { requirePackages } from "../programs/packages.ts";

export interface Hosts {
  /** The command that runs `argv` on a host. */
  on(name: string, argv: readonly string[]): string[];
  remove(): void;
}

/** Makes a namespace for each `name → address/prefix`, or several. Names of namespaces begin with `prefix`. */
export function makeHosts(prefix: string, addresses: Readonly<Record<string, string | readonly string[]>>): Hosts {
  requirePackages("iproute2");
  const made: string[] = [];
  const ip = (...words: string[]): unknown => execFileSync("ip", words, { stdio: ["ignore", "pipe", "pipe"] });
  const add = (name: string): string => {
    const full = `${prefix}-${name}`;
    ip("netns", "add", full);
    made.push(full);
    ip("-n", full, "link", "set", "lo", "up");
    return full;
  };
  const remove = (): void => {
    for (const name of made.splice(0)) ip("netns", "del", name);
  };
  try {
    const hub = add("hub");
    ip("-n", hub, "link", "add", "br0", "type", "bridge");
    ip("-n", hub, "link", "set", "br0", "up");
    for (const [index, [name, given]] of Object.entries(addresses).entries()) {
      const full = add(name);
      ip("-n", full, "link", "add", "eth0", "type", "veth", "peer", "name", `p${index}`, "netns", hub);
      ip("-n", hub, "link", "set", `p${index}`, "master", "br0", "up");
      for (const address of [given].flat())
        ip("-n", full, "addr", "add", address, "dev", "eth0", ...(address.includes(":") ? ["nodad"] : []));
      ip("-n", full, "link", "set", "eth0", "up");
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { on: (name, argv) => ["ip", "netns", "exec", `${prefix}-${name}`, ...argv], remove };
}
