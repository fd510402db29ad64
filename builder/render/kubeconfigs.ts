/** The kubeconfigs of a node: the CA and the client's certificate or token embedded, mode 0600. */
import { apiServerUrl } from "../config/topology.ts";
import type { KubeconfigRow } from "../components/component.ts";
import { config, type NodeContext } from "../components/context.ts";
import { leafOf, tokenOf } from "../components/credentials.ts";
import { isRotated, trustedFile, trustedPem } from "../components/trust.ts";
import type { Piece } from "../components/component.ts";
import type { Templates } from "./template.ts";
import { type Found, rowsOf } from "./walk.ts";

const found = (context: NodeContext): Found<KubeconfigRow>[] => rowsOf(context, ({ kubeconfigs }) => kubeconfigs);

/** Absolute paths of the kubeconfigs that embed a certificate on a node. */
export function embeddingPaths(context: NodeContext, certificate: string): string[] {
  return found(context)
    .filter(({ row }) => row.certificate === certificate)
    .map(({ row }) => pathOf(context, row));
}

/** Every kubeconfig of a node; none without masters. */
export function kubeconfigPieces(context: NodeContext, templates: Templates): Piece[] {
  return found(context).flatMap(({ row, roles }) => {
    const server = apiServerUrl(context.topology, row.consumer, context.node);
    if (server === null) return [];
    const authority = base64(trustedPem(context, "kubernetes"));
    const shared = { server, authority, user: row.user, context: row.context ?? "default" };
    const template = `manifests/kubeconfigs/${row.certificate === null ? "token" : "certificate"}.kubeconfig.ejs`;
    const credentials = row.certificate === null ? bootstrap(context) : pairOf(context, row.certificate);
    return [
      {
        path: pathOf(context, row),
        mode: "0600",
        content: templates.render(template, { ...shared, ...credentials }),
        sensitive: true,
        roles,
        origin: { from: "template", template },
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

function pathOf(context: NodeContext, { file }: KubeconfigRow): string {
  return file.startsWith("/") ? file : config(file)(context);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
