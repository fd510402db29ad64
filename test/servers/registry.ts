/** The distribution's own docker-registry on a free port of loopback, and skopeo to fill it. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./nginx.ts";
import { requirePackages } from "../programs/packages.ts";
import type { TokenService } from "./token-service.ts";

export interface Registry {
  /** `127.0.0.1:34567` */
  readonly host: string;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Files, PEM: it speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** The only one who may pull. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Who says who may do what; instead of `user`. */
  readonly tokens?: Pick<TokenService, "realm" | "roots">;
  /** Of a port that is free. */
  readonly port?: number;
  /** The command that runs a program on the host on which it listens; without: here. */
  readonly on?: (argv: readonly string[]) => string[];
}

export async function startRegistry(folder: string, options: RegistryOptions = {}): Promise<Registry> {
  const { tls, user, tokens, on = (argv) => [...argv] } = options;
  requirePackages("docker-registry", "skopeo", "curl");
  const port = options.port ?? (await freePort());
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
${tls === undefined ? "" : `  tls: {certificate: ${tls.certificate}, key: ${tls.key}}\n`}${
      user === undefined ? "" : `auth: {htpasswd: {realm: plant, path: ${join(folder, "htpasswd")}}}\n`
    }${
      tokens === undefined
        ? ""
        : `auth: {token: {realm: "${tokens.realm}", service: plant, issuer: plant, rootcertbundle: ${tokens.roots}}}\n`
    }`,
  );
  if (user !== undefined) writeFileSync(join(folder, "htpasswd"), `${user.name}:${bcrypt(user.password)}\n`);
  const [program = "", ...words] = on(["docker-registry", "serve", config]);
  const child = spawn(program, words, { stdio: "ignore" });
  await answering(
    on(["curl", "-sk", "-w", "%{http_code}", `${tls === undefined ? "http" : "https"}://${host}/v2/`]),
    child,
  );
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

/** The only hash that docker-registry takes; glibc's crypt has it. */
function bcrypt(password: string): string {
  const salt = "$2b$05$abcdefghijklmnopqrstuu";
  return execFileSync("perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", password, salt], { encoding: "utf8" });
}

async function answering([program = "", ...words]: readonly string[], child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    const { stdout } = spawnSync(program, words, { encoding: "utf8" });
    if (/(200|401)$/.test(stdout)) return;
    await sleep(50);
  }
}
