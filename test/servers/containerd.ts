/** The distribution's containerd, apart from any other on this machine, and what it is told of registries. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rendered } from "../../builder/render/node-file.ts";
import { contentOf, filesOf } from "../builders/placed-node.ts";
import { requirePackages } from "../programs/packages.ts";

export interface Containerd {
  readonly socket: string;
  /** Pulls an image for linux/amd64 with this folder of hosts.toml; what ctr says where that fails. */
  pull(hosts: string, name: string): { code: number | null; said: string };
  stop(): Promise<void>;
}

export async function startContainerd(folder: string): Promise<Containerd> {
  requirePackages("containerd", "runc");
  const at = (below: string): string => JSON.stringify(join(folder, below));
  const config = `version = 2
root = ${at("containerd")}
state = ${at("containerd-state")}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${at("containerd.sock")}
[plugins."io.containerd.internal.v1.opt"]
path = ${at("opt")}
`;
  const socket = join(folder, "containerd.sock");
  writeFileSync(join(folder, "containerd.toml"), config);
  const child = spawn("containerd", ["--config", join(folder, "containerd.toml")], { stdio: "ignore" });
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`containerd ended with ${child.exitCode}`);
    await sleep(50);
  }
  return {
    socket,
    pull(hosts, name) {
      const ctr = ["--address", socket, "--namespace", "test", "images"];
      spawnSync("ctr", [...ctr, "rm", "--sync", name]);
      const words = [...ctr, "pull", "--snapshotter", "native", "--platform", "linux/amd64", "--hosts-dir", hosts];
      const { status, stderr } = spawnSync("ctr", [...words, name], { encoding: "utf8" });
      return { code: status, said: status === 0 ? "" : stderr };
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** certs.d of a rendered node below `root`, with that in its own paths. */
export function placeHosts(rendered: Rendered, node: string, root: string): string {
  for (const file of filesOf(rendered, node).filter(({ path }) => path.startsWith("/etc/containerd/certs.d/"))) {
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    writeFileSync(join(root, file.path), contentOf(file).replaceAll("/etc/containerd", join(root, "etc/containerd")));
  }
  return join(root, "etc/containerd/certs.d");
}
