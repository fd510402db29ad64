/** containerd, with runc and crictl. Its configuration has format 2 until 1.7, and 3 from 2.0 on, which calls the plugins otherwise. */
import { stringify } from "smol-toml";
import { bin, warning } from "../check.ts";
import type { Component } from "../component.ts";
import { merged } from "../configuration.ts";
import { imageOf, kubernetes, neededImage, type NodeContext, runsContainerd, runsDocker } from "../context.ts";
import { registryFolder, registryPieces } from "../registries.ts";
import { always, type FieldRow, given, since, until } from "../rows.ts";

const opt = (c: NodeContext): object => ({ "io.containerd.internal.v1.opt": { path: `${c.paths.containerd}/opt` } });

/** Without daemons there are no pods, and so perhaps no image for their sandbox. */
const sandbox = (c: NodeContext): string | null => (kubernetes(c) ? neededImage(c, "pause") : imageOf(c, "pause"));

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

export const containerd: Component = {
  name: "containerd",
  roles: ["worker"],
  when: runsContainerd,
  units: [
    { name: "containerd.service", start: 55, data: (c) => ({ notifies: c.topology.generation.containerdNotifies }) },
  ],
  files: [
    { name: "config.toml", path: () => "/etc/containerd/config.toml", text },
    { name: "crictl.yaml", path: () => "/etc/crictl.yaml", when: (c) => c.binaries.has("crictl") },
  ],
  pieces: (c) => (runsDocker(c) ? [] : registryPieces(c)),
  directories: ({ paths }) => [
    // The mode that containerd gives it itself.
    { path: paths.containerd, mode: "0700" },
    // Empty at first: an operator puts the addresses of registries inside the gap here.
    { path: registryFolder, mode: "0755" },
    // containerd makes this one when it starts; ours from the beginning, it is also removed by undo.
    { path: paths.cniConfig, mode: "0755" },
  ],
  checks: [
    {
      name: "containerd answers",
      unit: "containerd.service",
      argv: (c) => [bin(c, "ctr"), "--address", "/run/containerd/containerd.sock", "version"],
      matches: "Server:",
      timeoutSeconds: 60,
    },
    {
      name: "the sandbox image is there",
      at: 65,
      when: (c) => kubernetes(c) && !runsDocker(c) && imageOf(c, "pause") !== null,
      argv: (c) => [bin(c, "ctr"), "-n", "k8s.io", "images", "check", `name==${imageOf(c, "pause") ?? ""}`],
      matches: "complete",
      severity: warning,
      hint: "ctr -n k8s.io images ls",
    },
  ],
  // `io.containerd.runc.v2` is the shim's name in its configuration.
  companions: { containerd: [["containerd-shim-runc-v2"], ["runc"]] },
};

/** The file's text, in TOML: our fields, and over them `containerd:` of cluster.yaml. */
function text(context: NodeContext): string {
  const ours = Object.fromEntries(given(fields, context, "containerd"));
  return stringify(merged(ours, context.topology.cluster.containerd));
}
