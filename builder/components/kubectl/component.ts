/** kubectl as root calls it on a master. */
import { administrator } from "../admin/component.ts";
import type { Component } from "../component.ts";
import { kubernetes } from "../context.ts";

const home = "/root/.kube";

export const kubectl: Component = {
  name: "kubectl",
  roles: ["master"],
  // Where it looks by itself.
  kubeconfigs: [{ file: `${home}/config`, ...administrator }],
  directories: () => [{ path: home, mode: "0700" }],
  // The second is that of versions until 1.18.
  written: (c) => (kubernetes(c) ? ["cache", "http-cache"] : []).map((name) => ({ path: `${home}/${name}` })),
};
