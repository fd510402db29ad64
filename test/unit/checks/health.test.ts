/** Health while something starts: tried again, given up, or left waiting for another host, which is asked by a real socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import type { CheckEntry } from "#bundle";
import { hostPort } from "#formats/address";
import { isThere, stillAwaited } from "../../../installer/checks/awaited.ts";
import { checkUntilHealthy } from "../../../installer/checks/health.ts";
import { gate, healthOf } from "../../../installer/transaction/gate.ts";
import type { Context } from "../../../installer/context.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import { FakeHost } from "../../fakes/fake-host.ts";

/** Its daemon says 200 from the `from`-th question on. */
class Daemon extends FakeHost {
  asked = 0;
  readonly from: number;
  constructor(from: number) {
    super();
    this.from = from;
  }
  override async query(): Promise<{ code: number; stdout: string; stderr: string }> {
    this.asked += 1;
    return { code: 0, stdout: this.asked < this.from ? "HTTP/1.1 503" : "HTTP/1.1 200 OK", stderr: "" };
  }
}

const check: CheckEntry = {
  ...{ name: "it is healthy", unit: "it.service", argv: ["ask"], environment: {}, matches: "200", timeoutSeconds: 5 },
  ...{ severity: "error", hint: "journalctl -u it", for: { roles: ["worker"] } },
};
const awaiting = (...at: string[]): CheckEntry => ({ ...check, awaits: { what: "an API server", at, enough: 1 } });
const never = 1_000_000;

async function severities(host: FakeHost, entry: CheckEntry, tries = 5): Promise<string[]> {
  const options = { host, checks: [entry], alone: true, tries, wait: async () => {} };
  return (await checkUntilHealthy(options)).map(({ severity, message }) => `${severity}: ${message}`);
}

async function listening(address = "127.0.0.1"): Promise<Server & { place: string }> {
  const server = createServer().listen(0, address);
  await once(server, "listening");
  return Object.assign(server, { place: hostPort(address, (server.address() as AddressInfo).port) });
}

/** A port of loopback on which nobody listens any more. */
async function silent(): Promise<string> {
  const server = await listening();
  server.close();
  await once(server, "close");
  return server.place;
}

test("what becomes healthy within its tries is, and what does not is an error", async () => {
  assert.deepEqual(await severities(new Daemon(4), check), ["ok: healthy"]);
  const sick = new Daemon(never);
  assert.deepEqual(await severities(sick, check), ["error: answers, but not as a healthy one does"]);
  assert.equal(sick.asked, 5);
});

test("what another host is to bring is waited for by nobody: one look, and it is told", async () => {
  const host = new Daemon(never);
  const place = await silent();
  assert.deepEqual(await severities(host, awaiting(place)), [
    `warning: waits for an API server: ${place} does not answer yet`,
  ]);
  assert.equal(host.asked, 1);
});

test("once that host is there, the daemon has no excuse any more", async (t) => {
  const other = await listening();
  t.after(() => other.close());
  const [message = ""] = await severities(new Daemon(never), awaiting(await silent(), other.place));
  assert.match(message, /^error: /);
  assert.deepEqual(await severities(new Daemon(3), awaiting(other.place)), ["ok: healthy"]);
});

test("of a quorum enough must be there", async (t) => {
  const [one, two] = [await listening(), await listening()];
  t.after(() => [one, two].forEach((server) => server.close()));
  const at = [one.place, await silent(), two.place];
  assert.equal(await isThere({ what: "etcd", at, enough: 2 }), true);
  assert.equal(await isThere({ what: "etcd", at, enough: 3 }), false);
});

test("a place by IPv6 has brackets", async (t) => {
  const server = await listening("::1");
  t.after(() => server.close());
  assert.match(server.place, /^\[::1\]:\d+$/);
  assert.equal(await isThere({ what: "etcd", at: [server.place], enough: 1 }), true);
});

test("what a node still waits for is told once, however many checks name it", async (t) => {
  const there = await listening();
  t.after(() => there.close());
  const gone = await silent();
  const left = await stillAwaited([awaiting(gone), awaiting(gone), awaiting(there.place), check]);
  assert.deepEqual(left, [{ what: "an API server", at: [gone], enough: 1 }]);
});

const reporter = { record() {}, info() {}, warn() {}, stage() {} };
const context = { reporter, signal: AbortSignal.timeout(60_000) } as unknown as Context;
const header = (entry: CheckEntry, more: Partial<Header> = {}): Header =>
  ({ checks: [entry], alone: true, ...more }) as unknown as Header;

test("a first installation goes on while its check waits; an upgrade does not, for the others serve meanwhile", async () => {
  const entry = awaiting(await silent());
  const host = new Daemon(never);
  await gate(host, header(entry), context)("start it", [entry.name]);
  assert.equal(host.asked, 1);
  const stopped = { ...context, signal: AbortSignal.timeout(1500) };
  await assert.rejects(gate(host, header(entry, { action: "upgrade" }), stopped)("start it", [entry.name]));
});

test("only the named checks are asked, and Ctrl-C ends the waiting", async () => {
  const host = new Daemon(never);
  const wanted = { phase: "restored", gates: [], excused: true };
  assert.deepEqual(await healthOf(host, header(check), wanted, context), []);
  assert.equal(host.asked, 0);
  const pressed = new AbortController();
  const stopped = { ...context, signal: pressed.signal };
  const waiting = healthOf(host, header(check), { ...wanted, gates: [check.name] }, stopped);
  pressed.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});
