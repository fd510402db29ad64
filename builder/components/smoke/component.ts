/** The objects of `./install smoke`, which tries the cluster; nothing else brings them about. */
import { isDualStack } from "../../config/topology.ts";
import type { Component } from "../component.ts";
import { addon, imageOf, isAtLeast, kubernetes, neededImage, type NodeContext } from "../context.ts";
import { isHardened } from "../profile.ts";

export const smoke: Component = {
  name: "smoke",
  roles: ["master"],
  when: kubernetes,
  objects: [
    {
      name: "smoke.yaml",
      via: "file",
      when: (c) => addon("coredns")(c) || addon("kube-dns")(c) || imageOf(c, "smoke") !== null,
      data: settings,
    },
  ],
};

/** An image called `smoke` answers at /health by itself; without one, the image of the cluster's DNS is made to. */
function settings(context: NodeContext): Record<string, unknown> {
  const api = isAtLeast(context, "1.9") ? "apps/v1" : "extensions/v1beta1";
  const shared = {
    api,
    restricted: isHardened(context),
    seccomp: isAtLeast(context, "1.19"),
    dualStack: isDualStack(context.topology),
  };
  const own = imageOf(context, "smoke");
  if (own !== null) return { ...shared, image: own, args: [], path: "/health" };
  if (addon("coredns")(context)) {
    const args = ["-conf", "/etc/smoke/Corefile"];
    return { ...shared, image: neededImage(context, "coredns"), args, path: "/health" };
  }
  const image = neededImage(context, "k8s-dns-sidecar");
  return { ...shared, image, args: ["--prometheus-port=8080"], path: "/metrics" };
}
