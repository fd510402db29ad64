/** Runs programs in the guest over a serial port, which neither firewall nor reboot of a network can disturb. */
import { setTimeout as sleep } from "node:timers/promises";
import { JsonSocket } from "./json-socket.ts";

export interface GuestResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GuestOptions {
  readonly timeoutSeconds?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly "out-data"?: string;
  readonly "err-data"?: string;
  readonly "out-truncated"?: boolean;
}

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};

export class GuestAgent {
  readonly #socket: JsonSocket;

  private constructor(socket: JsonSocket) {
    this.#socket = socket;
  }

  /**
   * Waits until the agent answers. What is sent before it runs may wait in the port or be lost, so a sync with a
   * new number goes out again and again until the newest number comes back.
   */
  static async open(path: string, alive: () => void, timeoutSeconds = 240): Promise<GuestAgent> {
    const socket = await JsonSocket.open(path, alive);
    const deadline = Date.now() + timeoutSeconds * 1000;
    const sync = { newest: 0, answered: false };
    socket.onMessage = (message) => {
      sync.answered ||= message["return"] === sync.newest;
      return true;
    };
    while (!sync.answered) {
      alive();
      if (Date.now() > deadline) throw new Error(`the guest agent did not answer in ${timeoutSeconds} s`);
      sync.newest = 1 + Math.floor(Math.random() * 1e9);
      socket.send({ execute: "guest-sync-delimited", arguments: { id: sync.newest } }, "\u00ff");
      for (let turn = 0; turn < 60 && !sync.answered; turn += 1) await sleep(25);
    }
    socket.onMessage = null;
    return new GuestAgent(socket);
  }

  /**
   * Runs a program and waits for its end. A child that goes on in the background and holds standard output keeps
   * this waiting: start such a thing with systemd-run.
   */
  async exec(argv: readonly [string, ...string[]], options: GuestOptions = {}): Promise<GuestResult> {
    const [path, ...arg] = argv;
    const env = Object.entries({ ...environment, ...options.environment }).map(([name, value]) => `${name}=${value}`);
    const input = options.input === undefined ? {} : { "input-data": Buffer.from(options.input).toString("base64") };
    const parameters = { path, arg, env, "capture-output": true, ...input };
    const { pid } = (await this.#socket.request("guest-exec", parameters)) as { pid: number };
    const deadline = Date.now() + (options.timeoutSeconds ?? 300) * 1000;
    for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
      const status = (await this.#socket.request("guest-exec-status", { pid }, 120)) as ExecStatus;
      if (status.exited) return resultOf(status);
      if (Date.now() > deadline) throw new Error(`still running in the guest: ${argv.join(" ").slice(0, 200)}`);
      await sleep(pause);
    }
  }

  close(): void {
    this.#socket.close();
  }
}

function resultOf(status: ExecStatus): GuestResult {
  if (status["out-truncated"] === true) throw new Error("the guest command printed more than the agent can carry");
  const text = (data = ""): string => Buffer.from(data, "base64").toString("utf8");
  return { code: status.exitcode ?? null, stdout: text(status["out-data"]), stderr: text(status["err-data"]) };
}
