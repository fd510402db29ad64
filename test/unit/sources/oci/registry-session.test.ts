import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { isExpected } from "#cli/errors";
import { HttpClient, type HttpResponse, type HttpSettings } from "../../../../builder/http/client.ts";
import { failureOf } from "../../../../builder/http/failure.ts";
import { readWhole } from "../../../../builder/http/read.ts";
import { createRegistrySource } from "../../../../builder/sources/oci/registry.ts";
import { Store } from "../../../../builder/store/store.ts";
import { RegistryHttp } from "../../../../builder/sources/oci/registry-session.ts";

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

const folder = mkdtempSync(join(tmpdir(), "kubeferry-registry-"));
after(() => rmSync(folder, { recursive: true }));
const store = await Store.open(folder);

async function textOf(response: HttpResponse): Promise<string> {
  return (await buffer(response.body)).toString();
}

const netrc = [{ machine: "registry.test", login: "me", password: "s3cret" }];
const basic = `Basic ${Buffer.from("me:s3cret").toString("base64")}`;
const clients: HttpClient[] = [];
after(() => Promise.all(clients.map((http) => http[Symbol.asyncDispose]())));

function client(settings: HttpSettings = { netrc }): HttpClient {
  const http = new HttpClient({ attempts: 3, backoffMs: 1, ...settings });
  clients.push(http);
  return http;
}

function registry(http = client()): RegistryHttp {
  return new RegistryHttp({ http, account: new URL("https://registry.test:5000"), repository: "team/app" });
}

test("a Bearer challenge is answered with a token for the repository, once for all requests", async () => {
  const { base, log } = await serve((request, own) => {
    if (request.url?.startsWith("/token") === true) return { body: '{"access_token":"t0ken"}' };
    if (request.headers.authorization === "Bearer t0ken") return { body: "bytes" };
    return { status: 401, headers: { "www-authenticate": `Bearer realm="${own}/token",service="reg"` } };
  });
  const http = registry();
  assert.equal(await textOf(await http.get(`${base}/v2/a`)), "bytes");
  assert.equal(await textOf(await http.get(`${base}/v2/b`)), "bytes");
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
  await (await registry().get(`${good.base}/v2/a`)).discard();
  assert.equal(good.log.length, 2);
  const bad = await serve(() => ({ status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }));
  await assert.rejects(registry().get(`${bad.base}/v2/a`), (error) => {
    assert.ok(isExpected(error, "UNAUTHORIZED"));
    assert.match(error.hint ?? "", /machine registry\.test login/);
    assert.doesNotMatch(`${error.message}${error.hint}${error.where}`, /s3cret/);
    return true;
  });
  assert.equal(bad.log.length, 2);
});

test("a redirect to another host gets no credentials", async () => {
  const storage = await serve(() => ({ body: "blob" }));
  const front = await serve(({ headers }) =>
    headers.authorization === basic
      ? { status: 307, headers: { location: `${storage.base}/signed?x=1` } }
      : { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
  );
  const http = registry();
  assert.equal(await textOf(await http.get(`${front.base}/v2/a/blobs/b`)), "blob");
  assert.deepEqual(storage.log, ["/signed?x=1 -"]);
});

test("without credentials the error says that they are missing, not that they are refused", async () => {
  const server = await serve((request, own) => {
    if (request.url?.startsWith("/token") === true) return { body: '{"token":"anonymous"}' };
    return { status: 401, headers: { "www-authenticate": `Bearer realm="${own}/token"` } };
  });
  await assert.rejects(registry(client({})).get(`${server.base}/v2/a`), {
    code: "UNAUTHORIZED",
    message: /without credentials \(401\)/,
  });
});

const reference = { domain: "registry.test", repository: "team/app", tag: "1", digest: null };

test("what may pass is tried again, a token service included, and what cannot pass is not", async () => {
  let [pages, tokens] = [0, 0];
  const flaky = await serve((request, own) => {
    if (request.url?.startsWith("/token") === true) {
      return (tokens += 1) < 2 ? { status: 503 } : { body: '{"token":"t"}' };
    }
    if (request.headers.authorization === undefined) {
      return { status: 401, headers: { "www-authenticate": `Bearer realm="${own}/token"` } };
    }
    return (pages += 1) < 2 ? { status: 503, headers: { "retry-after": "0" } } : { body: "ok" };
  });
  const url = `${flaky.base}/v2/a`;
  const http = client();
  const session = registry(http);
  const question = { url, http, ask: async () => await session.get(url) };
  assert.equal((await readWhole(question, { what: "it", limit: 10 })).bytes.toString(), "ok");
  assert.deepEqual([pages, tokens], [2, 2]);
  const gone = await serve(() => ({ status: 404 }));
  const local = { ...reference, domain: new URL(gone.base).host };
  await assert.rejects(createRegistrySource(local, { http, store }).resolve("1"), { code: "NOT_FOUND" });
  assert.equal(gone.log.length, 1);
});

test("a mirror is asked with its own credentials, never with those of the registry", async () => {
  const mirror = await serve(({ headers }) =>
    headers.authorization === undefined
      ? { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }
      : { body: "{}" },
  );
  const mirrors = { "registry.test": [mirror.base] };
  const own = [...netrc, { machine: "127.0.0.1", login: "mirror", password: "other" }];
  await createRegistrySource(reference, { http: client({ netrc: own }), store, mirrors }).resolve("1");
  assert.deepEqual(mirror.log, [
    "/v2/team/app/manifests/1 -",
    `/v2/team/app/manifests/1 Basic ${Buffer.from("mirror:other").toString("base64")}`,
  ]);
  const http = client({ netrc, httpsProxy: "http://127.0.0.1:9" });
  await assert.rejects(createRegistrySource(reference, { http, store, mirrors }).resolve("1"), {
    code: "UNAUTHORIZED",
  });
  assert.equal(mirror.log.at(-1), "/v2/team/app/manifests/1 -");
});

test("when a mirror and the registry fail, the error says what each of them said, and how to name another", async () => {
  const mirror = await serve(() => ({ status: 404 }));
  const http = client({ httpsProxy: "http://127.0.0.1:9", attempts: 1 });
  const source = createRegistrySource(reference, { http, store, mirrors: { "registry.test": [mirror.base] } });
  await assert.rejects(source.resolve("1"), (error) => {
    assert.ok(isExpected(error, "UNREACHABLE"));
    const path = "/v2/team/app/manifests/1";
    const tried = `tried ${mirror.base}${path} (NOT_FOUND), https://registry.test${path} (UNREACHABLE)`;
    assert.ok(error.message.endsWith(tried), error.message);
    return true;
  });
});

test("a token service of another domain gets no credentials of the registry, unless netrc names it", async () => {
  const { base: evil, log } = await serve(() => ({ body: '{"token":"t0ken"}' }));
  // Loopback has many names: to the client they are two domains.
  const realm = `${evil.replace("127.0.0.1", "localhost")}/token`;
  const { base } = await serve((request) => {
    if (request.headers.authorization === "Bearer t0ken") return { body: "bytes" };
    return { status: 401, headers: { "www-authenticate": `Bearer realm="${realm}"` } };
  });
  await registry().get(`${base}/v2/team/app/manifests/1`);
  assert.match(log[0] ?? "", /^\/token\?\S* -$/);
  const both = client({ netrc: [...netrc, { machine: "localhost", login: "me", password: "s3cret" }] });
  await registry(both).get(`${base}/v2/team/app/manifests/1`);
  assert.ok(log[1]?.endsWith(basic));
});

test("credentials of netrc follow a redirect to the host that they are for, and to no other port of the first one", async () => {
  const { base: elsewhere, log } = await serve(() => ({ body: "bytes" }));
  const { base, log: first } = await serve(() => ({ status: 302, headers: { location: `${elsewhere}/x` } }));
  const http = client({ netrc: [{ machine: "127.0.0.1", login: "me", password: "s3cret" }] });
  await (await http.get(`${base}/x`)).discard();
  assert.deepEqual([first, log], [[`/x ${basic}`], ["/x -"]]);
});

test("an answer that is no HTTP is a failure of that place, and the next one is asked", async () => {
  const garbled = createTcp((socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")),
  );
  garbled.listen(0, "127.0.0.1");
  await once(garbled, "listening");
  after(() => garbled.close());
  const address = garbled.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/x`;
  const http = client({ attempts: 1 });
  await assert.rejects(http.get(url), (cause) => {
    assert.equal(failureOf(cause, url)?.error.code, "UNREACHABLE");
    return true;
  });
});

/** A server that says `first` to every request and then `again` every 20 ms. */
async function dripping(first: string, again: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("data", () => {
      socket.write(first);
      const timer = setInterval(() => socket.write(again), 20);
      socket.once("close", () => clearInterval(timer));
    });
  }).listen(0, "127.0.0.1");
  after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server, "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/x`;
}

for (const [what, first, again] of [
  ["a body that drips", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"],
  ["informational answers without end", "", "HTTP/1.1 103 Early Hints\r\n\r\n"],
  ["a redirect whose body drips", "HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 60000\r\n\r\n", "x"],
] as const) {
  test(`${what} is a server that stalls`, async () => {
    const url = await dripping(first, again);
    // What ends by the redirect's target must not end by the clock before, however busy this machine is.
    const isRedirect = what.startsWith("a redirect");
    const http = client({ stallMs: isRedirect ? 3000 : 200, attempts: 1 });
    const ask = async (): Promise<HttpResponse> => await http.get(url);
    const code = isRedirect ? "UNREACHABLE" : "STALLED";
    await assert.rejects(readWhole({ url, http, ask }, { what: "it", limit: 1e6 }), { code, where: url });
  });
}
