/** `kubeferry push` to real sshds: carried, resumed and refused; told host by host, while the others go on. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { unacknowledged } from "../../builder/push/upload.ts";
import { ensureBuilt, kubeferry } from "../builders/dist.ts";
import { nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import type { Ran } from "../programs/command.ts";
import { pictureOf } from "../programs/tree.ts";
import { Fleet, ips, launcher, type Line, recordsOf } from "../servers/fleet.ts";
import { password } from "../servers/sshd.ts";

const isRoot = process.getuid?.() === 0;
const project = join(import.meta.dirname, "../..");
const fleet = new Fleet();
const { at, sshds, portOf, line, hostsFile, allKnown } = fleet;
const push = (...more: string[]): Promise<Ran> => fleet.push("bundle.tar", ...more);
const closing: Server[] = [];
const names = Object.keys(ips);

before(async () => {
  if (!isRoot) return;
  ensureBuilt();
  const authorized = fleet.key("id");
  const files = [...nodeFiles, { path: "/opt/ferry/share/large", content: randomBytes(3_000_000) }];
  await writeNodeBundle(at("bundle.tar"), { files, launcher });
  for (const name of names)
    await fleet.start(name, authorized, name === "w3" ? { tmpfs: { path: at(name, "opt"), size: "1m" } } : {});
});
after(async () => {
  for (const server of closing) server.close();
  await fleet.close();
});

const ended = (ran: Ran): Line | undefined => recordsOf(ran).find(({ type }) => type === "pushed");
const carriedTo = (name: string): string => at(name, "opt", readdirSync(at(name, "opt"))[0] ?? "");
const options = { skip: isRoot ? false : "sshd and mount namespaces want root" };

test("a dry-run tells what each host lacks and touches none of them", options, async () => {
  hostsFile([line("n1"), line("n2"), line("w1")]);
  const earlier = names.map((name) => pictureOf(at(name, "opt")));
  const ran = await push("--install", "--dry-run");
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.out, /n1: lacks \d parts, 3\.\d MB/);
  // As one executable, with ssh inside.
  const packed = spawnSync(kubeferry, ["push", at("bundle.tar"), "--hosts", at("hosts.yaml"), "--dry-run"], {
    encoding: "utf8",
  });
  assert.equal(packed.status, 0, packed.stderr);
  assert.match(packed.stdout, /w1: done: lacks \d parts/);
  assert.deepEqual(
    names.map((name) => pictureOf(at(name, "opt"))),
    earlier,
  );
});

test(
  "installs on etcd first, then workers, with only their own parts; a second run carries and changes nothing",
  options,
  async () => {
    hostsFile([line("w1"), line("n2"), line("n1")]);
    const ran = await push("--install", "--json");
    assert.equal(ran.code, 0, `${ran.out}\n${ran.err}`);
    const records = recordsOf(ran);
    const order = records.filter(({ type }) => type === "host").map(({ host }) => host);
    assert.equal(order[0], "n1", "the member of etcd is done before any worker begins");
    assert.deepEqual(order.toSorted(), ["n1", "n2", "w1"]);
    assert.ok(records.some(({ type, record }) => type === "host-output" && (record as Line).type === "effect"));
    for (const [name, own] of [
      ["n1", "n1"],
      ["n2", "n2"],
      ["w1", "worker"],
    ] as const) {
      assert.deepEqual(readdirSync(join(carriedTo(name), "secrets")), [`${own}.tar`]);
      assert.equal(statSync(join(carriedTo(name), "secrets", `${own}.tar`)).mode & 0o777, 0o600);
      assert.equal(
        readFileSync(at(name, "root/etc/ferry/serve.conf"), "utf8"),
        `listen: ${ips[name]}\nname: ${name}\n`,
      );
    }
    const pictures = names.map((name) => pictureOf(at(name, "opt")));
    const again = await push("--install", "--json");
    assert.equal(again.code, 0, again.err);
    assert.equal(ended(again)?.["bytes"], 0);
    for (const one of recordsOf(again)) if (one.type === "host") assert.equal(one["effects"], 0);
    assert.deepEqual(
      names.map((name) => pictureOf(at(name, "opt"))),
      pictures,
    );

    const audit = await push("--audit");
    assert.equal(audit.code, 0, audit.err);
    writeFileSync(at("n2/root/etc/ferry/serve.conf"), "edited\n");
    const drifted = await push("--audit");
    assert.equal(drifted.code, 9, drifted.out);
    assert.match(drifted.err, /error DRIFTED: [^]*where: n2 \(127\.0\.0\.1:\d+\)/);
    assert.match(drifted.out, /2 done: w1, n1; 1 failed: n2/);
  },
);

interface Relay {
  readonly port: number;
  /** Bytes that went to the host. */
  readonly passed: () => number;
  /** Settled when the first connection has had its bytes. */
  readonly stalled: Promise<undefined>;
}

/** A relay to a host that cuts its first `cuts` connections after `bytes` bytes to it, or with `holds` passes no more on. */
async function cuttingRelay(to: number, bytes: number, cuts: number, holds = false): Promise<Relay> {
  let [connections, passed] = [0, 0];
  const { promise: stalled, resolve: stall } = Promise.withResolvers<undefined>();
  const server = createServer((client) => {
    connections += 1;
    let left = connections <= cuts ? bytes : Infinity;
    const host = connect(to, "127.0.0.1");
    for (const end of [client, host]) end.on("error", () => undefined);
    host.pipe(client);
    client.on("data", (chunk) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      passed += part.length;
      host.write(part);
      if (left > 0) return;
      stall(undefined);
      if (holds) return;
      host.destroy();
      client.destroy();
    });
    client.on("close", () => host.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(server);
  return { port: (server.address() as AddressInfo).port, passed: () => passed, stalled };
}

test(
  "a cut connection, a wrong password, a changed key and a full disk are each told, and the other host is done",
  options,
  async () => {
    for (const name of ["w1", "w2"]) rmSync(at(name, "opt"), { recursive: true, force: true });
    const relay = await cuttingRelay(portOf("w1"), 2_500_000, 1);
    const relayed = sshds.get("w1")?.known.replace(/\]:\d+/, `]:${relay.port}`) ?? "";
    const known = [...allKnown(), relayed];
    writeFileSync(at("wrong"), "not the password\n", { mode: 0o600 });
    await sshds.get("n1")?.changeKey();
    const identity = "id";
    hostsFile(
      [
        line("w1", { port: relay.port, identity }),
        line("w2", { identity }),
        line("n2", { password: { file: "wrong" } }),
        line("n1", { identity }),
        line("w3", { identity }),
      ],
      { known, defaults: "user: root" },
    );
    const ran = await push("--json");
    const problems = new Map(
      recordsOf(ran).flatMap((one) => (one.type === "error" ? [[String(one["where"]).split(" ")[0], one]] : [])),
    );
    assert.equal(ran.code, 5, `${ran.out}\n${ran.err}`);
    assert.deepEqual(ended(ran)?.["done"], ["w1", "w2"]);
    assert.deepEqual([...problems].map(([host, one]) => `${host} ${String(one["code"])}`).toSorted(), [
      "n1 HOST_KEY_CHANGED",
      "n2 UNAUTHORIZED",
      "w3 NO_SPACE",
    ]);
    assert.match(String(problems.get("n1")?.["where"]), /known_hosts:1$/);
    assert.match(String(problems.get("n2")?.["found"]), /refused the password/);
    assert.match(String(problems.get("w3")?.["expected"]), /3\.\d MB free/);

    const size = statSync(at("bundle.tar")).size;
    // What was on its way when the connection was cut goes once more, and nothing else of the 2.5 MB.
    assert.ok(
      relay.passed() < size + unacknowledged + 400_000,
      `${relay.passed()} bytes went to w1 for a bundle of ${size}: it was resumed`,
    );
    assert.deepEqual(pictureNames("w1"), pictureNames("w2"));
  },
);

/** What is in a host's folder, by name and content alone. */
function pictureNames(name: string): string[] {
  return Object.entries(pictureOf(carriedTo(name))).map(([path, said]) => `${path} ${said.split(" ").at(-1)}`);
}

test("bytes of an earlier attempt count only where the host's digest of them is right", options, async () => {
  hostsFile([line("w2")]);
  const blobs = join(carriedTo("w2"), "blobs/sha256");
  const blob = readdirSync(blobs).find((name) => statSync(join(blobs, name)).size > 1_000_000) ?? "";
  const whole = readFileSync(join(blobs, blob));
  for (const wrong of [whole.subarray(0, 2_000_000).fill(1, 5, 9), Buffer.alloc(whole.length + 5)]) {
    rmSync(join(blobs, blob));
    writeFileSync(join(blobs, `${blob}.partial`), wrong);
    writeFileSync(join(blobs, "left.partial"), "of another bundle");
    const ran = await push();
    assert.equal(ran.code, 0, ran.err);
    assert.equal(execFileSync("sha256sum", [join(blobs, blob)], { encoding: "utf8" }).slice(0, 64), blob);
    assert.deepEqual(readdirSync(blobs), [blob]);
  }
});

test("a user with sudo and a password, through a jump host: root owns what root runs", options, async () => {
  rmSync(at("w2", "opt"), { recursive: true, force: true });
  writeFileSync(at("w2/sudoers"), "root ALL=(ALL) ALL\ncarrier ALL=(ALL) ALL\n");
  writeFileSync(at("right"), `${password}\n`, { mode: 0o600 });
  const jump = { address: "127.0.0.1", port: portOf("n2"), identity: "id" };
  hostsFile([line("w2", { user: "carrier", password: { file: "right" }, sudo: true, jump })], { defaults: "port: 22" });
  const ran = await push("--install");
  assert.equal(ran.code, 0, `${ran.out}\n${ran.err}`);
  assert.ok(existsSync(at("w2/root/etc/ferry/serve.conf")));
  for (const [path, said] of Object.entries(pictureOf(carriedTo("w2")))) assert.match(said, / 0:0( |$)/, path);
  const again = await push("--install");
  assert.match(again.out, /w2: done: has every part already; \.\/install changed nothing/);
});

test(
  "Ctrl-C closes every connection, tells how far each host is, and ends with 130; the next run goes on",
  options,
  async () => {
    for (const name of ["w1", "w2"]) rmSync(at(name, "opt"), { recursive: true, force: true });
    const relay = await cuttingRelay(portOf("w1"), 1_500_000, 1, true);
    const relayed = sshds.get("w1")?.known.replace(/\]:\d+/, `]:${relay.port}`) ?? "";
    hostsFile([line("w1", { port: relay.port }), line("w2")], { known: [...allKnown(), relayed] });
    const words = ["builder/main.ts", "push", at("bundle.tar"), "--hosts", at("hosts.yaml"), "--parallel", "1"];
    const child = spawn(process.execPath, words, { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    await relay.stalled;
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 130, said);
    assert.match(said, /error INTERRUPTED: [^]*where: w1 [^]*(1 failed: w1|2 failed: w1, w2)/);
    const again = await push();
    assert.equal(again.code, 0, again.err);
    assert.match(again.out, /2 done: w1, w2/);
  },
);
