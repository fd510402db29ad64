/** The few lines of a kubeconfig that concern certificates. Those that Kubeferry and the kubelet write are of this form. */

/** The administrator's: on masters alone. */
export const adminKubeconfig = "/etc/kubernetes/admin.kubeconfig";

export interface Kubeconfig {
  readonly server: string | null;
  /** PEM. */
  readonly authority: string | null;
  /** PEM. */
  readonly certificate: string | null;
  /** PEM. */
  readonly key: string | null;
}

export type WholeKubeconfig = { readonly [Field in keyof Kubeconfig]: string };

/** What a kubeconfig embeds; null for what it does not. */
export function readKubeconfig(text: string): Kubeconfig {
  return {
    server: /^\s*server:\s*"?(\S+?)"?\s*$/m.exec(text)?.[1] ?? null,
    authority: embedded(text, "certificate-authority-data"),
    certificate: embedded(text, "client-certificate-data"),
    key: embedded(text, "client-key-data"),
  };
}

/** The same text with another client certificate and key; both are PEM. */
export function withCredentials(text: string, certificate: string, key: string): string {
  return text
    .replace(/^(\s*client-certificate-data:\s*)\S+/m, (_, name: string) => name + base64(certificate))
    .replace(/^(\s*client-key-data:\s*)\S+/m, (_, name: string) => name + base64(key));
}

/** A kubeconfig of one user and one cluster. */
export function kubeconfigText(user: string, { server, authority, certificate, key }: WholeKubeconfig): string {
  return `apiVersion: v1
kind: Config
clusters:
  - name: kubernetes
    cluster:
      server: ${JSON.stringify(server)}
      certificate-authority-data: ${base64(authority)}
users:
  - name: ${JSON.stringify(user)}
    user:
      client-certificate-data: ${base64(certificate)}
      client-key-data: ${base64(key)}
contexts:
  - name: kubernetes
    context:
      cluster: kubernetes
      user: ${JSON.stringify(user)}
current-context: kubernetes
`;
}

function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}

function embedded(text: string, name: string): string | null {
  const value = new RegExp(`^\\s*${name}:\\s*"?([A-Za-z0-9+/=]+)"?\\s*$`, "m").exec(text)?.[1];
  return value === undefined ? null : Buffer.from(value, "base64").toString("utf8");
}
