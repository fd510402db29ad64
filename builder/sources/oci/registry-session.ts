/**
 * A registry, as far as it differs from any other web server: it hands out tokens for a repository when a Bearer
 * challenge is answered, and its credentials go to it and to its token service, never to another host.
 */
import { ExpectedError } from "#cli/errors";
import { readAtMost } from "../../http/read.ts";
import type { Authorize, HttpClient, HttpRequest, HttpResponse } from "../../http/client.ts";
import { failureOfStatus, successful } from "../../http/failure.ts";
import { basicFor, netrcHint } from "../../http/netrc.ts";

export interface RegistrySession {
  readonly http: HttpClient;
  /** Whose credentials are used: `https://docker.io`, a mirror's address. */
  readonly account: URL;
  /** `team/app`. */
  readonly repository: string;
  /** What to do where credentials are wanted or wrong; left out: ~/.netrc. */
  readonly hint?: string;
}

const largestToken = 64 * 1024;

/** One registry's session: keeps the token that it was given for a repository. */
export class RegistryHttp {
  readonly #session: RegistrySession;
  #authorization: string | undefined;

  constructor(session: RegistrySession) {
    this.#session = session;
  }

  /** One GET. UNAUTHORIZED, and failures as of {@link successful} for what is no success. */
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> {
    return await successful(await this.send({ url, headers }), url);
  }

  /** Any request to the registry; its answer whatever it is, but for UNAUTHORIZED. */
  async send(asked: HttpRequest): Promise<HttpResponse> {
    const { url } = asked;
    const send = async (): Promise<HttpResponse> =>
      await this.#session.http.send(asked, only(new URL(url), this.#authorization));
    let response = await send();
    if (response.statusCode === 401) {
      await response.discard();
      this.#authorization = await this.#answer(String(response.headers["www-authenticate"] ?? ""), url);
      response = await send();
    }
    if (response.statusCode !== 401 && response.statusCode !== 403) return response;
    await response.discard();
    const changes = asked.method === "POST" || asked.method === "PUT";
    const nobody = changes ? "takes this from nobody" : "shows this to nobody";
    const why = this.#basic === undefined ? `${nobody} without credentials` : "refuses the credentials";
    throw this.#unauthorized(url, `the registry ${why} (${response.statusCode})`);
  }

  get #basic(): string | undefined {
    return basicFor(this.#session.account, this.#session.http.settings.netrc);
  }

  /** The Authorization that a challenge asks for. */
  async #answer(challenge: string, url: string): Promise<string> {
    const { http, repository } = this.#session;
    const bearer = /bearer\s+(.*)/i.exec(challenge)?.[1];
    if (bearer === undefined) {
      if (/\bbasic\b/i.test(challenge) && this.#basic !== undefined) return this.#basic;
      throw this.#unauthorized(url, "the registry wants credentials and there are none for it");
    }
    const {
      realm = "",
      service,
      scope,
    } = Object.fromEntries([...bearer.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])) as Record<
      string,
      string | undefined
    >;
    const target = this.#tokenService(realm, url);
    if (service !== undefined) target.searchParams.set("service", service);
    for (const one of (scope ?? `repository:${repository}:pull`).split(" ")) target.searchParams.append("scope", one);
    const response = await http.get(target.href, {}, only(target, this.#credentialsFor(target, new URL(url))));
    if (response.statusCode === 200) return `Bearer ${await this.#tokenIn(response, target.href)}`;
    await response.discard();
    const failed = failureOfStatus(response, target.href);
    if (failed.failure.mayPass) throw failed;
    throw this.#unauthorized(target.href, `the registry's token service answered ${response.statusCode}`);
  }

  /** The registry's own, for a token service of the same domain; to any other only what netrc has for that very host. */
  #credentialsFor(service: URL, registry: URL): string | undefined {
    if (domainOf(service.hostname) === domainOf(registry.hostname)) return this.#basic;
    return basicFor(
      service,
      (this.#session.http.settings.netrc ?? []).filter(({ machine }) => machine !== null),
    );
  }

  #tokenService(realm: string, url: string): URL {
    const target = URL.canParse(realm) ? new URL(realm) : null;
    if (target?.protocol === "https:" || (target?.protocol === "http:" && url.startsWith("http:"))) return target;
    const shown = realm.slice(0, 100);
    throw this.#unauthorized(url, `the registry's token service "${shown}" is not one that credentials may go to`);
  }

  async #tokenIn(response: HttpResponse, where: string): Promise<string> {
    const body = await readAtMost(response.body, largestToken);
    let token: unknown;
    try {
      const value = JSON.parse(body?.toString("utf8") ?? "") as { token?: unknown; access_token?: unknown } | null;
      token = value?.token ?? value?.access_token;
    } catch {
      // Said below: what is not JSON holds no token either.
    }
    if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
    throw this.#unauthorized(where, "the registry's token service gave no token");
  }

  #unauthorized(where: string, why: string): ExpectedError {
    const { account, hint = netrcHint(account.hostname) } = this.#session;
    return new ExpectedError("UNAUTHORIZED", why, { where, hint });
  }
}

/** The last two labels (three behind `co.uk` and its like); an address as it is. */
function domainOf(host: string): string {
  if (/^[\d.]+$|:/.test(host)) return host;
  const labels = host.split(".");
  const short = (labels.at(-1)?.length ?? 0) === 2 && (labels.at(-2)?.length ?? 0) <= 3;
  return labels.slice(short ? -3 : -2).join(".");
}

function only(own: URL, authorization: string | undefined): Authorize {
  return (target) => (target.host === own.host ? authorization : undefined);
}
