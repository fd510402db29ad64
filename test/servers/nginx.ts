/** A real nginx on loopback, that says what it was asked and what it sent. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Asked {
  readonly path: string;
  readonly status: number;
  /** Bytes of the body that were sent. */
  readonly sent: number;
  readonly range: string;
}

export interface Nginx {
  readonly port: number;
  readonly url: string;
  /** Requests so far, in order of their end; `settled` waits until there are as many. */
  asked(): Asked[];
  settled(count: number): Promise<Asked[]>;
  clearLog(): void;
  /** The process, to stop and go on with. */
  readonly process: ChildProcess;
  close(): Promise<void>;
}

/** Starts nginx for the files below `root`; `locations` and `listen` are lines of its server block. */
export async function startNginx(
  folder: string,
  root: string,
  options: { readonly locations?: string; readonly tls?: { readonly certificate: string; readonly key: string } } = {},
): Promise<Nginx> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const log = join(folder, "access.log");
  writeFileSync(log, "");
  const { tls } = options;
  const secure = tls === undefined ? "" : `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`;
  // One process, so that stopping it stops all of it.
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  log_format asked '$request_uri $status $body_bytes_sent "$http_range"';
  access_log ${log} asked;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
  uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  server { listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl"}; ${secure} root ${root}; ${options.locations ?? ""} }
}
`,
  );
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "inherit" });
  await answering(port, child);
  const asked = (): Asked[] =>
    readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [path = "", status, sent, range = ""] = line.split(" ");
        return { path, status: Number(status), sent: Number(sent), range: range.replaceAll('"', "") };
      });
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    asked,
    async settled(count) {
      while (asked().length < count) await sleep(20);
      return asked();
    },
    clearLog: () => writeFileSync(log, ""),
    process: child,
    async close() {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

/** A relay that hands the first connection only so many bytes of the answer, and all others everything. */
export async function cuttingRelay(to: number, bytes: number): Promise<{ url: string; close: () => void }> {
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    let left = connections === 1 ? bytes : Infinity;
    const upstream = connect(to, "127.0.0.1");
    for (const end of [client, upstream]) end.on("error", () => undefined);
    client.pipe(upstream);
    upstream.on("data", (chunk) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (!client.write(part)) {
        upstream.pause();
        client.once("drain", () => upstream.resume());
      }
      if (left <= 0) {
        upstream.destroy();
        client.end();
      }
    });
    upstream.on("end", () => client.end());
    client.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** A port of loopback that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until a program listens on its port. */
export async function answering(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await sleep(20);
  }
}
