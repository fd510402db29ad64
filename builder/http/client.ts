/** HTTP with the settings of the build: proxy, extra CAs, credentials, time-outs, redirects. Values are passed in. */
import { Readable } from "node:stream";
import { getCACertificates } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent, errors, request } from "undici";
import { ExpectedError } from "#cli/errors";
import { basicFor, type NetrcEntry } from "./netrc.ts";

export interface HttpSettings {
  /** As in HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** PEM certificates that are trusted beside the usual ones. */
  readonly extraCa?: readonly string[] | undefined;
  readonly netrc?: readonly NetrcEntry[] | undefined;
  /** Default 20 s. */
  readonly connectMs?: number | undefined;
  /** After how long without a byte a server counts as stalled; default 30 s. */
  readonly stallMs?: number | undefined;
  /** How often a request that may succeed later is made without progress; default 4. */
  readonly attempts?: number | undefined;
  /** First wait between two attempts, doubled each time, with jitter; default 500 ms. */
  readonly backoffMs?: number | undefined;
  /** Bytes that one download may have at most; default 8 GB. */
  readonly largest?: number | undefined;
}

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  /** Read once, or discarded. Throws where it comes more slowly than {@link slowest}. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of what nobody wants to read. */
  discard(): Promise<void>;
}

/** What to send as Authorization to one host of a chain of redirects. */
export type Authorize = (target: URL) => string | undefined;

/** One request, but for its credentials. */
export interface HttpRequest {
  readonly url: string;
  /** Default: GET. GET and HEAD follow redirects, the others do not. */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Read from its beginning each time it is sent; `size` bytes. */
  readonly body?: { readonly size: number; open(): AsyncIterable<Uint8Array> } | undefined;
}

const mostRedirects = 10;
/** Bytes within the time after which a server counts as stalled: one byte now and then is as good as none. */
const slowest = 1024;

export class HttpClient implements AsyncDisposable {
  readonly settings: HttpSettings;
  /** Ends every request, and every wait between two. */
  readonly signal: AbortSignal | undefined;
  readonly #dispatcher: Dispatcher;

  constructor(settings: HttpSettings = {}, signal?: AbortSignal) {
    this.settings = settings;
    this.signal = signal;
    const ca = settings.extraCa ?? [];
    const connect = {
      timeout: settings.connectMs ?? 20_000,
      ...(ca.length === 0 ? {} : { ca: [...getCACertificates("default"), ...ca] }),
    };
    // Empty strings, so that undici does not read the environment by itself.
    this.#dispatcher = new EnvHttpProxyAgent({
      httpProxy: settings.httpProxy ?? "",
      httpsProxy: settings.httpsProxy ?? "",
      noProxy: settings.noProxy ?? "",
      connect,
      requestTls: connect,
      proxyTls: connect,
      allowH2: false,
    });
  }

  /** GET, following redirects. Credentials go only to the host that netrc (or the URL itself) gives them for. */
  async get(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    authorize: Authorize = (target) => basicFor(target, this.settings.netrc),
  ): Promise<HttpResponse> {
    return await this.send({ url, headers }, authorize);
  }

  /** Whatever the server answers. */
  async send(asked: HttpRequest, authorize: Authorize): Promise<HttpResponse> {
    const { url, method = "GET", headers } = asked;
    let target = new URL(url);
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      const authorization = mayHave(target, new URL(url)) ? authorize(target) : undefined;
      target.username = "";
      target.password = "";
      const own = { ...headers, ...(authorization !== undefined && { authorization }) };
      const response = await this.#ask(target, { ...asked, headers: own });
      const leads = [301, 302, 303, 307, 308].includes(response.statusCode);
      if (!leads || !["GET", "HEAD"].includes(method)) return response;
      await response.discard();
      target = redirected(target, String(response.headers["location"] ?? ""));
    }
    throw new ExpectedError("UNREACHABLE", `more than ${mostRedirects} redirects`, { where: url });
  }

  async #ask(target: URL, { method = "GET", headers, body: sent }: HttpRequest): Promise<HttpResponse> {
    const stallMs = this.settings.stallMs ?? 30_000;
    // undici's own time-out begins anew with every informational answer (1xx).
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new errors.HeadersTimeoutError()), stallMs);
    const signal = this.signal === undefined ? late.signal : AbortSignal.any([this.signal, late.signal]);
    try {
      const {
        statusCode,
        headers: found,
        body,
      } = await request(target, {
        method,
        headers: {
          "user-agent": "kubeferry",
          "accept-encoding": "identity",
          ...(sent !== undefined && { "content-length": String(sent.size) }),
          ...headers,
        },
        body: sent === undefined ? null : Readable.from(taken(sent.open(), timer), { objectMode: false }),
        dispatcher: this.#dispatcher,
        headersTimeout: 0,
        bodyTimeout: stallMs,
        signal,
      });
      const discard = async (): Promise<void> => {
        await body.dump({ limit: 65_536, signal: AbortSignal.timeout(stallMs) }).catch(() => undefined);
      };
      return { statusCode, headers: found, body: paced(body, stallMs), discard };
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy();
  }
}

/** The same bytes; a server that takes them has not stalled. */
async function* taken(body: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    timer.refresh();
    yield chunk;
  }
}

/** The same bytes; a body that drips is one that stalled. What its reader takes its time for is not waited for. */
async function* paced(body: AsyncIterable<Uint8Array>, stallMs: number): AsyncGenerator<Uint8Array> {
  let [bytes, waited, since] = [0, 0, performance.now()];
  for await (const chunk of body) {
    bytes += chunk.length;
    waited += performance.now() - since;
    if (bytes >= slowest) [bytes, waited] = [0, 0];
    else if (waited > stallMs) throw new errors.BodyTimeoutError();
    yield chunk;
    since = performance.now();
  }
}

function redirected(from: URL, location: string): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : null;
  const downgraded = from.protocol === "https:" && next?.protocol === "http:";
  if (next === null || !/^https?:$/.test(next.protocol) || downgraded) {
    throw new ExpectedError("UNREACHABLE", `the server redirects to "${location.slice(0, 200)}", which is refused`, {
      where: from.href,
    });
  }
  return next;
}

/** A server may lead on to another host, which has its own credentials, but not to another port of its own: that may be anybody's. */
function mayHave(target: URL, asked: URL): boolean {
  return target.hostname !== asked.hostname || target.origin === asked.origin;
}
