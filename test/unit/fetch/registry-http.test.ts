import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { after, test } from "node:test";
import { isExpected } from "#kit/errors";
import { RegistryHttp } from "../../../builder/fetch/registry-http.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A server on loopback; its log has path and Authorization of every request. */
async function serve(
  answer: (request: IncomingMessage, base: string) => Answer,
): Promise<{ base: string; log: string[] }> {
  const log: string[] = [];
  const server = createServer((request, response) => {
    log.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    const { status = 200, headers = {}, body = "" } = answer(request, `http://${request.headers.host}`);
    response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  return { base: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`, log };
}

const credentials = () => ({ username: "me", password: "s3cret" });
const basic = `Basic ${Buffer.from("me:s3cret").toString("base64")}`;

test("a Bearer challenge is answered with a token for the repository, once for all requests", async () => {
  const { base, log } = await serve((request, own) => {
    if (request.url?.startsWith("/token") === true) return { body: '{"access_token":"t0ken"}' };
    if (request.headers.authorization === "Bearer t0ken") return { body: "bytes" };
    return { status: 401, headers: { "www-authenticate": `Bearer realm="${own}/token",service="reg"` } };
  });
  const http = new RegistryHttp("example.org", "team/app", { credentials });
  assert.equal(await (await http.get(`${base}/v2/a`, {})).body.text(), "bytes");
  assert.equal(await (await http.get(`${base}/v2/b`, {})).body.text(), "bytes");
  assert.deepEqual(log, [
    "/v2/a -",
    `/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull ${basic}`,
    "/v2/a Bearer t0ken",
    "/v2/b Bearer t0ken",
  ]);
});

test("a Basic challenge is answered with the credentials of the registry, and refused ones are not tried again", async () => {
  const good = await serve(({ headers }) =>
    headers.authorization === basic ? {} : { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
  );
  await (await new RegistryHttp("x", "a", { credentials }).get(`${good.base}/v2/a`, {})).body.dump();
  assert.equal(good.log.length, 2);
  const bad = await serve(() => ({ status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }));
  await assert.rejects(new RegistryHttp("x", "a", { credentials }).get(`${bad.base}/v2/a`, {}), (error) => {
    assert.ok(isExpected(error, "UNAUTHORIZED"));
    assert.doesNotMatch(`${error.message}${error.hint}${error.where}`, /s3cret/);
    return true;
  });
  assert.equal(bad.log.length, 2);
});

test("a redirect to another host gets no credentials", async () => {
  const storage = await serve(() => ({ body: "blob" }));
  const registry = await serve(({ headers }) =>
    headers.authorization === basic
      ? { status: 307, headers: { location: `${storage.base}/signed?x=1` } }
      : { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
  );
  const http = new RegistryHttp("x", "a", { credentials });
  assert.equal(await (await http.get(`${registry.base}/v2/a/blobs/b`, {})).body.text(), "blob");
  assert.deepEqual(storage.log, ["/signed?x=1 -"]);
});

test("what may pass is tried again, and what cannot pass is not", async () => {
  let count = 0;
  const flaky = await serve(() =>
    (count += 1) < 3 ? { status: 503, headers: { "retry-after": "0" } } : { body: "ok" },
  );
  const options = { attempts: 3, backoffMs: 1 };
  assert.equal(await (await new RegistryHttp("x", "a", options).get(`${flaky.base}/v2/a`, {})).body.text(), "ok");
  const gone = await serve(() => ({ status: 404 }));
  await assert.rejects(new RegistryHttp("x", "a", options).get(`${gone.base}/v2/a`, {}), (error) =>
    isExpected(error, "NOT_FOUND"),
  );
  assert.equal(gone.log.length, 1);
});
