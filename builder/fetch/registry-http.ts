/**
 * HTTP as the OCI distribution protocol uses it: redirects (credentials never follow to another host), retries with
 * backoff on what can be retried, and the token dance of a Bearer challenge.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { ExpectedError, messageOf } from "#kit/errors";
import { readAtMost } from "./image-source.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface RegistryHttpOptions {
  /** With the proxy and CA settings of the build; undici's own when absent. */
  readonly dispatcher?: Dispatcher;
  /** Of a registry's host (`docker.io` for docker's own). */
  readonly credentials?: (domain: string) => Credentials | undefined;
  /** How often a request that may succeed later is made; default 4. */
  readonly attempts?: number;
  /** First wait between two attempts, doubled each time, with jitter; default 500 ms. */
  readonly backoffMs?: number;
  /** After how long without a byte a server counts as stalled; default 30 s. */
  readonly stallMs?: number;
}

export type RegistryResponse = Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body">;

const mostRedirects = 5;
const largestToken = 64 * 1024;

/** One registry's HTTP session: keeps the token it was given for a repository. */
export class RegistryHttp {
  readonly #options: RegistryHttpOptions;
  readonly #domain: string;
  readonly #repository: string;
  #authorization: string | null = null;

  constructor(domain: string, repository: string, options: RegistryHttpOptions) {
    this.#domain = domain;
    this.#repository = repository;
    this.#options = options;
  }

  /** GET with authentication; a status other than 200 or 206 becomes an ExpectedError. */
  async get(url: string, headers: Record<string, string>): Promise<RegistryResponse> {
    const attempts = this.#options.attempts ?? 4;
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= attempts;
      try {
        const response = await this.#authenticated(url, headers);
        if (response.statusCode === 200 || response.statusCode === 206) return response;
        await response.body.dump();
        if (last || !mayPass(response.statusCode)) throw statusError(response.statusCode, url);
        await this.pause(attempt, response.headers["retry-after"]);
      } catch (error) {
        if (error instanceof ExpectedError) throw error;
        if (last) throw networkError(error, url);
        await this.pause(attempt);
      }
    }
  }

  /** Waits before attempt `attempt + 1`; a server's own Retry-After (seconds) is obeyed up to a minute. */
  async pause(attempt: number, retryAfter?: string | string[]): Promise<void> {
    const asked = typeof retryAfter === "string" ? Number(retryAfter) : Number.NaN;
    const base = (this.#options.backoffMs ?? 500) * 2 ** (attempt - 1);
    await sleep(Number.isFinite(asked) ? Math.min(asked, 60) * 1000 : base * (0.5 + Math.random() / 2));
  }

  async #authenticated(url: string, headers: Record<string, string>): Promise<RegistryResponse> {
    const first = await this.#follow(url, this.#withAuthorization(headers));
    if (first.statusCode !== 401) return first;
    await first.body.dump();
    this.#authorization = await this.#answer(first.headers["www-authenticate"], url);
    const second = await this.#follow(url, this.#withAuthorization(headers));
    if (second.statusCode === 401) {
      await second.body.dump();
      throw unauthorized(url, this.#domain, "the registry refuses the credentials");
    }
    return second;
  }

  #withAuthorization(headers: Record<string, string>): Record<string, string> {
    return this.#authorization === null ? headers : { ...headers, authorization: this.#authorization };
  }

  async #follow(url: string, headers: Record<string, string>): Promise<RegistryResponse> {
    let target = new URL(url);
    let sent = headers;
    for (let hops = 0; hops <= mostRedirects; hops += 1) {
      const response = await this.#send(target, sent);
      if (![301, 302, 303, 307, 308].includes(response.statusCode)) return response;
      await response.body.dump();
      const next = new URL(String(response.headers["location"] ?? ""), target);
      if (!/^https?:$/.test(next.protocol)) throw badRedirect(url, next);
      if (target.protocol === "https:" && next.protocol === "http:") throw badRedirect(url, next);
      if (next.host !== target.host) {
        sent = Object.fromEntries(Object.entries(sent).filter(([name]) => name !== "authorization"));
      }
      target = next;
    }
    throw new ExpectedError("UNREACHABLE", `more than ${mostRedirects} redirects`, { where: url });
  }

  async #send(url: URL, headers: Record<string, string>): Promise<RegistryResponse> {
    const stall = this.#options.stallMs ?? 30_000;
    const dispatcher = this.#options.dispatcher;
    return await request(url, {
      method: "GET",
      headers,
      headersTimeout: stall,
      bodyTimeout: stall,
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
  }

  async #answer(challenge: string | string[] | undefined, url: string): Promise<string> {
    const text = Array.isArray(challenge) ? challenge.join(", ") : (challenge ?? "");
    const credentials = this.#options.credentials?.(this.#domain);
    const basic = credentials === undefined ? null : basicAuthorization(credentials);
    const bearer = /bearer\s+(.*)/i.exec(text)?.[1];
    if (bearer === undefined) {
      if (/\bbasic\b/i.test(text) && basic !== null) return basic;
      throw unauthorized(url, this.#domain, "the registry wants credentials and there are none for it");
    }
    const parameters = new Map(
      [...bearer.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
    );
    const realm = tokenUrl(parameters.get("realm") ?? "", url, this.#domain);
    if (parameters.has("service")) realm.searchParams.set("service", parameters.get("service") ?? "");
    realm.searchParams.set("scope", parameters.get("scope") ?? `repository:${this.#repository}:pull`);
    const response = await this.#follow(realm.href, basic === null ? {} : { authorization: basic });
    if (response.statusCode !== 200) {
      await response.body.dump();
      if (mayPass(response.statusCode)) throw new Error(`the token service answered ${response.statusCode}`);
      throw unauthorized(realm.href, this.#domain, `the token service answered ${response.statusCode}`);
    }
    const body = await readAtMost(response.body, largestToken);
    return `Bearer ${tokenIn(body, realm.href, this.#domain)}`;
  }
}

function tokenUrl(realm: string, url: string, domain: string): URL {
  const target = URL.canParse(realm) ? new URL(realm) : null;
  const plain = url.startsWith("http:");
  if (target === null || !(target.protocol === "https:" || (plain && target.protocol === "http:"))) {
    throw unauthorized(url, domain, `its token service "${realm.slice(0, 100)}" is not one that credentials may go to`);
  }
  return target;
}

function tokenIn(body: Buffer | null, where: string, domain: string): string {
  let token: unknown;
  try {
    const value = JSON.parse(body?.toString("utf8") ?? "") as { token?: unknown; access_token?: unknown } | null;
    token = value?.token ?? value?.access_token;
  } catch {
    // Said below: what is not JSON holds no token either.
  }
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw unauthorized(where, domain, "the token service gave no token");
  }
  return token;
}

function basicAuthorization(credentials: Credentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function statusError(status: number, url: string): ExpectedError {
  if (status === 404) return new ExpectedError("NOT_FOUND", "the server does not have it", { where: url });
  if (status === 401 || status === 403) {
    return new ExpectedError("UNAUTHORIZED", `the server answered ${status}`, { where: url });
  }
  return new ExpectedError("UNREACHABLE", `the server answered ${status}`, { where: url });
}

/** What undici throws, as something an operator can act on. */
export function networkError(error: unknown, url: string): ExpectedError {
  if (error instanceof ExpectedError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const stalled = code === "UND_ERR_BODY_TIMEOUT" || code === "UND_ERR_HEADERS_TIMEOUT";
  return new ExpectedError(stalled ? "STALLED" : "UNREACHABLE", messageOf(error) || String(code), {
    where: url,
    cause: error,
    hint: "kubeferry lock and fetch reach a registry through HTTPS_PROXY, or a mirror of it with --mirror",
  });
}

function badRedirect(from: string, to: URL): ExpectedError {
  return new ExpectedError("UNREACHABLE", `the server redirects to ${to.protocol}//${to.host}, which is refused`, {
    where: from,
  });
}

function unauthorized(where: string, domain: string, why: string): ExpectedError {
  const hint = `add to ~/.netrc: machine ${domain.replace(/:\d+$/, "")} login NAME password SECRET`;
  return new ExpectedError("UNAUTHORIZED", why, { where, hint });
}
