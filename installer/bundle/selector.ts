/** For whom an entry of the index is: roles, nodes, platforms. */
import * as z from "zod";

export const roles = ["etcd", "master", "worker"] as const;
export type Role = (typeof roles)[number];

export const platforms = ["linux/amd64", "linux/arm64"] as const;
export type Platform = (typeof platforms)[number];

/** The file of a platform's installer: below bin/ in a bundle, and as `npm run build` leaves it. */
export function installerName(platform: Platform): string {
  return `install-${platform.replace("/", "-")}`;
}

export const role = z.enum(roles);
export const platform = z.enum(platforms);

/** For whom: on a node that takes one of `roles`, if it is one of `nodes` (absent: any) on one of `platforms` (absent: any). */
export const selector = z.strictObject({
  roles: z.array(role),
  nodes: z.array(z.string()).optional(),
  platforms: z.array(platform).optional(),
});

export type Selector = z.infer<typeof selector>;

/** Whether an entry is for a node that takes `chosen` roles. */
export function selects(entry: Selector, nodeName: string, chosen: readonly Role[], on: Platform): boolean {
  return (
    entry.roles.some((name) => chosen.includes(name)) &&
    (entry.nodes === undefined || entry.nodes.includes(nodeName)) &&
    (entry.platforms === undefined || entry.platforms.includes(on))
  );
}
