/** kube-scheduler: from 1.16 on it has a configuration file. */
import { httpGet } from "../check.ts";
import type { Component } from "../component.ts";
import { configuration } from "../configuration.ts";
import { config, isAtLeast, pem } from "../context.ts";
import { controller } from "../controller.ts";
import { hardened } from "../profile.ts";
import { always, between, type FieldRow, type FlagRow, since, until } from "../rows.ts";

const kubeconfig = config("kube-scheduler.kubeconfig");

const flags: readonly FlagRow[] = [
  until("1.11", "master", "http://127.0.0.1:8080"),
  until("1.16", "address", "127.0.0.1"),
  between("1.11", "1.16", "kubeconfig", kubeconfig),
  since("1.16", "config", config("kube-scheduler.yaml")),
  since("1.16", "authentication-kubeconfig", kubeconfig),
  since("1.16", "authorization-kubeconfig", kubeconfig),
  between("1.16", "1.24", "port", "0"),
  since("1.16", "secure-port", "10259"),
  since("1.16", "bind-address", "127.0.0.1"),
  until("1.16", "leader-elect", "true"),
  since("1.16", "tls-cert-file", pem("pki", "kube-scheduler")),
  since("1.16", "tls-private-key-file", pem("pki", "kube-scheduler-key")),
  since("1.16", "client-ca-file", pem("pki", "ca")),
  since("1.16", "requestheader-client-ca-file", pem("pki", "front-proxy-ca")),
  since("1.16", "requestheader-allowed-names", "front-proxy-client"),
  // Its file decides; the flag is what an auditor's tools look for.
  always("profiling", hardened("false")),
  always("v", "2"),
];

/** Plain HTTP, which its health check does not ask: on loopback rather than, as by default, on every address. */
const plain = "127.0.0.1:10251";

const fields: readonly FieldRow[] = [
  always("kind", "KubeSchedulerConfiguration"),
  until("1.19", "apiVersion", "kubescheduler.config.k8s.io/v1alpha1"),
  between("1.19", "1.22", "apiVersion", "kubescheduler.config.k8s.io/v1beta1"),
  between("1.22", "1.25", "apiVersion", "kubescheduler.config.k8s.io/v1beta2"),
  since("1.25", "apiVersion", "kubescheduler.config.k8s.io/v1"),
  always("clientConnection", (c) => ({ kubeconfig: kubeconfig(c) })),
  always("leaderElection", { leaderElect: true }),
  always("enableProfiling", hardened(false)),
  until("1.23", "healthzBindAddress", plain),
  until("1.23", "metricsBindAddress", plain),
];

export const scheduler: Component = {
  ...controller("kube-scheduler", (c, health) =>
    // 1.11 serves health over plain HTTP on loopback only; of 1.6 it is a component's status.
    isAtLeast(c, "1.11") && !isAtLeast(c, "1.16") ? httpGet(10_251, "/healthz") : health("scheduler", 10_259),
  ),
  units: [{ name: "kube-scheduler.service", start: 41, flags }],
  files: [configuration("kube-scheduler", "kube-scheduler.yaml", fields)],
};
