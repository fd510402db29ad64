/** The dashboard. That of 1.6 knows no login. */
import { available } from "../check.ts";
import type { Component } from "../component.ts";
import { addon, isAtLeast, neededImage } from "../context.ts";

export const dashboard: Component = {
  name: "dashboard",
  roles: ["worker"],
  when: addon("dashboard"),
  objects: [
    {
      name: "dashboard.yaml",
      template: "dashboard-1.6.yaml",
      until: "1.11",
      data: (c) => ({ image: neededImage(c, "kubernetes-dashboard") }),
    },
    {
      name: "dashboard.yaml",
      since: "1.11",
      data: (c) => ({
        image: neededImage(c, "kubernetes-dashboard", "dashboard"),
        version2: isAtLeast(c, "2.0", "dashboard"),
      }),
    },
  ],
  checks: [available("deployment", "kubernetes-dashboard")],
};
