/** The kubelet's own way to the API: its kubeconfig, and the certificate that it was issued, beside it in a file. */
import { dirname, join } from "node:path";
import type { HostReader } from "../host/host.ts";
import { type Kubeconfig, readKubeconfig } from "./kubeconfig.ts";

/** What a kubeconfig says, with what it names read from the host; null where there is none. */
export async function kubeconfigOf(host: HostReader, path: string): Promise<Kubeconfig | null> {
  const text = await host.read(path);
  if (text === null) return null;
  const inline = readKubeconfig(text);
  const named = async (key: string): Promise<string | null> => {
    const file = new RegExp(`^\\s*${key}:\\s*"?(\\S+?)"?\\s*$`, "m").exec(text)?.[1];
    return file === undefined ? null : await host.read(file.startsWith("/") ? file : join(dirname(path), file));
  };
  return {
    server: inline.server,
    authority: inline.authority ?? (await named("certificate-authority")),
    certificate: inline.certificate ?? (await named("client-certificate")),
    key: inline.key ?? (await named("client-key")),
  };
}
