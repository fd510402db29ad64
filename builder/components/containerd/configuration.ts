/** containerd's configuration file: format 2 until 1.7, 3 from 2.0 on, which calls the plugins otherwise. */
import { stringify } from "smol-toml";
import { merged } from "../configuration.ts";
import { imageOf, neededImage, type NodeContext } from "../context.ts";
import { always, type FieldRow, given, since, until } from "../rows.ts";

/** Where containerd looks for `<registry>/hosts.toml`, at every pull. */
export const registryFolder = "/etc/containerd/certs.d";

const opt = (c: NodeContext): object => ({ "io.containerd.internal.v1.opt": { path: `${c.paths.containerd}/opt` } });

/** Without daemons there are no pods, and so perhaps no image for their sandbox. */
const sandbox = (c: NodeContext): string | null =>
  c.topology.generation.daemons ? neededImage(c, "pause") : imageOf(c, "pause");

const runc = (c: NodeContext): object => ({
  default_runtime_name: "runc",
  runtimes: {
    runc: {
      runtime_type: "io.containerd.runc.v2",
      options: {
        BinaryName: `${c.paths.binaries}/runc`,
        SystemdCgroup: c.topology.generation.cgroupDriver === "systemd",
      },
    },
  },
});

const pluginsOfFormat2 = (c: NodeContext): object => {
  const image = sandbox(c);
  return {
    ...opt(c),
    "io.containerd.grpc.v1.cri": {
      ...(image === null ? {} : { sandbox_image: image }),
      containerd: { snapshotter: "overlayfs", ...runc(c) },
      cni: { bin_dir: c.paths.cniBinaries, conf_dir: c.paths.cniConfig },
      registry: { config_path: registryFolder },
    },
  };
};

const pluginsOfFormat3 = (c: NodeContext): object => {
  const image = sandbox(c);
  return {
    ...opt(c),
    "io.containerd.cri.v1.images": {
      snapshotter: "overlayfs",
      ...(image === null ? {} : { pinned_images: { sandbox: image } }),
      registry: { config_path: registryFolder },
    },
    "io.containerd.cri.v1.runtime": {
      containerd: runc(c),
      cni: { bin_dirs: [c.paths.cniBinaries], conf_dir: c.paths.cniConfig },
    },
  };
};

const fields: readonly FieldRow[] = [
  until("2.0", "version", 2),
  since("2.0", "version", 3),
  always("root", (c) => c.paths.containerd),
  always("state", "/run/containerd"),
  always("grpc", { address: "/run/containerd/containerd.sock" }),
  until("2.0", "plugins", pluginsOfFormat2),
  since("2.0", "plugins", pluginsOfFormat3),
];

/** The file's text, in TOML: our fields, and over them `containerd:` of cluster.yaml. */
export function containerdText(context: NodeContext): string {
  const ours = Object.fromEntries(given(fields, context, "containerd"));
  return stringify(merged(ours, context.topology.cluster.containerd));
}
