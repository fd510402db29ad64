/** heapster, the source of metrics for the dashboard of old releases. */
import { available } from "../check.ts";
import type { Component } from "../component.ts";
import { addon, neededImage, rbacVersion } from "../context.ts";

export const heapster: Component = {
  name: "heapster",
  roles: ["worker"],
  when: addon("heapster"),
  objects: [{ name: "heapster.yaml", data: (c) => ({ image: neededImage(c, "heapster"), rbac: rbacVersion(c) }) }],
  checks: [available("deployment", "heapster")],
};
