/** containerd, with runc and crictl. */
import { bin, journal, warning } from "../check.ts";
import type { Component } from "../component.ts";
import { imageOf, kubernetes, runsContainerd, runsDocker } from "../context.ts";
import { registryPieces } from "../registries.ts";
import { containerdText, registryFolder } from "./configuration.ts";

export const containerd: Component = {
  name: "containerd",
  roles: ["worker"],
  when: runsContainerd,
  units: [
    {
      name: "containerd.service",
      start: 55,
      data: (c) => ({ notifies: c.topology.generation.containerdNotifies }),
    },
  ],
  files: [
    { name: "config.toml", path: () => "/etc/containerd/config.toml", text: containerdText },
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
      hint: journal("containerd"),
    },
    {
      name: "the sandbox image is there",
      at: 65,
      when: (c) => kubernetes(c) && !runsDocker(c) && imageOf(c, "pause") !== null,
      argv: (c) => [bin(c, "ctr"), "-n", "k8s.io", "images", "check", `name==${imageOf(c, "pause") ?? ""}`],
      matches: "complete",
      timeoutSeconds: 30,
      severity: warning,
      hint: "ctr -n k8s.io images ls",
    },
  ],
  // `io.containerd.runc.v2` is the shim's name in its configuration.
  companions: { containerd: [["containerd-shim-runc-v2"], ["runc"]] },
};
