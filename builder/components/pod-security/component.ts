/** What may run as a pod, with `profile: cis`: plugins of the API server, their settings in its admission file, and a policy. */
import { stringify } from "yaml";
import type { Component } from "../component.ts";
import { flannelNamespace, isAtLeast, type NodeContext, plugin } from "../context.ts";
import { isHardened } from "../profile.ts";

/** From 1.23 on Pod Security admission judges pods; before, PodSecurityPolicy (pod-security-policy.yaml). */
const hasPodSecurity = (context: NodeContext): boolean => isAtLeast(context, "1.23");

/** Plugins beside NodeRestriction and those that are on by themselves. */
export function admissionPlugins(context: NodeContext): string[] {
  return [
    "EventRateLimit",
    ...(isAtLeast(context, "1.21") ? ["DenyServiceExternalIPs"] : []),
    ...(hasPodSecurity(context) ? [] : ["PodSecurityPolicy"]),
  ];
}

const eventRateLimit = {
  name: "EventRateLimit",
  configuration: {
    apiVersion: "eventratelimit.admission.k8s.io/v1alpha1",
    kind: "Configuration",
    // The values of Kubernetes' own documentation; by source and object, since one user (the scheduler) speaks for every pod.
    limits: [
      { type: "Namespace", qps: 50, burst: 100, cacheSize: 2000 },
      { type: "SourceAndObject", qps: 10, burst: 50, cacheSize: 4096 },
    ],
  },
};

const podSecurityPlugin = (context: NodeContext): object => ({
  name: "PodSecurity",
  configuration: {
    apiVersion: `pod-security.admission.config.k8s.io/${isAtLeast(context, "1.25") ? "v1" : "v1beta1"}`,
    kind: "PodSecurityConfiguration",
    // A namespace's own labels come before these.
    defaults: {
      enforce: "restricted",
      "enforce-version": "latest",
      audit: "restricted",
      "audit-version": "latest",
      warn: "restricted",
      "warn-version": "latest",
    },
    exemptions: { usernames: [], runtimeClasses: [], namespaces: ["kube-system"] },
  },
});

/** The file's text, in YAML. */
function admissionText(context: NodeContext): string {
  const group = isAtLeast(context, "1.17") ? "apiserver.config.k8s.io/v1" : "apiserver.k8s.io/v1alpha1";
  const plugins = [eventRateLimit, ...(hasPodSecurity(context) ? [podSecurityPlugin(context)] : [])];
  const text = stringify({ apiVersion: group, kind: "AdmissionConfiguration", plugins }, { lineWidth: 0 });
  return `# Settings of admission plugins, of \`profile: cis\`.\n${text}`;
}

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
