/** The cluster's API without kubectl: for a question that stays open, where a program started again and again costs. */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { ExpectedError, messageOf } from "#kit/errors";
import { readKubeconfig } from "../certificates/kubeconfig.ts";

export interface Event {
  readonly type: string;
  readonly object: unknown;
}

/** Paths are below the server, as `/apis`. All throw UNHEALTHY where the API does not answer, or with a refusal. */
export interface Api {
  get<T>(path: string): Promise<T>;
  /** What happens to the objects of `path` after `version`, until the server ends the answer: within five minutes. */
  watch(path: string, version: string, signal: AbortSignal): AsyncIterable<Event>;
}

const patience = 30_000;
const watchSeconds = 300;

/** The API of the cluster that a kubeconfig leads to, with what it embeds. */
export function apiOf(kubeconfig: string): Api {
  const { server, authority, certificate, key } = readKubeconfig(kubeconfig);
  if (server === null || authority === null || certificate === null || key === null) {
    throw new ExpectedError("UNHEALTHY", "the kubeconfig embeds no server, CA, certificate and key", {
      hint: "./install audit",
    });
  }
  const ask = (path: string, timeout: number, signal?: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options = { ca: authority, cert: certificate, key, timeout, agent: false, ...(signal ? { signal } : {}) };
      const asked = request(`${server}${path}`, options, resolve);
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      asked.on("error", (error) => reject(silent(server + path, messageOf(error))));
      asked.end();
    });
  return {
    async get<T>(path: string): Promise<T> {
      const answer = await ask(path, patience);
      return JSON.parse(await textOf(answer, server + path)) as T;
    },
    async *watch(path, version, signal) {
      const query = `watch=1&resourceVersion=${version}&timeoutSeconds=${watchSeconds}`;
      const answer = await ask(`${path}?${query}`, watchSeconds * 1000 + patience, signal);
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

async function textOf(answer: IncomingMessage, where: string): Promise<string> {
  let text = "";
  try {
    for await (const part of answer.setEncoding("utf8")) text += part as string;
  } catch (error) {
    throw silent(where, messageOf(error));
  }
  if (answer.statusCode === 200) return text;
  throw silent(where, `HTTP ${answer.statusCode}: ${text.slice(0, 300)}`);
}

function silent(where: string, why: string): ExpectedError {
  return new ExpectedError("UNHEALTHY", `the cluster does not answer: ${why}`, { where, hint: "./install status" });
}
