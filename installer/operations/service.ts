/** A service of the host's own that must not run beside ours: stopped and masked until undo. */
import type { Effect } from "../host/effect.ts";
import type { Kind } from "./operation.ts";
import { isActive } from "./unit.ts";

export interface ServiceSpec {
  /** `firewalld.service`; with no suffix a service is meant. */
  readonly name: string;
  readonly live: boolean;
}

export interface ServiceBefore {
  /** Whether the host has such a unit at all. */
  readonly present: boolean;
  readonly active: boolean;
  /** What stands where a mask is put; `file`: an administrator's own unit, which is stopped but cannot be masked. */
  readonly place: "free" | "masked" | "file";
  /** Links that enable a unit which cannot be masked: path → target. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

const folder = "/etc/systemd/system";
const systemFolders = [folder, "/usr/lib/systemd/system", "/lib/systemd/system"];
export const unitName = (name: string): string => (/\.[a-z]+$/.test(name) ? name : `${name}.service`);

export const service: Kind<ServiceSpec, ServiceBefore> = {
  resource: ({ name }) => `unit ${unitName(name)}`,
  describe: ({ name }) => `service ${name} stopped and masked`,
  async inspect(host, { name, live }) {
    const unit = unitName(name);
    const path = `${folder}/${unit}`;
    const stat = await host.stat(path);
    const masked = stat?.type === "symlink" && stat.target === "/dev/null";
    let present = false;
    for (const place of systemFolders) present ||= (await host.stat(`${place}/${unit}`)) !== null;
    const links: { path: string; target: string }[] = [];
    if (stat !== null && !masked) {
      for (const wants of (await host.list(folder)).filter((entry) => /\.(wants|requires)$/.test(entry))) {
        const link = await host.stat(`${folder}/${wants}/${unit}`);
        if (link?.type === "symlink") links.push({ path: `${folder}/${wants}/${unit}`, target: link.target });
      }
    }
    const place = stat === null ? "free" : masked ? "masked" : "file";
    return { present: present && !masked, active: live && (await isActive(host, unit)), place, links };
  },
  forward({ name, live }, before) {
    if (!before.present && !before.active) return [];
    // Code 5: it is stopped and masked already.
    const stop: Effect[] = before.active
      ? [{ do: "run", argv: ["systemctl", "stop", unitName(name)], accept: [0, 5] }]
      : [];
    const disable: Effect[] =
      before.place === "free"
        ? [{ do: "symlink", path: `${folder}/${unitName(name)}`, target: "/dev/null" }]
        : before.links.map(({ path }): Effect => ({ do: "remove", path }));
    return [...stop, ...disable, ...(live && disable.length > 0 ? [reload] : [])];
  },
  backward({ name, live }, before) {
    const enable: Effect[] =
      before.place === "free"
        ? [{ do: "remove", path: `${folder}/${unitName(name)}` }]
        : before.links.map(({ path, target }): Effect => ({ do: "symlink", path, target }));
    return [...enable, ...(live && enable.length > 0 ? [reload] : [])];
  },
  settle({ name }, before) {
    return before.active ? [{ do: "run", argv: ["systemctl", "start", unitName(name)] }] : [];
  },
};

const reload: Effect = { do: "run", argv: ["systemctl", "daemon-reload"] };
