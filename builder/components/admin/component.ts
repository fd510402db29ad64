/** The administrator of the cluster: a certificate and a kubeconfig on each master, Kubernetes or not. */
import type { Topology } from "../../config/topology.ts";
import type { Component } from "../component.ts";
import { kubernetes, rbacVersion } from "../context.ts";

/** Whom a kubeconfig with the administrator's certificate names. */
export const administrator = {
  certificate: "admin",
  user: "admin",
  context: "kubernetes",
  consumer: "admin",
} as const;

/** Bound to cluster-admin by an object, which can be taken away: unlike system:masters. People have another (./install admin). */
const groupOf = ({ cluster }: Topology): string => cluster.certificates.administrators;

export const admin: Component = {
  name: "admin",
  roles: ["master"],
  certificates: [{ name: "admin", authority: "kubernetes", folder: null, organization: groupOf, usages: ["client"] }],
  kubeconfigs: [{ file: "admin.kubeconfig", ...administrator }],
  objects: [
    {
      name: "administrators.yaml",
      via: "grant",
      when: kubernetes,
      data: (c) => ({ rbac: rbacVersion(c), group: groupOf(c.topology) }),
    },
  ],
  directories: ({ paths }) => [{ path: paths.pki, mode: "0755" }],
};
