/** The administrator of the cluster: a certificate and a kubeconfig on each master, Kubernetes or not. */
import type { Component } from "../component.ts";

/** Whom a kubeconfig with the administrator's certificate names. */
export const administrator = {
  certificate: "admin",
  user: "admin",
  context: "kubernetes",
  consumer: "admin",
} as const;

export const admin: Component = {
  name: "admin",
  roles: ["master"],
  certificates: [
    { name: "admin", authority: "kubernetes", folder: null, organization: "system:masters", usages: ["client"] },
  ],
  kubeconfigs: [{ file: "admin.kubeconfig", ...administrator }],
  directories: ({ paths }) => [{ path: paths.pki, mode: "0755" }],
};
