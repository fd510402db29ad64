/** A real Chromium without any network, driven over a pipe by its own protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

export class Browser {
  /** Every URL that a page asked for, in order. */
  readonly requests: string[] = [];
  /** What went wrong in pages: loads that failed, errors of scripts, what a page's policy refused. */
  readonly complaints: string[] = [];
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #answers = new Map<number, PromiseWithResolvers<Readonly<Record<string, unknown>>>>();
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  #count = 0;
  #session = "";

  /** Wants root: its network namespace has no interface but a loopback that is down. */
  static async start(): Promise<Browser> {
    const browser = new Browser();
    const { targetId } = await browser.#call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#call("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Network", "Runtime", "Log", "Inspector"]) await browser.#call(`${domain}.enable`);
    return browser;
  }

  private constructor() {
    this.#profile = mkdtempSync(join(tmpdir(), "kubeferry-browser-"));
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"];
    this.#process = spawn("unshare", ["--net", "chromium", ...flags, `--user-data-dir=${this.#profile}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    this.#process.on("exit", (code) => this.#fail(new Error(`chromium ended with ${code}`)));
    let rest = "";
    (this.#process.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
  }

  /** Opens an address and waits until all that the page loads is there. */
  async open(url: string): Promise<void> {
    const loaded = this.#next("Page.loadEventFired");
    const { errorText } = await this.#call("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${JSON.stringify(errorText)}`);
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const { result } = await this.#call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    return (result as { value: Value }).value;
  }

  /** Runs what leads to another page, and waits for it. */
  async follow(expression: string): Promise<void> {
    const loaded = this.#next("Page.loadEventFired");
    await this.evaluate(expression);
    await loaded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    await this.#call("Browser.close", {}, false).catch(() => null);
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #next(method: string): Promise<void> {
    const event = Promise.withResolvers<void>();
    this.#waiting.set(method, event);
    return event.promise;
  }

  #fail(error: Error): void {
    for (const { reject } of [...this.#answers.values(), ...this.#waiting.values()]) reject(error);
  }

  #call(
    method: string,
    params: object = {},
    inPage = this.#session !== "",
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#count += 1;
    const answer = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    this.#answers.set(this.#count, answer);
    const message = { id: this.#count, method, params, ...(inPage ? { sessionId: this.#session } : {}) };
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    return answer.promise;
  }

  #take({ id, method = "", params = {}, result = {}, error }: Message): void {
    if (id !== undefined) {
      const answer = this.#answers.get(id);
      this.#answers.delete(id);
      if (error === undefined) answer?.resolve(result);
      else answer?.reject(new Error(error.message));
      return;
    }
    if (method === "Network.requestWillBeSent") this.requests.push((params["request"] as { url: string }).url);
    if (method === "Network.loadingFailed" || method === "Runtime.exceptionThrown" || method === "Log.entryAdded") {
      this.complaints.push(JSON.stringify(params));
    }
    if (method === "Inspector.targetCrashed") this.#fail(new Error("the page crashed"));
    this.#waiting.get(method)?.resolve();
    this.#waiting.delete(method);
  }
}
