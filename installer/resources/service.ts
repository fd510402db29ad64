/** A service of the host's own that must not run beside ours: stopped and masked until undo. */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { isActive, isMask, mask, reload, start, unitFolder, unitFolders, unitName } from "../host/systemd.ts";
import { isSame, type Resource } from "./resource.ts";

export interface ServiceId {
  /** `firewalld.service`; with no suffix a service is meant. */
  readonly name: string;
  /** Whether a package of the bundle brings it, and would start it: masked before. */
  readonly comes?: true;
}

interface Link {
  readonly path: string;
  readonly target: string;
}

export interface ServiceState {
  /** Whether the host has such a unit at all. */
  readonly present: boolean;
  /** Null with `--root`. */
  readonly active: boolean | null;
  readonly masked: boolean;
  /** An administrator's own file stands where a mask is put: then the links that enable it go instead. Null: none does. */
  readonly links: readonly Link[] | null;
}

export const service: Resource<ServiceId, ServiceState> = {
  name: ({ name }) => `unit ${unitName(name)}`,
  describe: ({ name }) => `service ${name} stopped and masked`,
  async inspect(host, { name }) {
    const unit = unitName(name);
    const path = `${unitFolder}/${unit}`;
    const masked = await isMask(host, path);
    let present = false;
    for (const place of unitFolders) present ||= (await host.stat(`${place}/${unit}`)) !== null;
    return {
      present: present && !masked,
      active: host.live ? await isActive(host, unit) : null,
      masked,
      links: masked || (await host.stat(path)) === null ? null : await linksTo(host, unit),
    };
  },
  spec({ comes }, now) {
    if (!now.present && now.active !== true && comes !== true) return now;
    const active = now.active === null ? null : false;
    return { ...now, active, masked: now.links === null, links: now.links && [] };
  },
  equal: (a, b) => a.active === b.active && a.masked === b.masked && isSame(a.links ?? [], b.links ?? []),
  steps({ name }, from, to) {
    const unit = unitName(name);
    const path = `${unitFolder}/${unit}`;
    const lacks = (links: ServiceState["links"], one: Link): boolean =>
      !(links ?? []).some((link) => isSame(link, one));
    const enabling: Effect[] = [
      ...(from.masked && !to.masked ? [{ do: "remove" as const, path }] : []),
      ...(to.masked && !from.masked ? [mask(path)] : []),
      ...(from.links ?? [])
        .filter((one) => lacks(to.links, one))
        .map((one): Effect => ({ do: "remove", path: one.path })),
      ...(to.links ?? []).filter((one) => lacks(from.links, one)).map((one): Effect => ({ do: "symlink", ...one })),
    ];
    const ends: Effect[] = from.active === true && to.active === false ? [{ do: "systemctl", verb: "stop", unit }] : [];
    const starts = to.active === true && from.active !== true ? [start("start", unit)] : [];
    const rereads = to.active !== null && enabling.length + starts.length > 0;
    return [...ends, ...enabling, ...(rereads ? [reload] : []), ...starts];
  },
  retires: () => null,
};

async function linksTo(host: HostReader, unit: string): Promise<Link[]> {
  const links: Link[] = [];
  for (const wants of (await host.list(unitFolder)).filter((entry) => /\.(wants|requires)$/.test(entry))) {
    const path = `${unitFolder}/${wants}/${unit}`;
    const link = await host.stat(path);
    if (link?.type === "symlink") links.push({ path, target: link.target });
  }
  return links;
}
