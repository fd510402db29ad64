/** One running qemu and its control socket. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { JsonSocket, type Json } from "./json-socket.ts";
import { program, qemuArguments, type QemuOptions } from "./qemu.ts";

export class QemuProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #ended: Promise<void>;
  #control: JsonSocket | null = null;
  /** Names of the events seen so far, with what they are about. */
  readonly events: Json[] = [];

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
  }

  /** Starts it; with `restore` it waits for {@link restore}. */
  static async start(options: QemuOptions): Promise<QemuProcess> {
    const complaints = openSync(join(options.folder, "qemu.log"), "a");
    // A test that is killed takes its machines with it.
    const argv = ["--pdeathsig", "KILL", program, ...qemuArguments(options)];
    const child = spawn("setpriv", argv, { stdio: ["ignore", complaints, complaints] });
    closeSync(complaints);
    const started = new QemuProcess(child, options.folder);
    const control = await JsonSocket.open(join(options.folder, "qmp"), () => started.mustLive());
    started.#control = control;
    control.onMessage = (message) => {
      if ("event" in message) started.events.push(message);
      return "event" in message || "QMP" in message;
    };
    await control.request("qmp_capabilities");
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Throws with qemu's own words and the console's end when it has ended. */
  mustLive(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return;
    throw new Error(`qemu has ended\n${this.#tail("qemu.log")}\n${this.#tail("console.log")}`);
  }

  /** What can be seen of a guest that does not answer: where its processors are, events since the start, the console's end. */
  async describe(): Promise<string> {
    const status = JSON.stringify(await this.request("query-status").catch(String));
    const monitor = async (line: string): Promise<string> =>
      String(await this.request("human-monitor-command", { "command-line": line }).catch(String));
    const registers = (await monitor("info registers -a"))
      .split("\n")
      .filter((line) => /^(CPU#|R?IP=|CR3=)/.test(line));
    const events = this.events.map(({ event, data }) => `${String(event)} ${JSON.stringify(data)}`);
    const parts = [status, await monitor("info cpus"), ...registers, ...events, this.#tail("console.log")];
    return [...parts, this.#tail("qemu.log")].join("\n");
  }

  #tail(name: string): string {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, "utf8").slice(-3000) : "";
  }

  async request(execute: string, parameters: Json = {}): Promise<unknown> {
    this.mustLive();
    if (this.#control === null) throw new Error("qemu is not connected");
    return this.#control.request(execute, parameters, 120);
  }

  /** Resolves when an event of that name was seen whose data has these values. */
  async event(name: string, data: Json = {}, timeoutSeconds = 120): Promise<void> {
    const fits = (event: Json): boolean => {
      const found = (event["data"] ?? {}) as Json;
      return event["event"] === name && Object.entries(data).every(([key, value]) => found[key] === value);
    };
    for (let turn = 0; !this.events.some(fits); turn += 1) {
      this.mustLive();
      if (turn * 0.025 > timeoutSeconds) throw new Error(`no ${name} in ${timeoutSeconds} s`);
      await sleep(25);
    }
  }

  /** Whether a program in the guest has opened that port since the start. */
  guestOpened(port: string): boolean {
    return this.events.some((event) => {
      const data = (event["data"] ?? {}) as Json;
      return event["event"] === "VSERPORT_CHANGE" && data["id"] === port && data["open"] === true;
    });
  }

  /** Loads the saved state of devices; the RAM is already mapped from its file. */
  async restore(statePath: string): Promise<void> {
    await this.#ignoreSharedMemory();
    await this.request("migrate-incoming", { uri: `exec:cat ${statePath}` });
    while (((await this.request("query-status")) as Json)["status"] === "inmigrate") await sleep(20);
    await this.request("cont");
  }

  /** Stops the guest, saves the state of devices and ends; the RAM stays in its file. */
  async save(statePath: string): Promise<void> {
    await this.request("stop");
    await this.#ignoreSharedMemory();
    await this.request("migrate", { uri: `exec:cat > ${statePath}` });
    for (;;) {
      const { status } = (await this.request("query-migrate")) as { status?: string };
      if (status === "completed") break;
      if (status === "failed") throw new Error("qemu could not save its state");
      await sleep(30);
    }
    await this.request("quit").catch(() => {}); // It may be gone before it answers.
    await this.#ended;
    this.#control?.close();
  }

  /** SIGKILL: for the guest, the power is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
    this.#control?.close();
  }

  async #ignoreSharedMemory(): Promise<void> {
    await this.request("migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] });
  }
}
