/** The cluster's API without kubectl: for a question that stays open, where a program started again and again costs. */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { ExpectedError, messageOf } from "#cli/errors";
import { type Kubeconfig, readKubeconfig } from "../certificates/kubeconfig.ts";

export interface Event {
  readonly type: string;
  readonly object: unknown;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Paths are below the server, as `/apis`. All throw UNHEALTHY where the API does not answer, or with a refusal. */
export interface Api {
  get<T>(path: string): Promise<T>;
  /** Asks for a change, and gives the answer's status: 404 and the like are for the asker to judge. */
  send(method: "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<Answer>;
  /** What happens to the objects of `path` after `version`, until the server ends the answer: within five minutes. */
  watch(path: string, version: string, signal: AbortSignal): AsyncIterable<Event>;
}

const patience = 30_000;
const watchSeconds = 300;

/** The API of the cluster that a kubeconfig leads to, with what it embeds. */
export function apiOf(kubeconfig: string): Api {
  return apiWith(readKubeconfig(kubeconfig));
}

/** As {@link apiOf}, with certificates that may have been in files beside it. */
export function apiWith({ server, authority, certificate, key }: Kubeconfig): Api {
  if (server === null || authority === null || certificate === null || key === null) {
    throw new ExpectedError("UNHEALTHY", "the kubeconfig embeds no server, CA, certificate and key", {
      hint: "./install audit",
    });
  }
  const ask = (path: string, timeout: number, more: Asking = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { signal, method = "GET", body } = more;
      const options = {
        // The cluster's CA is trusted as it is, also where another one signed it.
        ...{ ca: authority, allowPartialTrustChain: true, cert: certificate, key, timeout, agent: false, method },
        ...(signal ? { signal } : {}),
        ...(body === undefined ? {} : { headers: { "content-type": typeOf(method) } }),
      };
      const asked = request(`${server}${path}`, options, resolve);
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      asked.on("error", (error) => reject(silent(server + path, messageOf(error))));
      asked.end(body);
    });
  return {
    async get<T>(path: string): Promise<T> {
      const answer = await ask(path, patience);
      return JSON.parse(await textOf(answer, server + path)) as T;
    },
    async send(method, path, body) {
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await ask(path, patience, { method, ...text });
      return { status: answer.statusCode ?? 0, text: await bodyOf(answer, server + path) };
    },
    async *watch(path, version, signal) {
      const query = `watch=1&resourceVersion=${version}&timeoutSeconds=${watchSeconds}`;
      const answer = await ask(`${path}?${query}`, watchSeconds * 1000 + patience, { signal });
      if (answer.statusCode !== 200) await textOf(answer, server + path);
      try {
        let rest = "";
        for await (const part of answer.setEncoding("utf8")) {
          const lines = (rest + (part as string)).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) yield JSON.parse(line) as Event;
        }
      } catch (error) {
        throw silent(server + path, messageOf(error));
      } finally {
        answer.destroy();
      }
    },
  };
}

interface Asking {
  readonly signal?: AbortSignal;
  readonly method?: string;
  readonly body?: string;
}

/** A PATCH names the fields that change, and leaves the others. */
function typeOf(method: string): string {
  return method === "PATCH" ? "application/merge-patch+json" : "application/json";
}

async function bodyOf(answer: IncomingMessage, where: string): Promise<string> {
  let text = "";
  try {
    for await (const part of answer.setEncoding("utf8")) text += part as string;
    return text;
  } catch (error) {
    throw silent(where, messageOf(error));
  }
}

async function textOf(answer: IncomingMessage, where: string): Promise<string> {
  const text = await bodyOf(answer, where);
  if (answer.statusCode === 200) return text;
  throw silent(where, `HTTP ${answer.statusCode}: ${text.slice(0, 300)}`);
}

function silent(where: string, why: string): ExpectedError {
  return new ExpectedError("UNHEALTHY", `the cluster does not answer: ${why}`, { where, hint: "./install status" });
}
