/** The distribution's own docker-registry on a free port of loopback, and skopeo to fill it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { freePort } from "./nginx.ts";
import { requirePackages } from "../programs/packages.ts";

export interface Registry {
  /** `127.0.0.1:34567` */
  readonly host: string;
  stop(): Promise<void>;
}

export async function startRegistry(folder: string): Promise<Registry> {
  requirePackages("docker-registry", "skopeo");
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = join(folder, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: ${join(folder, "registry")}}
http:
  addr: ${host}
`,
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  await answering(`http://${host}/v2/`, child);
  return {
    host,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export function skopeo(...argv: string[]): string {
  return execFileSync("skopeo", argv, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    const status = await request(url).then(
      async ({ statusCode, body }) => {
        await body.dump();
        return statusCode;
      },
      () => 0,
    );
    if (status === 200) return;
    await sleep(50);
  }
}
