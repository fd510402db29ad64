/** What every node has, whatever its roles: how long its certificates hold, the PATH of logins, and limits. */
import type { Component, FileRow } from "../component.ts";
import type { NodeContext } from "../context.ts";

/** Limits that cluster.yaml names: `[name, value]`, by the names that PAM and systemd share. */
const limits = ({ topology }: NodeContext): [string, unknown][] => Object.entries(topology.cluster.host.limits);

const limitsFile = (name: string, folder: string): FileRow => ({
  name,
  path: () => `${folder}/99-kubeferry.conf`,
  everyone: true,
  when: (c) => limits(c).length > 0,
  data: (c) => ({ limits: limits(c) }),
});

export const host: Component = {
  name: "host",
  roles: ["etcd", "master", "worker"],
  // The copy of the installer on the node says it.
  units: [
    { name: "kubeferry-expiry.service", start: null },
    { name: "kubeferry-expiry.timer", start: 90 },
  ],
  files: [
    {
      name: "profile.sh",
      path: () => "/etc/profile.d/kubeferry.sh",
      everyone: true,
      when: (c) => c.topology.cluster.host.path,
    },
    limitsFile("login-limits.conf", "/etc/security/limits.d"),
    limitsFile("service-limits.conf", "/etc/systemd/system.conf.d"),
  ],
};
