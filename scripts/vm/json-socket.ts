/** One JSON object a line over a Unix socket, one request at a time: how QMP and the guest agent both talk. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type Json = Record<string, unknown>;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class JsonSocket {
  #socket: Socket;
  #rest = "";
  #waiting: Waiting | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** Sees every message that is not the answer to a request; while it returns true, answers too. */
  onMessage: ((message: Json) => boolean) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("error", () => {});
    socket.on("close", () => this.#waiting?.reject(new Error("the machine's socket was closed")));
  }

  /** Tries until the socket is there, at most ten seconds. */
  static async open(path: string, alive: () => void): Promise<JsonSocket> {
    for (let attempt = 0; ; attempt += 1) {
      alive();
      const socket = connect(path);
      const connected = await new Promise<boolean>((resolve) => {
        socket.once("connect", () => resolve(true));
        socket.once("error", () => resolve(false));
      });
      if (connected) return new JsonSocket(socket);
      if (attempt === 300) throw new Error(`nobody answers at ${path}`);
      await sleep(30);
    }
  }

  /** The answer's `return`; throws its `error`, or when none comes in time. */
  request(execute: string, parameters: Json = {}, timeoutSeconds = 30): Promise<unknown> {
    const answer = this.#turn.then(() => this.#ask({ execute, arguments: parameters }, timeoutSeconds));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Sends a line and waits for nothing. */
  send(message: Json, prefix = ""): void {
    this.#socket.write(`${prefix}${JSON.stringify(message)}\n`, "latin1");
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(message: Json & { execute: string }, timeoutSeconds: number): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting = { resolve, reject };
    const timer = setTimeout(() => reject(new Error(`no answer to ${message.execute}`)), timeoutSeconds * 1000);
    if (this.#socket.destroyed) reject(new Error("the machine's socket was closed"));
    this.send(message);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    // 0xff is what the guest agent puts before the answer to a delimited sync.
    for (const line of lines) this.#take(line.slice(line.lastIndexOf("\u00ff") + 1));
  }

  #take(line: string): void {
    let message: Json;
    try {
      message = JSON.parse(Buffer.from(line, "latin1").toString("utf8")) as Json;
    } catch {
      return; // What was left in the line from before a reset.
    }
    if (this.onMessage?.(message) === true) return;
    if (message["error"] !== undefined) this.#waiting?.reject(new Error(JSON.stringify(message["error"])));
    else if ("return" in message) this.#waiting?.resolve(message["return"]);
  }
}
