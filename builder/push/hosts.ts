/** `hosts.yaml`: which hosts take a bundle, how each is reached, and as whom. Its rules against the bundle are in inventory.ts. */
import * as z from "zod";
import { role } from "../config/cluster.ts";
import { ipAddress, nodeName } from "../config/names.ts";

const file = z.string().min(1, "wants a file's path");
const absolute = z.string().regex(/^(\/(?!\.{1,2}(\/|$))[^\s/]+)+$/, "wants an absolute path, without . and .. in it");
const address = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.:_-]{0,251}[A-Za-z0-9])?$/, "wants a name or an address, without a port");

const login = {
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.@-]{0,63}\$?$/, "wants a user's name")
    .optional(),
  port: z.int().min(1).max(65_535).optional(),
  /** The agent of SSH_AUTH_SOCK is asked where there is one. */
  agent: z.boolean().optional(),
  /** Private key; its passphrase is asked on the terminal. */
  identity: file.optional(),
  /** Of the user, for the login and for sudo. */
  password: z
    .union([z.literal("ask"), z.strictObject({ file })], { error: "wants ask, or { file: PATH } of mode 0600" })
    .optional(),
};
export type LoginFields = z.infer<z.ZodObject<typeof login>>;

const reach = {
  ...login,
  /** Become root by sudo. */
  sudo: z.boolean().optional(),
  jump: z
    .union([z.strictObject({ address, ...login }), z.literal("none")], { error: "wants { address: … }, or none" })
    .optional(),
  /** On the host: below it each bundle has a folder. */
  folder: absolute.optional(),
};

const host = z.strictObject({
  /** A node of cluster.yaml, by its name … */
  node: nodeName.optional(),
  /** … or by its address; any of the workers' subnet. */
  ip: ipAddress.optional(),
  /** Of a worker that is not in cluster.yaml. */
  name: nodeName.optional(),
  /** Default: all that the node has in the bundle. */
  roles: z.array(role).min(1).optional(),
  /** Where ssh reaches it, if that is not the node's own address. */
  address: address.optional(),
  /** A mounted tree on it instead of the host itself: `./install --root`. */
  root: absolute.optional(),
  ...reach,
});

export const hostsSchema = z.strictObject({
  knownHosts: file.default("~/.ssh/known_hosts"),
  /** The nodes' keys: the folder that `build` wrote, or a file with a line a node. */
  keys: file.optional(),
  /** For every host that does not say otherwise. */
  defaults: z.strictObject(reach).prefault({}),
  hosts: z.array(host).min(1),
});

export type HostsFile = z.infer<typeof hostsSchema>;
export type HostFields = HostsFile["hosts"][number];
