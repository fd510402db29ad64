/** A kubeconfig of a new client certificate, signed by a CA whose key is on this host: no API server need run. */
import { createPublicKey } from "node:crypto";
import { algorithmOf, generateKey, makeCertificate, privatePem } from "#x509";
import { kubeconfigText } from "./kubeconfig.ts";
import { openAuthority, type Pair } from "./reissue.ts";

export interface ClientSpec {
  readonly user: string;
  readonly groups: readonly string[];
  readonly server: string;
  readonly authority: Pair;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Both as text; the kubeconfig holds the key. PKI_INVALID where the CA's key is not its own. */
export async function clientKubeconfig(spec: ClientSpec): Promise<{ kubeconfig: string; certificate: string }> {
  const { user, groups, server, authority, notBefore, notAfter } = spec;
  const { ca, signer } = openAuthority(authority);
  const key = await generateKey(algorithmOf(ca.publicKey) ?? "RSA-2048");
  const subject = { commonName: user, organization: groups };
  const request = { subject, publicKey: createPublicKey(key), notBefore, notAfter, issuer: authority };
  const certificate = makeCertificate({ ...request, usages: ["client"], sans: [] }, signer);
  const content = { server, authority: authority.certificate, certificate, key: privatePem(key) };
  return { certificate, kubeconfig: kubeconfigText(user, content) };
}
