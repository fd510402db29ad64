/** The distribution's tinyproxy on a free port of loopback: a proxy that wants a name and a password. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answering, freePort } from "./nginx.ts";
import { requirePackages } from "../programs/packages.ts";

export interface Proxy {
  /** With name and password. */
  readonly url: string;
  readonly host: string;
  /** `127.0.0.1:8443` of every tunnel and request so far. */
  asked(): string[];
  stop(): Promise<void>;
}

export async function startProxy(folder: string): Promise<Proxy> {
  requirePackages("tinyproxy-bin");
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const log = join(folder, "log");
  const config = join(folder, "tinyproxy.conf");
  writeFileSync(log, "");
  writeFileSync(
    config,
    `Port ${port}
Listen 127.0.0.1
Allow 127.0.0.1
Timeout 60
LogLevel Connect
LogFile "${log}"
BasicAuth proxied pr0xied
`,
  );
  const child = spawn("tinyproxy", ["-d", "-c", config], { stdio: "ignore" });
  await answering(port, child);
  const host = `127.0.0.1:${port}`;
  return {
    host,
    url: `http://proxied:pr0xied@${host}`,
    asked: () =>
      [...readFileSync(log, "utf8").matchAll(/Established connection to host "([^"]+)"/g)].map(
        (match) => match[1] ?? "",
      ),
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}
