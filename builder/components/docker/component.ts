/** Docker, with a containerd of its own or that of the node. */
import { bin, throughFlannel, withinQuorum } from "../check.ts";
import type { Component } from "../component.ts";
import { merged } from "../configuration.ts";
import { isAtLeast, type NodeContext, runsContainerd, runsDocker, runsFlanneld } from "../context.ts";
import { dockerRegistries, registryPieces } from "../registries.ts";

export const docker: Component = {
  name: "docker",
  roles: ["worker"],
  when: runsDocker,
  units: [{ name: "docker.service", start: 60, behind: "flanneld.service", data: unit }],
  files: [{ name: "daemon.json", path: () => "/etc/docker/daemon.json", text: settings }],
  pieces: registryPieces,
  // The mode that dockerd gives it itself.
  directories: ({ paths }) => [{ path: paths.docker, mode: "0710" }],
  checks: [
    {
      name: "docker answers",
      unit: "docker.service",
      argv: (c) => [bin(c, "docker"), "version"],
      matches: "Server:",
      timeoutSeconds: 60,
      severity: withinQuorum,
      awaits: throughFlannel,
    },
  ],
  companions: {
    // Up to 18.06 it has its own names, the last ones.
    dockerd: [
      ["containerd", "docker-containerd"],
      ["containerd-shim-runc-v2", "containerd-shim", "docker-containerd-shim"],
      ["runc", "docker-runc"],
      ["docker-proxy"],
      ["docker-init"],
    ],
  },
};

function unit(context: NodeContext): Record<string, unknown> {
  const requires = [
    ...(runsContainerd(context) ? ["containerd.service"] : []),
    ...(runsFlanneld(context) ? ["flanneld.service"] : []),
  ];
  const words = [
    ...(runsContainerd(context) ? ["--containerd=/run/containerd/containerd.sock"] : []),
    // A shell-like name that systemd fills from flannel's file at each start.
    ...(runsFlanneld(context) ? ["$DOCKER_NETWORK_OPTIONS"] : []),
  ];
  return {
    requires,
    after: ["network-online.target", "firewalld.service", ...requires],
    flannel: runsFlanneld(context),
    words,
    // docker denies all other forwarding; what comes from other nodes' pods goes to its bridge.
    forwarded: runsFlanneld(context) ? ["-i docker0", "-o docker0"] : [],
  };
}

function settings(context: NodeContext): string {
  const { topology, paths } = context;
  const docker = (version: string): boolean => isAtLeast(context, version, "docker");
  const ours = {
    [docker("17.05") ? "data-root" : "graph"]: paths.docker,
    // Otherwise these write a key of their own into /etc/docker; it belongs to docker's data.
    ...(docker("18.09") && !docker("23.0") ? { "deprecated-key-path": `${paths.docker}/key.json` } : {}),
    "exec-opts": [`native.cgroupdriver=${topology.generation.cgroupDriver}`],
    "storage-driver": "overlay2",
    "live-restore": true,
    "max-concurrent-downloads": 10,
    "log-driver": "json-file",
    "log-opts": { "max-size": "100m", "max-file": "5" },
    ...dockerRegistries(context),
  };
  return JSON.stringify(merged(ours, topology.cluster.docker), null, 2);
}
