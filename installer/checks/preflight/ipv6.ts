/** What is doubtful about a node's IPv6 address. */
import { type Finding, warning } from "#cli/finding";
import { familyOf } from "#formats/address";
import type { HostReader } from "../../host/host.ts";
import type { PreflightInput } from "./input.ts";

export async function ipv6Doubts({ host, facts, selection }: PreflightInput): Promise<Finding[]> {
  const interfaceOf = (wanted: string | undefined) => facts.interfaces.find(({ address }) => address === wanted)?.name;
  const own = familyOf(selection.ip) === "ipv6" ? selection.ip : selection.profile.ip6;
  const [first = "", name] = [interfaceOf(selection.ip), interfaceOf(own)];
  if (name === undefined) return [];
  const findings: Finding[] = [];
  if (name !== first) {
    const message = "the node's IPv6 address is on another interface than its IPv4 address: flannel wants both on one";
    findings.push(warning("address", message, { expected: first, found: name, hint: "ip address" }));
  }
  if (selection.roles.includes("worker") && (await listensToRouters(host, name))) {
    const message = `${name} has its IPv6 routes from routers, and the kernel no longer listens to them when this node forwards`;
    const hint = `sysctls: { net.ipv6.conf.${name.replaceAll(".", "/")}.accept_ra: 2 } under host: in cluster.yaml, or static routes`;
    findings.push(warning("address", message, { hint }));
  }
  return findings;
}

/** Bit of a route that the kernel itself has from a router's advertisement. */
const fromRouter = 0x40000;

/** Whether it is the kernel that does, and would stop: it takes them with 2 while it forwards; networkd asks itself, with 0. */
async function listensToRouters(host: HostReader, name: string): Promise<boolean> {
  if ((await host.read(`/proc/sys/net/ipv6/conf/${name}/accept_ra`))?.trim() !== "1") return false;
  const routes = ((await host.read("/proc/net/ipv6_route")) ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  return routes.some(([to, , , , , , , , flags = "0", device]) => {
    return /^0{32}$/.test(to ?? "") && device === name && (Number.parseInt(flags, 16) & fromRouter) !== 0;
  });
}
