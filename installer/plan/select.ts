/** Which node of the bundle this host is to become. */
import { isIP } from "node:net";
import { type BundleIndex, type NodeEntry, type Platform, type Role, roles as allRoles, type Token } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { contains, usualSpelling } from "#formats/address";
import type { Facts } from "../host/facts.ts";

/** As given on the command line. */
export interface NodeRequest {
  /** `etcd,master`; `control-plane` is accepted for `master`. */
  readonly role: string | undefined;
  readonly ip: string | undefined;
  readonly name: string | undefined;
  readonly iface: string | undefined;
}

export interface Selection {
  /** The node's entry in the bundle; a worker with no entry of its own has the shared profile. */
  readonly profile: NodeEntry;
  readonly roles: readonly Role[];
  readonly platform: Platform;
  readonly name: string;
  readonly ip: string;
  readonly iface: string | null;
}

/** Every wrong wish is an error that names what could be wished: USAGE, ROLE_UNKNOWN, NODE_UNKNOWN, PLATFORM_MISMATCH. */
export function select(index: BundleIndex, request: NodeRequest, facts: Facts): Selection {
  const roles = parseRoles(request.role);
  const given = request.ip;
  if (given === undefined || isIP(given) === 0 || given.includes("%")) {
    const message = given === undefined ? "which node? --ip is missing" : `${given} is no address of a node`;
    throw new ExpectedError("USAGE", message, {
      expected: nodeList(index, roles),
      hint: `./install --role ${roles.join(",")} --ip ADDRESS`,
    });
  }
  const ip = usualSpelling(given);
  const profile = findNode(index, roles, ip);
  const name = nameOf(profile, request, facts, ip);
  const iface = request.iface ?? profile.iface ?? facts.interfaces.find(({ address }) => address === ip)?.name ?? null;
  if (iface !== null && !/^[A-Za-z0-9._-]{1,15}$/.test(iface))
    throw new ExpectedError("USAGE", `${iface} is no interface's name`, {
      where: "--iface",
      hint: "ip -brief address",
    });
  return { profile, roles, platform: platformFor(index, facts), name, ip, iface };
}

/** What the tokens of #bundle stand for on this node. */
export function tokenValues({ ip, name, iface }: Pick<Selection, "ip" | "name" | "iface">): Map<Token, string> {
  const values = new Map<Token, string>([
    ["@NODE_IP@", ip],
    ["@NODE_NAME@", name],
  ]);
  if (iface !== null) values.set("@NODE_IFACE@", iface);
  return values;
}

export function parseRoles(text: string | undefined): Role[] {
  if (text === undefined) {
    throw new ExpectedError("USAGE", "what is this host to be? --role is missing", {
      expected: allRoles.join(", "),
      hint: "./install --role worker --ip ADDRESS",
    });
  }
  const words = text.split(",").map((word) => word.trim().replace(/^control-plane$/, "master"));
  const unknown = words.find((word) => !(allRoles as readonly string[]).includes(word));
  if (unknown !== undefined) {
    throw new ExpectedError("ROLE_UNKNOWN", `there is no role ${JSON.stringify(unknown)}`, {
      where: `--role ${text}`,
      expected: allRoles.join(", "),
      hint: "./install --role worker --ip ADDRESS",
    });
  }
  return allRoles.filter((role) => words.includes(role));
}

function findNode(index: BundleIndex, roles: readonly Role[], ip: string): NodeEntry {
  const own = index.nodes.find((node) => node.ip === ip);
  if (own !== undefined && roles.every((role) => own.roles.includes(role))) return own;
  const profile = index.nodes.find((node) => node.ip === null && node.subnet !== null && contains(node.subnet, ip));
  const isWorker = roles.every((role) => role === "worker");
  if (own === undefined && isWorker && profile !== undefined) return profile;
  const message =
    own === undefined
      ? `${ip} is no ${roles.join(" and ")} of this cluster`
      : `${own.name} (${ip}) is ${own.roles.join(", ")} in this cluster, not ${roles.join(" and ")}`;
  throw new ExpectedError("NODE_UNKNOWN", message, {
    expected: nodeList(index, roles),
    found: ip,
    hint: "./install --role ROLES --ip one of the above; or add the node to cluster.yaml and build again",
  });
}

function nodeList(index: BundleIndex, roles: readonly Role[]): string {
  const fitting = index.nodes.filter((node) => roles.every((role) => node.roles.includes(role)));
  const names = fitting.map(({ name, ip, subnet }) => (ip === null ? `any address in ${subnet}` : `${ip} (${name})`));
  return names.length === 0 ? `no node is ${roles.join(" and ")}` : names.join(", ");
}

function nameOf(profile: NodeEntry, request: NodeRequest, facts: Facts, ip: string): string {
  if (profile.ip !== null) {
    if (request.name === undefined || request.name === profile.name) return profile.name;
    throw new ExpectedError("USAGE", "the name of a node that is in cluster.yaml is settled in the bundle", {
      expected: profile.name,
      found: request.name,
      hint: `leave --name out`,
    });
  }
  const pattern = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
  const found = facts.hostname.toLowerCase();
  const name =
    request.name ??
    (pattern.test(found) && !found.startsWith("localhost") ? found : `worker-${ip.replaceAll(/[.:]+/g, "-")}`);
  if (pattern.test(name)) return name;
  throw new ExpectedError("USAGE", `${name} is no node's name`, {
    where: "--name",
    expected: "lower-case letters, digits, - and .",
    hint: "give it another --name, or leave it out",
  });
}

function platformFor(index: BundleIndex, facts: Facts): Platform {
  if (facts.platform !== null && index.platforms.includes(facts.platform)) return facts.platform;
  const [only, ...more] = index.platforms;
  // A mounted tree may be of another machine than the one that prepares it.
  if (!facts.live && only !== undefined && more.length === 0) return only;
  throw new ExpectedError("PLATFORM_MISMATCH", "the bundle has no programs for this machine", {
    expected: index.platforms.join(", "),
    found: facts.platform ?? "an unknown platform",
    hint: "add it to platforms: in cluster.yaml and build again",
  });
}
