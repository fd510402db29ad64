/** Preflight of the network: addresses, routes, names, ports, firewalls. */
import { error, type Finding, ok, warning } from "#cli/finding";
import type { HostReader } from "../../host/host.ts";
import { inFamily, nftablesOf } from "../../resources/nftables.ts";
import { chosen } from "../../plan/input.ts";
import { openings } from "../../plan/openings.ts";
import { contains, eachOf, familyOf } from "#formats/address";
import { isActive } from "../../host/systemd.ts";
import { ipv6Doubts } from "./ipv6.ts";
import { ownUnits, type PreflightInput } from "./input.ts";
import { holderOf, type Listener, listeners, tunnelOn } from "./sockets.ts";

/** Interfaces that the network of the cluster makes on a node. */
const clusterInterfaces =
  /^(cni0|docker0|flannel(-v6)?\.1|flannel-wg|kube-ipvs0|tunl0|vxlan\.calico|wireguard\.cali|cali.*)$/;

export async function address(input: PreflightInput): Promise<Finding[]> {
  const { host, facts, selection } = input;
  if (!host.live) return [];
  const { ip, iface } = selection;
  const found = facts.interfaces
    .filter(({ name }) => name !== "lo")
    .map(({ name, address: own }) => `${own} (${name})`);
  const mine = facts.interfaces.find((one) => one.address === ip);
  const lacking = [ip, ...second(selection)].filter((one) => !facts.interfaces.some((own) => own.address === one));
  if (mine === undefined || lacking.length > 0) {
    const message = "this host does not have the node's address";
    const expected = lacking.join(", ");
    return [error("address", message, { expected, found: found.join(", ") || "none", hint: "ip address" })];
  }
  if (iface === null || mine.name === iface) {
    const doubts = await ipv6Doubts(input);
    return doubts.length > 0 ? doubts : [ok("address", `${[ip, ...second(selection)].join(", ")} on ${mine.name}`)];
  }
  const message = "the address is on another interface";
  return [error("address", message, { expected: iface, found: mine.name, hint: `--iface ${mine.name}` })];
}

/** In dual stack the node's IPv6 address. */
const second = ({ profile: { ip6 } }: PreflightInput["selection"]): string[] => (ip6 === undefined ? [] : [ip6]);

/** The cluster's own networks must be nobody else's. */
export function networks({ facts, selection, bundle, past, host }: PreflightInput): Finding[] {
  const { podCidr, serviceCidr } = bundle.index.cluster;
  const installed = past.some(({ state }) => state !== "gone");
  const addresses = [selection.ip, ...second(selection), ...(host.live ? foreign() : [])];
  function foreign(): string[] {
    return facts.interfaces
      .filter(({ name }) => !(installed && clusterInterfaces.test(name)))
      .map((one) => one.address);
  }
  const findings = [...new Set(addresses)].flatMap((ip): Finding[] => {
    const network = [podCidr, serviceCidr].flatMap(eachOf).find((cidr) => contains(cidr, ip));
    if (network === undefined) return [];
    const message = `${ip} is inside a network that belongs to the cluster`;
    const hint = "choose other networks in cluster.yaml: network.pods, network.services";
    return [error("networks", message, { found: network, hint })];
  });
  return findings.length > 0 ? findings : [ok("networks", `${podCidr} and ${serviceCidr} are free here`)];
}

/** Ports that the node's daemons will listen on; one that our own unit, pod or tunnel holds already is fine. */
export async function ports({ host, bundle, selection, past }: PreflightInput): Promise<Finding[]> {
  if (!host.live) return [];
  const required = chosen(bundle.index.host.firewall.ports, selection).filter(({ port }) => /^\d+$/.test(port));
  const own = ownUnits(past);
  const findings: Finding[] = [];
  for (const { port, protocol } of required) {
    const sockets = (await listeners(host, protocol)).filter((socket) => socket.port === Number(port));
    for (const { inode } of sockets) {
      const other = await otherHolder(host, { port: Number(port), inode }, own);
      if (other === null) continue;
      const message = `port ${port}/${protocol} is taken${other}`;
      const hint = `ss -lnp | grep ':${port} '`;
      findings.push(error("ports", message, { hint }));
      break;
    }
  }
  return findings.length > 0 ? findings : [ok("ports", `${required.length} are free or ours`)];
}

/** ` by nginx.service`, as far as it can be told; null where it is ours. */
async function otherHolder(host: HostReader, socket: Listener, own: ReadonlySet<string>): Promise<string | null> {
  const holder = await holderOf(host, socket.inode);
  if (holder !== null) {
    if (holder.pod && own.has("kubelet.service")) return null;
    if (holder.unit !== null && own.has(holder.unit)) return null;
    return holder.unit === null ? "" : ` by ${holder.unit}`;
  }
  const tunnel = await tunnelOn(host, socket.port);
  // What makes it is a unit of ours, or a pod.
  const network = own.has("kubelet.service") || own.has("flanneld.service");
  if (tunnel !== null && network && clusterInterfaces.test(tunnel)) return null;
  return ` by the kernel${tunnel === null ? "" : `, for the interface ${tunnel}`}`;
}

export async function firewall({ host, bundle, selection }: PreflightInput): Promise<Finding[]> {
  if (!host.live) return [];
  const { mode } = bundle.index.host.firewall;
  const wanted = openings(bundle.index, selection);
  const list = wanted.join(", ");
  const managed = (await isActive(host, "firewalld.service"))
    ? "firewalld"
    : (await isActive(host, "ufw.service"))
      ? "ufw"
      : null;
  if (managed !== null) {
    const unopened = managed === "ufw" ? wanted.filter((word) => word.startsWith("protocol ")) : [];
    if (mode === "open-ports" && unopened.length > 0) {
      const message = `ufw opens ports only, and the nodes need ${unopened.join(", ")} as well`;
      const rules = unopened.map((word) => `-A ufw-before-input -p ${word.replace("protocol ", "")} -j ACCEPT`);
      const hint = `in /etc/ufw/before.rules, before COMMIT: ${rules.join("; ")}`;
      return [warning("firewall", message, { hint })];
    }
    if (mode !== "keep") return [ok("firewall", `${managed} runs: ${mode}`)];
    const message = `${managed} runs and cluster.yaml keeps it; the nodes need ${list}`;
    return [warning("firewall", message, { hint: "firewall: open-ports in cluster.yaml" })];
  }
  const { chains, file } = await nftablesOf(host, { ports: wanted, ...inFamily(selection.ip) });
  const names = chains.map(({ name }) => name).join(", ");
  if (chains.length > 0 && mode === "keep") {
    const message = `nftables drops in ${names}, and cluster.yaml keeps it; the nodes need ${list}`;
    return [warning("firewall", message, { hint: "firewall: open-ports in cluster.yaml" })];
  }
  const passing = chains.filter(({ inFile }) => !inFile).map(({ name }) => name);
  if (mode === "open-ports" && file !== null && passing.length > 0) {
    const message = `${file.path} does not make ${passing.join(", ")}: the nodes' ports are open there until it is made anew`;
    return [warning("firewall", message, { hint: `cat ${file.path}` })];
  }
  if (chains.length > 0) return [ok("firewall", `nftables drops in ${names}: ${mode}`)];
  // Not by iptables itself, which loads modules to be able to answer.
  const [table, program] = familyOf(selection.ip) === "ipv6" ? ["ip6", "ip6tables"] : ["ip", "iptables"];
  const { code, stdout } = await host.query(["nft", "list", "chain", table, "filter", "INPUT"]);
  if (code !== 0 || !/policy drop/.test(stdout)) return [ok("firewall", "none that drops")];
  const message = `${program} drops, and its rules are the administrator's; the nodes need ${list}`;
  return [warning("firewall", message, { hint: `${program} -S INPUT` })];
}
