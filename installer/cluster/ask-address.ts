/** Asks an address over HTTP: no name to resolve, no proxy, no other program. */
import { request } from "node:http";
import { messageOf } from "#cli/errors";

export interface Asking {
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
  readonly path: string;
}

const patience = 5000;

/** Null when it answers 200; else what it said, or why it said nothing: `connect ECONNREFUSED 10.0.0.12:30080`. */
export function askAddress({ address, port, path }: Asking, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    // A connection of its own each time: the next may be led to another pod.
    const options = { host: address, port, path, agent: false, signal, timeout: patience };
    const asked = request(options, (response) => {
      response.resume();
      response.on("error", (error) => resolve(messageOf(error)));
      response.on("end", () => resolve(response.statusCode === 200 ? null : `HTTP ${response.statusCode}`));
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${patience / 1000} s`)));
    asked.on("error", (error) => resolve(messageOf(error)));
    // Comes last, whatever else came or did not.
    asked.on("close", () => resolve("the connection was closed"));
    asked.end();
  });
}
