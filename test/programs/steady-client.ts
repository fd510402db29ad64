/**
 * A client that never rests, as a program of its own: `steady-client.ts KUBECONFIG SERVER…`. It reads its kubeconfig anew for
 * each request, writes a ConfigMap and a Secret by one API server and reads the Secret by the next. One that does not run, or
 * has no etcd for the moment, or is not ready, is left for the other ones: one that has just started refuses whom it knows only by
 * RBAC. What fails at TLS, or with 401, or with 403 of one that is ready, is a failure at once.
 * Says `{ done, failures }` when its standard input ends.
 */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { readKubeconfig } from "../../installer/certificates/kubeconfig.ts";

const [kubeconfig = "", ...servers] = process.argv.slice(2);
const failures: string[] = [];
const name = `steady-${process.pid}`;
let done = 0;
let turn = 0;
const ended = new AbortController();
process.stdin.on("end", () => ended.abort()).resume();

interface Answer {
  readonly status: number;
  readonly text: string;
}

function ask(server: string, method: string, path: string, body: unknown): Promise<Answer> {
  const { authority, certificate, key } = readKubeconfig(readFileSync(kubeconfig, "utf8"));
  const tls = { ca: authority ?? "", cert: certificate ?? "", key: key ?? "" };
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request(`${server}${path}`, { ...tls, method, headers, agent: false, timeout: 10_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text })).on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    sent.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const away = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"];

/** By one server after the other, until one answers; the failure's own words otherwise. */
async function insist(method: string, path: string, body?: unknown): Promise<Answer> {
  let last = "";
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const server = servers[(turn += 1) % servers.length] ?? "";
    try {
      const ready = await ask(server, "GET", "/readyz", undefined);
      // That it may ask this is by RBAC as well: a server that answers it has read its rules.
      const isReady = ready.status === 200 || ready.status === 401;
      const answer = isReady ? await ask(server, method, path, body) : { status: 503, text: "not ready" };
      if (answer.status < 500 && answer.status !== 429) return answer;
      last = `${server}: ${answer.status} ${answer.text}`;
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      if (!away.includes(code)) throw new Error(`${server}: ${code} ${message}`, { cause: error });
      last = `${server}: ${code}`;
    }
    await sleep(200);
  }
  throw new Error(`nobody answers: ${last}`);
}

async function write(kind: string, content: object): Promise<void> {
  const path = `/api/v1/namespaces/default/${kind.toLowerCase()}s`;
  const object = { apiVersion: "v1", kind, metadata: { name }, ...content };
  const put = await insist("PUT", `${path}/${name}`, object);
  const { status, text } = put.status === 404 ? await insist("POST", path, object) : put;
  // Whose answer was lost with its server has made it.
  if (![200, 201, 409].includes(status)) throw new Error(`${kind}: ${status} ${text}`);
}

while (!ended.signal.aborted) {
  const word = String(done);
  try {
    await write("ConfigMap", { data: { word } });
    await write("Secret", { stringData: { word } });
    const { status, text } = await insist("GET", `/api/v1/namespaces/default/secrets/${name}`);
    const read = (JSON.parse(text) as { data?: { word?: string } }).data?.word ?? "";
    if (status !== 200 || Buffer.from(read, "base64").toString() !== word) {
      throw new Error(`the Secret of ${word} reads ${status} ${text}`);
    }
  } catch (error) {
    failures.push((error as Error).message.slice(0, 300));
  }
  done += 1;
  await sleep(200);
}
process.stdout.write(JSON.stringify({ done, failures }));
