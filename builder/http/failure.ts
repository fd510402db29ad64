/** What went wrong with a request, as something an operator can act on, and whether trying again may help. */
import { ExpectedError, messageOf } from "#cli/errors";
import type { HttpResponse } from "./client.ts";
import { netrcHint } from "./netrc.ts";

export interface Failure {
  readonly error: ExpectedError;
  /** Worth another attempt: never so for 404 or anything about a digest. */
  readonly mayPass: boolean;
  /** Seconds that the server asked to wait; null when it did not. */
  readonly retryAfter: number | null;
}

/** A {@link Failure} on its way to who decides about the next attempt. */
export class RequestFailed extends Error {
  readonly failure: Failure;
  /** The answer, where there was one. */
  readonly response: HttpResponse | undefined;
  constructor(failure: Failure, response?: HttpResponse) {
    super(failure.error.message);
    this.failure = failure;
    this.response = response;
  }
}

/** The answer itself where it has content; any other status is thrown. */
export async function successful(response: HttpResponse, url: string): Promise<HttpResponse> {
  if (response.statusCode === 200 || response.statusCode === 206) return response;
  await response.discard();
  throw failureOfStatus(response, url);
}

export function failureOfStatus(response: HttpResponse, url: string): RequestFailed {
  const status = response.statusCode;
  const mayPass = status === 408 || status === 425 || status === 429 || status >= 500;
  const asked = Number(response.headers["retry-after"] ?? Number.NaN);
  const retryAfter = Number.isFinite(asked) && asked >= 0 ? asked : null;
  return new RequestFailed({ error: statusError(status, url), mayPass, retryAfter }, response);
}

function statusError(status: number, url: string): ExpectedError {
  if (status === 404 || status === 410) {
    return new ExpectedError("NOT_FOUND", `the server answered ${status}: it does not have this file`, { where: url });
  }
  if (status === 407) return proxyError(status, url);
  if (status === 401 || status === 403) {
    const hint = netrcHint(new URL(url).hostname);
    return new ExpectedError("UNAUTHORIZED", `the server answered ${status}`, { where: url, hint });
  }
  return new ExpectedError("UNREACHABLE", `the server answered ${status}`, { where: url });
}

function proxyError(status: number, where: string): ExpectedError {
  if (status === 407) {
    const hint = "put NAME:SECRET@ before the host in HTTPS_PROXY";
    return new ExpectedError("UNAUTHORIZED", "the proxy wants other credentials, or any", { where, hint });
  }
  const hint = "a host that needs no proxy is named in NO_PROXY";
  return new ExpectedError("UNREACHABLE", `the proxy does not lead there: it answered ${status}`, { where, hint });
}

const passingCodes = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_SOCKET",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_RESPONSE",
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
]);

/**
 * Of anything that a request threw; null for what is no failure of the network (a bug, a full disk). `elsewhere`: the
 * option by which such bytes are had from another place; null where there is none.
 */
export function failureOf(cause: unknown, url: string, elsewhere: string | null = "--mirror URL|DIR"): Failure | null {
  if (cause instanceof RequestFailed) return cause.failure;
  if (cause instanceof ExpectedError) return { error: cause, mayPass: false, retryAfter: null };
  // undici says no more than this of a proxy that opens no tunnel.
  const proxys = Number(/^Proxy response \((\d+)\)/.exec(messageOf(cause))?.[1]);
  if (proxys > 0) return { error: proxyError(proxys, url), mayPass: proxys >= 500, retryAfter: null };
  const code = codeOf(cause);
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return passing(new ExpectedError("STALLED", "the server stopped sending", { where: url, cause }));
  }
  const garbled = cause instanceof Error && cause.name === "HTTPParserError";
  if (passingCodes.has(code) || code.startsWith("HPE_") || garbled) {
    const mirror = elsewhere === null ? "" : `, a mirror from ${elsewhere}`;
    const refused = elsewhere === null ? "nothing listens there: is the address right, and does it run?" : undefined;
    const hint = code === "ECONNREFUSED" ? refused : `a proxy is taken from HTTPS_PROXY${mirror}`;
    return passing(
      new ExpectedError("UNREACHABLE", `the transfer failed: ${reason(cause, code)}`, { where: url, cause, hint }),
    );
  }
  if (code === "ENOTFOUND") {
    const other = elsewhere ?? `getent hosts ${new URL(url).hostname}`;
    return final("the server's name is not known here", url, cause, `${other}, or set HTTPS_PROXY`);
  }
  if (/wrong.version.number/i.test(`${code} ${messageOf(cause)}`)) {
    return final("the server does not speak TLS", url, cause, "http:// instead of https://, where that is meant");
  }
  if (/CERT|TLS|SELF_SIGNED|UNABLE_TO_|ERR_SSL|EPROTO/.test(code)) {
    const hint = "if a proxy or mirror here has its own CA: --ca FILE, or SSL_CERT_FILE=FILE";
    // What Node adds after the semicolon is advice for whoever runs Node.
    const [why = code] = reason(cause, code).split(";");
    return final(`the server's certificate is not trusted: ${why}`, url, cause, hint);
  }
  if (code.startsWith("UND_ERR_")) return final(`the transfer failed: ${reason(cause, code)}`, url, cause);
  return null;
}

/** Wait before the attempt that follows `attempt`: doubled each time up to a minute, half of it jitter (`random` in 0..1). */
export function backoffMs(attempt: number, firstMs: number, retryAfter: number | null, random: number): number {
  const base = Math.min(firstMs * 2 ** (attempt - 1), 60_000);
  const own = base / 2 + (base / 2) * random;
  return retryAfter === null ? own : Math.max(own, Math.min(retryAfter, 60) * 1000);
}

export function passing(error: ExpectedError): Failure {
  return { error, mayPass: true, retryAfter: null };
}

/** Of several places that failed, what says most: wrong bytes, then what kept from asking, then that it is not there. */
export function errorOfPlaces(errors: readonly ExpectedError[], what?: string): ExpectedError {
  const rank = (error: ExpectedError): number => (error.exitCode === 5 ? 0 : error.code === "NOT_FOUND" ? 2 : 1);
  const [most] = errors.toSorted((a, b) => rank(a) - rank(b));
  if (most === undefined) throw new Error("no place was tried");
  if (errors.length === 1) return most;
  const tried = errors.map(({ where, code }) => `${where ?? "?"} (${code})`).join(", ");
  const { code, where, expected, found, hint } = most;
  const details = { where, expected, found, hint, cause: most };
  const subject = what === undefined ? "" : `${what}: `;
  return new ExpectedError(code, `${subject}${most.message}; tried ${tried}`, details);
}

function final(message: string, where: string, cause: unknown, hint?: string): Failure {
  return { error: new ExpectedError("UNREACHABLE", message, { where, cause, hint }), mayPass: false, retryAfter: null };
}

/** undici wraps what a proxy's or an address's connection threw. */
function codeOf(cause: unknown): string {
  for (let at = cause, depth = 0; at instanceof Error && depth < 4; at = nested(at), depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return "";
}

function nested(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error.cause;
}

function reason(cause: unknown, code: string): string {
  return messageOf(cause) === "" ? code : messageOf(cause);
}
