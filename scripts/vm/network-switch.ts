/**
 * An Ethernet switch in this process: machines on it reach one another and nothing else. qemu connects with
 * `-netdev stream` over a Unix socket and sends each frame after its length (4 bytes, big-endian).
 */
import { createServer, type Server, type Socket } from "node:net";
import { rmSync } from "node:fs";

/** Frames for a machine that does not read are dropped past this many waiting bytes. */
const queueLimit = 4_000_000;

export class NetworkSwitch {
  readonly path: string;
  readonly #ports = new Map<Socket, string>();
  readonly #cut = new Set<string>();
  #server: Server | null = null;

  /** `path`: where the Unix socket is to be. */
  constructor(path: string) {
    this.path = path;
  }

  async listen(): Promise<void> {
    rmSync(this.path, { force: true });
    const server = createServer((socket) => this.#connect(socket));
    this.#server = server;
    await new Promise<void>((resolve) => {
      server.listen(this.path, resolve);
    });
  }

  /** Takes the machine with that hardware address off the network. */
  cut(address: string): void {
    this.#cut.add(address.replaceAll(":", ""));
  }

  heal(address: string): void {
    this.#cut.delete(address.replaceAll(":", ""));
  }

  close(): void {
    for (const socket of this.#ports.keys()) socket.destroy();
    this.#server?.close();
    rmSync(this.path, { force: true });
  }

  #connect(socket: Socket): void {
    let rest: Buffer = Buffer.alloc(0);
    this.#ports.set(socket, "");
    socket.on("error", () => {});
    socket.on("close", () => this.#ports.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
        const end = 4 + rest.readUInt32BE(0);
        this.#forward(socket, rest.subarray(0, end));
        rest = rest.subarray(end);
      }
    });
  }

  #forward(from: Socket, frame: Buffer): void {
    const target = frame.toString("hex", 4, 10);
    const source = frame.toString("hex", 10, 16);
    this.#ports.set(from, source);
    if (this.#cut.has(source)) return;
    const known = [...this.#ports].filter(([, address]) => address === target);
    for (const [socket, address] of known.length > 0 ? known : this.#ports) {
      if (socket !== from && !this.#cut.has(address) && socket.writableLength < queueLimit) socket.write(frame);
    }
  }
}
