/** The kubeconfigs of a node: the CA and the client's certificate or token embedded, mode 0600. */
import type { Role } from "#bundle";
import { apiServerUrl, type ApiConsumer } from "../config/topology.ts";
import { leafOf, tokenOf } from "../pki/authority.ts";
import { has, isAtLeast, type NodeContext } from "./context.ts";
import type { Piece } from "./pieces.ts";
import type { Templates } from "./template.ts";
import { isRotated, trustedFile, trustedPem } from "./trust.ts";

interface Kubeconfig {
  /** Below /etc/kubernetes, unless absolute. */
  readonly file: string;
  /** Name of the certificate; null: the node's bootstrap token. */
  readonly certificate: string | null;
  readonly user: string;
  readonly context: string;
  readonly consumer: ApiConsumer;
  readonly role: Role;
  readonly when?: (context: NodeContext) => boolean;
}

const daemons = (context: NodeContext): boolean => context.topology.generation.daemons;
const secureControllers = (context: NodeContext): boolean => isAtLeast(context, "1.11");
const admin = {
  certificate: "admin",
  user: "admin",
  context: "kubernetes",
  consumer: "admin",
  role: "master",
} as const;

const table: readonly Kubeconfig[] = [
  { file: "admin.kubeconfig", ...admin },
  // Where kubectl looks by itself.
  { file: "/root/.kube/config", ...admin },
  ...(["kube-controller-manager", "kube-scheduler"] as const).map((name): Kubeconfig => ({
    file: `${name}.kubeconfig`,
    certificate: name,
    user: `system:${name}`,
    context: `system:${name}`,
    consumer: "master",
    role: "master",
    when: secureControllers,
  })),
  {
    file: "kubelet-bootstrap.kubeconfig",
    certificate: null,
    user: "kubelet-bootstrap",
    context: "default",
    consumer: "worker",
    role: "worker",
    when: daemons,
  },
  {
    file: "kube-proxy.kubeconfig",
    certificate: "kube-proxy",
    user: "kube-proxy",
    context: "default",
    consumer: "worker",
    role: "worker",
    when: daemons,
  },
];

/** Absolute paths of the kubeconfigs that embed a certificate on a node. */
export function embeddingPaths(context: NodeContext, certificate: string): string[] {
  return table
    .filter((entry) => entry.certificate === certificate && (entry.when?.(context) ?? true))
    .map((entry) => pathOf(context, entry));
}

/** Every kubeconfig of a node; none without masters. */
export function kubeconfigPieces(context: NodeContext, templates: Templates): Piece[] {
  return table
    .filter((entry) => has(context, entry.role) && (entry.when?.(context) ?? true))
    .flatMap((entry) => {
      const server = apiServerUrl(context.topology, entry.consumer, context.node);
      if (server === null) return [];
      const authority = base64(trustedPem(context, "kubernetes"));
      const shared = { server, authority, user: entry.user, context: entry.context };
      const template = `kubeconfigs/${entry.certificate === null ? "token" : "certificate"}.kubeconfig.ejs`;
      const credentials = entry.certificate === null ? bootstrap(context) : pairOf(context, entry.certificate);
      return [
        {
          path: pathOf(context, entry),
          mode: "0600",
          content: templates.render(template, { ...shared, ...credentials }),
          sensitive: true,
          roles: [entry.role],
          origin: { from: "template", template: `manifests/${template}` },
        },
      ];
    });
}

/** The kubelet's own kubeconfig takes over how this one names the CA: by its file, where that is another one in time. */
function bootstrap(context: NodeContext): { token: string; trust: string } {
  const { id, secret } = tokenOf(context.pki, context.node.name);
  const data = `certificate-authority-data: ${base64(trustedPem(context, "kubernetes"))}`;
  const file = `certificate-authority: ${trustedFile(context)}`;
  return { token: `${id}.${secret}`, trust: isRotated(context) ? file : data };
}

function pairOf(context: NodeContext, certificate: string): { certificate: string; key: string } {
  const leaf = leafOf(context.pki, context.node.name, certificate);
  return { certificate: base64(leaf.certificate), key: base64(leaf.key) };
}

function pathOf(context: NodeContext, entry: Kubeconfig): string {
  return entry.file.startsWith("/") ? entry.file : `${context.paths.config}/${entry.file}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
