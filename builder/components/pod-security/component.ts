/** What may run as a pod, with `profile: cis`. */
import type { Component } from "../component.ts";
import { flannelNamespace, plugin } from "../context.ts";
import { isHardened } from "../profile.ts";
import { admissionText, hasPodSecurity } from "./admission.ts";

export const podSecurity: Component = {
  name: "pod-security",
  roles: ["master"],
  when: isHardened,
  files: [{ name: "admission.yaml", text: admissionText }],
  objects: [
    {
      // After the network's, whose namespace it speaks of; until then no pod is admitted.
      name: "pod-security-policy.yaml",
      when: (c) => !hasPodSecurity(c),
      data: (c) => ({
        namespaces: [...new Set(["kube-system", ...(plugin("flannel")(c) ? [flannelNamespace(c)] : [])])],
      }),
    },
  ],
};
