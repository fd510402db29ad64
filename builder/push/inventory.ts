/** The hosts of a `hosts.yaml` as nodes of a bundle, with every default settled. */
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type BundleIndex, type NodeEntry, type Role, roles as allRoles } from "#bundle";
import { contains, usualSpelling } from "#formats/address";
import type { KeyPath } from "../config/positions.ts";
import { fail, parseYaml, readText } from "../config/yaml-file.ts";
import { type HostFields, type HostsFile, hostsSchema, type LoginFields } from "./hosts.ts";

export interface Login {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly agent: boolean;
  /** Path of a private key. */
  readonly identity: string | null;
  /** One object for all who share it, so that it is asked once. */
  readonly password: Password | null;
}

/** `file` null: asked on the terminal. */
export interface Password {
  readonly file: string | null;
  readonly whose: string;
}

export interface Host {
  /** What it is called in all output. */
  readonly label: string;
  readonly login: Login;
  readonly jump: Login | null;
  readonly sudo: boolean;
  /** Holds a folder for each bundle. */
  readonly folder: string;
  readonly root: string | null;
  /** The node of the index: its own, or the workers' profile. */
  readonly node: string;
  readonly ip: string;
  readonly roles: readonly Role[];
  /** Only where `./install` must be told. */
  readonly name: string | null;
}

export interface Inventory {
  readonly hosts: readonly Host[];
  readonly knownHosts: string;
  readonly keys: string | null;
}

const hint = "correct these places and run it again; docs/push.md shows a whole file";

/** CONFIG_UNREADABLE, CONFIG_SYNTAX, or CONFIG_INVALID with every problem at its line and column. */
export async function loadInventory(path: string, index: BundleIndex, home: string = homedir()): Promise<Inventory> {
  return readInventory(path, await readText(path, "docs/push.md shows one"), index, home);
}

/** {@link loadInventory} for text in hand. */
export function readInventory(path: string, text: string, index: BundleIndex, home: string): Inventory {
  const { value, yaml } = parseYaml(path, hostsSchema, text, { hint });
  const problems: { at: KeyPath; message: string }[] = [];
  const place = (given: string): string =>
    given.startsWith("~/") ? join(home, given.slice(2)) : resolve(dirname(path), given);
  const shared = passwordOf(value.defaults, "the users in defaults", place);
  const hosts = new Map<number, Host>();
  for (const [at, fields] of value.hosts.entries()) {
    const found = nodeOf(fields, index);
    if ("entry" in found) hosts.set(at, hostOf(fields, found, value, { place, shared }));
    else problems.push({ at: ["hosts", at, found.field], message: found.message });
  }
  for (const [at, message] of repeated(hosts)) problems.push({ at: ["hosts", at], message });
  if (problems.length > 0) {
    const placed = problems.map(({ at, message }) => ({ ...yaml.locate(at), message }));
    fail("CONFIG_INVALID", path, placed, hint);
  }
  return {
    hosts: [...hosts.values()],
    knownHosts: place(value.knownHosts),
    keys: value.keys === undefined ? null : place(value.keys),
  };
}

interface Found {
  readonly entry: NodeEntry;
  readonly ip: string;
  readonly roles: readonly Role[];
}

/** Which node of the bundle is meant, or what is wrong with that. */
function nodeOf(fields: HostFields, index: BundleIndex): Found | { field: string; message: string } {
  const { node, name } = fields;
  const ip = fields.ip === undefined ? undefined : usualSpelling(fields.ip);
  const wrong = (field: string, message: string) => ({ field, message });
  if ((node === undefined) === (ip === undefined)) return wrong("node", "wants either node or ip");
  const named = index.nodes.filter((one) => one.ip !== null);
  const own = named.find((one) => (node === undefined ? one.ip === ip : one.name === node));
  const profile = index.nodes.find((one) => one.subnet !== null && ip !== undefined && contains(one.subnet, ip));
  const entry = own ?? profile;
  const address = own?.ip ?? ip;
  if (entry === undefined || address === undefined) {
    const list = named.map((one) => `${one.name} (${one.ip})`);
    const subnets = index.nodes.flatMap(({ subnet }) => (subnet === null ? [] : [`any address in ${subnet} as ip`]));
    const what = node === undefined ? "ip" : "node";
    return wrong(what, `${node ?? ip} is no node of this bundle; it has ${[...list, ...subnets].join(", ")}`);
  }
  if (name !== undefined && own !== undefined && name !== own.name)
    return wrong("name", `the name of a node of cluster.yaml is settled in the bundle: ${own.name}`);
  const roles = allRoles.filter((one) => (fields.roles ?? entry.roles).includes(one));
  const other = roles.find((one) => !entry.roles.includes(one));
  if (other !== undefined)
    return wrong("roles", `${entry.name} is ${entry.roles.join(", ")} in this bundle, not ${other}`);
  return { entry, ip: address, roles };
}

interface Settling {
  readonly place: (given: string) => string;
  readonly shared: Password | null;
}

function hostOf(fields: HostFields, { entry, ip, roles }: Found, file: HostsFile, settling: Settling): Host {
  const { place, shared } = settling;
  const { defaults } = file;
  const own = { ...defaults, ...fields };
  const label = entry.ip === null ? (fields.name ?? ip) : entry.name;
  const password = fields.password === undefined ? shared : passwordOf(fields, label, place);
  const login = loginOf(own, fields.address ?? ip, password, place);
  const jump = own.jump === undefined || own.jump === "none" ? null : own.jump;
  const jumpPassword = jump === null ? null : passwordOf(jump, jump.address, place);
  return {
    label,
    login,
    jump: jump === null ? null : loginOf(jump, jump.address, jumpPassword, place),
    sudo: own.sudo ?? false,
    folder: own.folder ?? "/opt/kubeferry",
    root: fields.root ?? null,
    node: entry.name,
    ip,
    roles,
    name: entry.ip === null ? (fields.name ?? null) : null,
  };
}

function loginOf(fields: LoginFields, address: string, password: Password | null, place: Settling["place"]): Login {
  return {
    address,
    port: fields.port ?? 22,
    user: fields.user ?? "root",
    agent: fields.agent ?? true,
    identity: fields.identity === undefined ? null : place(fields.identity),
    password,
  };
}

function passwordOf({ password }: LoginFields, whose: string, place: Settling["place"]): Password | null {
  if (password === undefined) return null;
  return { file: password === "ask" ? null : place(password.file), whose };
}

/** Two entries that mean one node or one host. */
function repeated(hosts: ReadonlyMap<number, Host>): [at: number, message: string][] {
  const seen = new Map<string, string>();
  return [...hosts].flatMap(([at, host]): [number, string][] => {
    const { address, port } = host.login;
    const where = `${host.jump === null ? "" : `${host.jump.address}:${host.jump.port} `}${address}:${port}`;
    for (const [key, what] of [
      [host.ip, host.ip],
      [`${where} ${host.root ?? ""}`, where],
    ] as const) {
      const first = seen.get(key);
      if (first !== undefined) return [[at, `${what} is there already, as ${first}`]];
      seen.set(key, host.label);
    }
    return [];
  });
}
