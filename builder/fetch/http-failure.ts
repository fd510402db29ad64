/** What went wrong with a request, as something an operator can act on, and whether trying again may help. */
import { ExpectedError, messageOf } from "#kit/errors";
import type { HttpResponse } from "./http-client.ts";

export interface Failure {
  readonly error: ExpectedError;
  /** Worth another attempt: never so for 404 or anything about a digest. */
  readonly mayPass: boolean;
  /** Seconds that the server asked to wait; null when it did not. */
  readonly retryAfter: number | null;
}

/** A {@link Failure} on its way to who decides about the next attempt. */
class StatusError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

export function failureOfStatus(response: HttpResponse, url: string): Error {
  const status = response.statusCode;
  const mayPass = status === 408 || status === 425 || status === 429 || status >= 500;
  const asked = Number(response.headers["retry-after"] ?? Number.NaN);
  return new StatusError({
    error: statusError(status, url),
    mayPass,
    retryAfter: Number.isFinite(asked) && asked >= 0 ? asked : null,
  });
}

function statusError(status: number, url: string): ExpectedError {
  if (status === 404 || status === 410) {
    return new ExpectedError("NOT_FOUND", `the server answered ${status}: it does not have this file`, { where: url });
  }
  if (status === 401 || status === 403 || status === 407) {
    return new ExpectedError("UNAUTHORIZED", `the server answered ${status}`, {
      where: url,
      hint: "put the credentials of this host into ~/.netrc: machine HOST login NAME password SECRET",
    });
  }
  return new ExpectedError("UNREACHABLE", `the server answered ${status}`, { where: url });
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

/** Of anything that a request threw; null for what is no failure of the network (a bug, a full disk). */
export function failureOf(cause: unknown, url: string): Failure | null {
  if (cause instanceof StatusError) return cause.failure;
  if (cause instanceof ExpectedError) return { error: cause, mayPass: false, retryAfter: null };
  const code = codeOf(cause);
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return passing(new ExpectedError("STALLED", "the server stopped sending", { where: url, cause }));
  }
  if (passingCodes.has(code) || code.startsWith("HPE_")) {
    const hint =
      code === "ECONNREFUSED" ? undefined : "a proxy is taken from HTTPS_PROXY, a mirror from --mirror URL|DIR";
    return passing(
      new ExpectedError("UNREACHABLE", `the download failed: ${reason(cause, code)}`, { where: url, cause, hint }),
    );
  }
  if (code === "ENOTFOUND") {
    return final(
      "the server's name is not known here",
      url,
      cause,
      "kubeferry fetch --mirror URL|DIR, or set HTTPS_PROXY",
    );
  }
  if (/CERT|TLS|SELF_SIGNED|UNABLE_TO_|ERR_SSL|EPROTO/.test(code)) {
    const hint = "if a proxy or mirror here has its own CA: SSL_CERT_FILE=/path/to/ca.pem";
    return final(`the server's certificate is not trusted: ${reason(cause, code)}`, url, cause, hint);
  }
  if (code.startsWith("UND_ERR_")) return final(`the download failed: ${reason(cause, code)}`, url, cause);
  return null;
}

/** Wait before the attempt that follows `attempt`: doubled each time up to a minute, half of it jitter (`random` in 0..1). */
export function backoffMs(attempt: number, firstMs: number, retryAfter: number | null, random: number): number {
  const base = Math.min(firstMs * 2 ** (attempt - 1), 60_000);
  const own = base / 2 + (base / 2) * random;
  return retryAfter === null ? own : Math.max(own, Math.min(retryAfter, 60) * 1000);
}

function passing(error: ExpectedError): Failure {
  return { error, mayPass: true, retryAfter: null };
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
