/** Rules of the directories in which daemons keep their data. */
import type { ClusterConfig } from "./cluster.ts";
import type { KeyPath } from "./positions.ts";
import { error, type Rule } from "./rule.ts";

/** Two daemons in one directory destroy each other's data. */
const separateDirectories: Rule = (cluster) => {
  const all = directoriesOf(cluster);
  return all.flatMap((later, index) =>
    all
      .slice(0, index)
      .filter(({ directory }) => nested(directory, later.directory))
      .map((earlier) =>
        error(later.path, `${later.directory} and ${earlier.path.join(".")} ${earlier.directory} are one in the other`),
      ),
  );
};

/** Where the host itself lives, or Kubeferry: a daemon's data would be written over it, or vanish with a boot. */
const systemDirectories = [
  ..."/bin /boot /dev /etc /lib /lib32 /lib64 /proc /run /sbin /sys /tmp /usr /var/run /var/tmp".split(" "),
  ..."/opt/cni /var/lib/kubeferry /var/lib/kube-proxy /var/log/kubernetes".split(" "),
];
/** A directory of its own below these is fine, they themselves are not. */
const sharedDirectories = "/home /mnt /media /opt /root /srv /var /var/cache /var/lib /var/log".split(" ");

const ownDirectories: Rule = (cluster) =>
  directoriesOf(cluster).flatMap(({ path, directory }) => {
    if (sharedDirectories.includes(directory)) {
      return [error(path, `${directory} holds more than this; take a directory of its own in it`)];
    }
    const system = systemDirectories.find((one) => nested(directory, one));
    return system === undefined ? [] : [error(path, `${system} is the host's own, no place for a daemon's data`)];
  });

export const directoryRules: readonly Rule[] = [separateDirectories, ownDirectories];

function directoriesOf({ etcd, directories }: ClusterConfig): { path: KeyPath; directory: string }[] {
  return [
    { path: ["etcd", "dataDir"], directory: etcd.dataDir },
    ...(etcd.walDir === undefined ? [] : [{ path: ["etcd", "walDir"], directory: etcd.walDir }]),
    ...Object.entries(directories).map(([key, directory]) => ({ path: ["directories", key], directory })),
  ];
}

/** Whether two folders are one, or one lies in the other. */
export function nested(a: string, b: string): boolean {
  return a === b || `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}
