/** Asks the cluster's API server for its version, with what a node's kubeconfig has. Looks only, and only at the own cluster. */
import { request } from "node:https";
import { readKubeconfig } from "../certificates/kubeconfig.ts";

const patience = 5000;

/** `v1.36.3`; null where it does not answer within 5 seconds, or not as an API server does. */
export function apiVersion(kubeconfig: string): Promise<string | null> {
  const { server, authority, certificate, key } = readKubeconfig(kubeconfig);
  if (server === null || authority === null) return Promise.resolve(null);
  return new Promise((resolve) => {
    const credentials = certificate === null || key === null ? {} : { cert: certificate, key };
    const asked = request(
      `${server}/version`,
      { ca: authority, allowPartialTrustChain: true, ...credentials, timeout: patience, agent: false },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => (text = (text + part).slice(0, 10_000)));
        answer.on("end", () => resolve(versionIn(text)));
        answer.on("error", () => resolve(null));
      },
    );
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(null));
    // Comes last, whatever else came or did not.
    asked.on("close", () => resolve(null));
    asked.end();
  });
}

function versionIn(text: string): string | null {
  try {
    const found = (JSON.parse(text) as { gitVersion?: unknown } | null)?.gitVersion;
    return typeof found === "string" ? found : null;
  } catch {
    return null;
  }
}
