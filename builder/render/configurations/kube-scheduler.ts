/** kube-scheduler's configuration file, from 1.16 on. */
import { always, between, since, until } from "../rows.ts";
import { hardened } from "../profile.ts";
import type { FieldRow } from "./configuration.ts";

/** Plain HTTP, which its health check does not ask: on loopback rather than, as by default, on every address. */
const plain = "127.0.0.1:10251";

export const schedulerFields: readonly FieldRow[] = [
  always("kind", "KubeSchedulerConfiguration"),
  until("1.19", "apiVersion", "kubescheduler.config.k8s.io/v1alpha1"),
  between("1.19", "1.22", "apiVersion", "kubescheduler.config.k8s.io/v1beta1"),
  between("1.22", "1.25", "apiVersion", "kubescheduler.config.k8s.io/v1beta2"),
  since("1.25", "apiVersion", "kubescheduler.config.k8s.io/v1"),
  always("clientConnection", (c) => ({ kubeconfig: `${c.paths.config}/kube-scheduler.kubeconfig` })),
  always("leaderElection", { leaderElect: true }),
  always("enableProfiling", hardened(false)),
  until("1.23", "healthzBindAddress", plain),
  until("1.23", "metricsBindAddress", plain),
];
