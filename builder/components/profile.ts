/** `profile: cis`: what is given only to clusters that ask for it. Each component's own tables say what that is. */
import type { Cluster, NodeContext } from "./context.ts";

export function isHardened({ topology }: Cluster): boolean {
  return topology.cluster.profile === "cis";
}

/** A row's value with the profile; without it the row is not given, and an earlier one of its name holds. */
export function hardened<Value>(
  value: Value | ((context: NodeContext) => Value | null),
): (context: NodeContext) => Value | null {
  return (context) => {
    if (!isHardened(context)) return null;
    return typeof value === "function" ? (value as (context: NodeContext) => Value | null)(context) : value;
  };
}

/** Suites with forward secrecy and authenticated encryption; those of TLS 1.3 are not chosen by a server in Go. */
export const strongCiphers: readonly string[] = [
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
];
