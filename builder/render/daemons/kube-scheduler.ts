/** Flags of kube-scheduler. */
import type { NodeContext } from "../context.ts";
import type { FlagRow } from "../flags.ts";
import { hardened } from "../profile.ts";
import { always, between, since, until } from "../rows.ts";

const pem = (name: string) => (context: NodeContext) => `${context.paths.pki}/${name}.pem`;
const kubeconfig = (context: NodeContext): string => `${context.paths.config}/kube-scheduler.kubeconfig`;

export const schedulerFlags: readonly FlagRow[] = [
  until("1.11", "master", "http://127.0.0.1:8080"),
  until("1.16", "address", "127.0.0.1"),
  between("1.11", "1.16", "kubeconfig", kubeconfig),
  since("1.16", "config", (c) => `${c.paths.config}/kube-scheduler.yaml`),
  since("1.16", "authentication-kubeconfig", kubeconfig),
  since("1.16", "authorization-kubeconfig", kubeconfig),
  between("1.16", "1.24", "port", "0"),
  since("1.16", "secure-port", "10259"),
  since("1.16", "bind-address", "127.0.0.1"),
  until("1.16", "leader-elect", "true"),
  since("1.16", "tls-cert-file", pem("kube-scheduler")),
  since("1.16", "tls-private-key-file", pem("kube-scheduler-key")),
  since("1.16", "client-ca-file", pem("ca")),
  since("1.16", "requestheader-client-ca-file", pem("front-proxy-ca")),
  since("1.16", "requestheader-allowed-names", "front-proxy-client"),
  // Its file decides; the flag is what an auditor's tools look for.
  always("profiling", hardened("false")),
  always("v", "2"),
];
