/**
 * A client that writes every so often, as a program of its own: `writing-client.ts KUBECONFIG NAMESPACE PREFIX MILLISECONDS`. Each write is
 * a ConfigMap of its own, by a new connection to the server of the kubeconfig, which is read anew, and is tried once. Says a
 * line of JSON for each, `{ name, refused }`: `refused` is null where the API server acknowledged it, else why not. Ends
 * after the write in hand when its standard input ends.
 */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { readKubeconfig } from "../../installer/certificates/kubeconfig.ts";

const [kubeconfig = "", namespace = "", prefix = "", milliseconds] = process.argv.slice(2);
const ended = new AbortController();
process.stdin.on("end", () => ended.abort()).resume();

/** Null, or the words of whoever refused it. */
function write(name: string): Promise<string | null> {
  const { server, authority, certificate, key } = readKubeconfig(readFileSync(kubeconfig, "utf8"));
  const tls = { ca: authority ?? "", cert: certificate ?? "", key: key ?? "" };
  const headers = { "content-type": "application/json" };
  const url = `${server}/api/v1/namespaces/${namespace}/configmaps`;
  return new Promise((resolve) => {
    const sent = request(url, { ...tls, method: "POST", headers, agent: false, timeout: 60_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("error", ({ message }) => resolve(message));
      response.on("end", () => resolve(response.statusCode === 201 ? null : `${response.statusCode} ${text}`));
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer for a minute")));
    sent.on("error", ({ message }) => resolve(message));
    sent.end(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } }));
  });
}

for (let number = 1; !ended.signal.aborted; number += 1) {
  const name = `${prefix}-${number}`;
  const pause = sleep(Number(milliseconds));
  process.stdout.write(`${JSON.stringify({ name, refused: await write(name) })}\n`);
  await pause;
}
