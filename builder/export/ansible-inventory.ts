/** Ansible's inventory: the nodes of a bundle, or the hosts of a hosts.yaml, each in the group of every role that it takes. */
import { statSync } from "node:fs";
import type { BundleIndex, Role } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { type Host, type Inventory, loadInventory, type Login } from "../push/inventory.ts";
import { shellQuote } from "../push/shell-quote.ts";

/** With an underscore, which no node's name has: a node called `etcd` is no group. */
const groups: readonly (readonly [group: string, role: Role])[] = [
  ["kubeferry_etcd", "etcd"],
  ["kubeferry_masters", "master"],
  ["kubeferry_workers", "worker"],
];

interface Entry {
  readonly label: string;
  readonly roles: readonly Role[];
  readonly variables: Readonly<Record<string, unknown>>;
}

/** `path` null: the nodes of the bundle. Fails as push does over a hosts.yaml; CONFIG_INVALID where Ansible cannot be told. */
export async function inventoryOf(
  path: string | null,
  index: BundleIndex,
): Promise<{ inventory: Record<string, unknown>; hosts: string[] }> {
  const given = path === null ? null : await loadInventory(path, index);
  const entries = given === null ? nodesOf(index) : given.hosts.map((host) => hostEntry(host, given));
  const keys = given?.keys ?? null;
  if (keys !== null && statSync(keys, { throwIfNoEntry: false })?.isFile() === true)
    throw refused(
      keys,
      "each host may get its own key only: keys wants the folder with a file a node, as build writes it",
    );
  const inventory = {
    all: {
      ...(keys === null ? {} : { vars: { kubeferry_keys: plain(keys) } }),
      hosts: Object.fromEntries(entries.map(({ label, variables }) => [label, variables])),
      children: Object.fromEntries(
        groups.map(([group, role]) => [
          group,
          {
            hosts: Object.fromEntries(
              entries.flatMap(({ label, roles }) => (roles.includes(role) ? [[label, {}]] : [])),
            ),
          },
        ]),
      ),
    },
  };
  return { inventory, hosts: entries.map(({ label }) => label) };
}

function nodesOf({ nodes }: BundleIndex): Entry[] {
  return nodes.flatMap(({ name, ip, roles }) =>
    ip === null
      ? []
      : [
          {
            label: name,
            roles,
            variables: { ansible_host: ip, kubeferry_node: name, kubeferry_ip: ip, kubeferry_roles: roles },
          },
        ],
  );
}

/** Passwords are not among it: --ask-pass and --ask-become-pass ask for them. */
function hostEntry(
  { label, login, jump, sudo, folder, root, node, ip, roles, name }: Host,
  { knownHosts }: Inventory,
): Entry {
  const known = ["-o", `UserKnownHostsFile=${plain(knownHosts)}`, "-o", "StrictHostKeyChecking=yes"];
  const proxy = jump === null ? [] : ["-o", `ProxyCommand=ssh ${[...known, ...wordsTo(jump)].join(" ")}`];
  const variables = {
    ansible_host: login.address,
    ansible_port: login.port,
    ansible_user: login.user,
    ...(login.identity === null ? {} : { ansible_ssh_private_key_file: plain(login.identity) }),
    ansible_ssh_common_args: sshWords([...known, ...proxy]),
    ...(sudo ? { ansible_become: true } : {}),
    kubeferry_node: node,
    kubeferry_ip: ip,
    kubeferry_roles: roles,
    ...(name === null ? {} : { kubeferry_name: name }),
    ...(root === null ? {} : { kubeferry_root: plain(root) }),
    kubeferry_folder: plain(folder),
  };
  return { label, roles, variables };
}

function wordsTo({ address, port, user, identity }: Login): string[] {
  return [
    "-W",
    "[%h]:%p",
    "-p",
    String(port),
    ...(identity === null ? [] : ["-i", plain(identity)]),
    "-l",
    user,
    address,
  ];
}

/** Ansible takes quotes around the whole text away: only the words that need them have some, and never the first. */
function sshWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@./+:,~=-]+$/.test(word) ? word : shellQuote([word]))).join(" ");
}

/** A path in which ssh's configuration, a shell and Ansible's templates see nothing but a path. */
function plain(path: string): string {
  if (/^[\w@./+:,~-]+$/.test(path)) return path;
  throw refused(path, "in an inventory a path may have letters, digits and _@./+:,~- only");
}

function refused(where: string, message: string): ExpectedError {
  return new ExpectedError("CONFIG_INVALID", message, { where, hint: "docs/ansible.md" });
}
