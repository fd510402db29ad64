/** A snapshot of etcd's data, taken by the installed etcdctl before the installed etcd is replaced. */
import type { Effect } from "../host/effect.ts";
import type { Kind } from "./operation.ts";
import { isActive } from "./unit.ts";

export interface SnapshotSpec {
  /** The unit whose data it is. One that does not run has nobody to ask. */
  readonly unit: string;
  /** The file to write; the folder is private and ours. */
  readonly path: string;
  /** `etcdctl` with endpoint and certificates, without the command. */
  readonly client: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface SnapshotBefore {
  readonly taken: boolean;
  readonly active: boolean;
}

export const snapshot: Kind<SnapshotSpec, SnapshotBefore> = {
  resource: ({ path }) => path,
  describe: ({ unit, path }) => `snapshot of ${unit} in ${path}`,
  async inspect(host, { unit, path }) {
    return { taken: (await host.stat(path)) !== null, active: await isActive(host, unit) };
  },
  forward({ path, client, environment }, { taken, active }) {
    if (taken || !active) return [];
    const argv = [...client, "snapshot", "save", path];
    return [folder(path), { do: "run", argv, environment, timeoutSeconds: 1800 }];
  },
  // It changed nothing, and what it holds may be all that is left of the older data: it goes with our whole folder.
  backward: () => [],
};

function folder(path: string): Effect {
  return { do: "mkdir", path: path.slice(0, path.lastIndexOf("/")), mode: 0o700, owner: { uid: 0, gid: 0 } };
}
