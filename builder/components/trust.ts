/** CAs as nodes have them: while one is being rotated a file of several, the one that signs first. */
import type { NodeContext } from "./context.ts";
import { type AuthorityName, authorityOf } from "./credentials.ts";

/** PEM of every generation of a CA that nodes trust (while one is being rotated: several); the one that signs is the first. */
export function trustedPem({ pki }: NodeContext, name: AuthorityName): string {
  return authorityOf(pki, name)
    .trusted.map(({ certificate }) => certificate)
    .join("");
}

/** Where the controller-manager finds the CA that it signs with: it takes no file of several certificates. */
export function signingPath({ pki, paths }: NodeContext): string {
  const { trusted } = authorityOf(pki, "kubernetes");
  return `${paths.pki}/${trusted.length > 1 ? "ca-signing" : "ca"}.pem`;
}

/** Whether the cluster's CA is, or was, another one than its first. */
export function isRotated({ pki }: NodeContext): boolean {
  return pki.keys?.["kubernetes-ca"] !== undefined;
}

/** Where a node finds the CA of the API's server and clients. */
export function trustedFile({ paths }: NodeContext): string {
  return `${paths.pki}/ca.pem`;
}
