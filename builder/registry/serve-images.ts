/** `serve-images`: a read-only registry inside the gap, straight from a bundle. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { hostname } from "node:os";
import { pipeline } from "node:stream/promises";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import { privateFile } from "../private-file.ts";
import { answer, type BlobRange, type Catalogue, catalogueOf } from "./answers.ts";
import { type ImagesRequest, takeImages } from "./carried-images.ts";
import { registriesFor, snippetLines } from "./mirror-snippet.ts";

export interface ServeImagesRequest extends ImagesRequest {
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files; null: plain HTTP. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
}

/** After how long without a byte a client counts as gone. */
const idleMs = 120_000;

/** Serves until it is stopped by a signal. Codes of takeImages; USAGE for an address that cannot be taken. */
export async function serveImages(request: ServeImagesRequest, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const server = serverFor(request.tls);
  const { index, images } = await takeImages(request, reporter, signal);
  const catalogue = catalogueOf(images);
  server.on("request", (asked: IncomingMessage, response: ServerResponse) => {
    void respond(catalogue, asked, response, reporter);
  });
  const port = await listening(server, request);
  const address = `${["0.0.0.0", "::"].includes(request.host) ? hostname() : request.host}:${port}`;
  const url = `${request.tls === null ? "http" : "https"}://${address}`;
  const ca = request.tls === null ? undefined : "ca.pem";
  const registries = registriesFor(images, { host: address, url, ca }, index);
  reporter.stage("serve", `${images.length} images at ${url}, until it is stopped`);
  reporter.record("serving", { url, images: images.length, registries });
  const snippet = snippetLines(registries);
  if (snippet.length > 0) reporter.info(`so that nodes pull from here, in cluster.yaml:\n${snippet.join("\n")}`);
  if (!signal.aborted) await once(signal, "abort");
  server.close();
  server.closeAllConnections();
}

function serverFor(tls: ServeImagesRequest["tls"]): Server {
  const limits = { connectionsCheckingInterval: 10_000 };
  if (tls === null) return createServer(limits).setTimeout(idleMs);
  const { certificate, key } = tls;
  const files = { cert: readNamed(certificate), key: privateFile(key, "the private key") };
  try {
    return createTlsServer({ ...limits, ...files, minVersion: "TLSv1.2" }).setTimeout(idleMs);
  } catch (cause) {
    throw new ExpectedError("CONFIG_INVALID", `this certificate and this key are no pair: ${messageOf(cause)}`, {
      where: certificate,
      expected: `PEM, with the key in ${key}`,
      hint: `openssl x509 -noout -pubkey -in ${certificate}; openssl pkey -pubout -in ${key}`,
      cause,
    });
  }
}

function readNamed(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ExpectedError("CONFIG_UNREADABLE", `cannot read ${path}: ${messageOf(cause)}`, { where: path, cause });
  }
}

async function listening(server: Server, { host, port }: ServeImagesRequest): Promise<number> {
  const where = `--listen ${host}:${port}`;
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      const hint = `ss -ltnp 'sport = :${port}' says which program it is`;
      throw new ExpectedError("USAGE", "another program listens there already", { where, hint, cause });
    }
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
      const hint = "ip -brief address lists this machine's; 0.0.0.0 is all of them";
      throw new ExpectedError("USAGE", "this machine has no such address", { where, hint, cause });
    }
    throw cause;
  }
  // A client that breaks off is no error of the server's.
  server.on("clientError", (_, socket) => socket.destroy());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

async function respond(
  catalogue: Catalogue,
  asked: IncomingMessage,
  response: ServerResponse,
  reporter: Reporter,
): Promise<void> {
  const { method = "GET", url = "/" } = asked;
  const client = asked.socket.remoteAddress ?? "?";
  asked.resume();
  const { status, headers, body } = answer(catalogue, { method, url, range: asked.headers.range });
  let sent = 0;
  try {
    response.writeHead(status, { "docker-distribution-api-version": "registry/2.0", ...headers });
    if (method === "HEAD") response.end();
    else if (Buffer.isBuffer(body)) response.end(body);
    else
      await pipeline(
        checked(body, (count) => (sent += count)),
        response,
      );
    if (method !== "HEAD" && Buffer.isBuffer(body)) sent = body.length;
  } catch (cause) {
    // What was promised does not come: the client must see a cut connection, and never an end.
    response.destroy();
    if (isExpected(cause)) reporter.error(cause);
    else if (!hasLeft(cause)) reporter.warn(`${method} ${url}: ${messageOf(cause)}`);
  }
  reporter.record("served", { client, method, url, status, bytes: sent });
  reporter.info(`${client} ${method} ${url} ${status} ${sent}`);
}

/** A blob's bytes; the last ones only when all together are what its digest says. */
async function* checked({ blob, start, size }: BlobRange, passed: (count: number) => void): AsyncGenerator<Uint8Array> {
  if (size === 0) return;
  const hash = createHash("sha256");
  const at = blob.offset + start;
  const bytes = createReadStream(blob.file, { start: at, end: at + size - 1, highWaterMark: 1024 * 1024 });
  let held: Buffer | null = null;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (held !== null) {
      passed(held.length);
      yield held;
    }
    held = chunk;
  }
  const found = size === blob.size ? hash.digest("hex") : blob.digest;
  if (found !== blob.digest) {
    const detail = { where: blob.file, expected: blob.digest, found };
    throw new ExpectedError("DIGEST_MISMATCH", "the store's copy is damaged: stop, and run it again", detail);
  }
  if (held === null) return;
  passed(held.length);
  yield held;
}

/** A client may leave at any time. */
function hasLeft(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET" || code === "EPIPE";
}
