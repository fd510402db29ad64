/** `kubeferry push` to real sshds: every way to log in, keys of nodes, what an earlier bundle brought, and who is not begun. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openKeys } from "../../builder/pack/keys.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { kubeletCertificate, rotatedBundles } from "../builders/rotated-bundles.ts";
import type { Ran } from "../programs/command.ts";
import { pictureOf } from "../programs/tree.ts";
import { Fleet, launcher, type Line, recordsOf } from "../servers/fleet.ts";
import { password } from "../servers/sshd.ts";

const project = join(import.meta.dirname, "../..");
const options = { skip: process.getuid?.() === 0 ? false : "sshd and mount namespaces want root" };
const fleet = new Fleet();
const { at, line, hostsFile, push } = fleet;
const passphrase = "a passphrase of the tests";
const large = randomBytes(2_000_000);
let agent: { readonly SSH_AUTH_SOCK: string; readonly SSH_AGENT_PID: string };

before(async () => {
  if (options.skip !== false) return;
  const plain = fleet.key("id");
  await fleet.start("n1", `${plain}\n${fleet.key("held")}`);
  await fleet.start("n2", `${plain}\n${fleet.key("locked", passphrase)}`);
  await fleet.start("w1", "", { asks: true });
  writeFileSync(at("right"), `${password}\n`, { mode: 0o600 });
  writeFileSync(at("wrong"), "not the password\n", { mode: 0o600 });
  const said = execFileSync("ssh-agent", ["-s", "-a", at("agent")], { encoding: "utf8" });
  agent = { SSH_AUTH_SOCK: at("agent"), SSH_AGENT_PID: /SSH_AGENT_PID=(\d+)/.exec(said)?.[1] ?? "" };
  execFileSync("ssh-add", ["-q", at("held")], { env: { ...process.env, ...agent } });
  // From here on the agent alone has it.
  rmSync(at("held"));
  await bundle("plain.tar", {});
});
after(async () => {
  if (options.skip === false) execFileSync("ssh-agent", ["-k"], { env: { ...process.env, ...agent } });
  await fleet.close();
});

/** All have the same large content, in the same blob. */
async function bundle(name: string, more: Parameters<typeof writeNodeBundle>[1]): Promise<void> {
  const files: FileWish[] = [...nodeFiles, { path: "/opt/ferry/share/large", content: large }];
  await writeNodeBundle(at(name), { files, launcher, ...more });
}

const asked = { password: { file: "right" } };
const logOf = (name: string): string => readFileSync(at(name, "log"), "utf8");
const errorsOf = (ran: Ran): Map<string, Line> =>
  new Map(
    recordsOf(ran).flatMap((one) => (one.type === "error" ? [[String(one["where"]).split(" ")[0] ?? "", one]] : [])),
  );
const carried = (ran: Ran): Map<string, Line> =>
  new Map(recordsOf(ran).flatMap((one) => (one.type === "carried" ? [[String(one["host"]), one]] : [])));

/** `push` on a terminal, where the passphrase is typed when it is asked for. */
async function pushAtTerminal(
  environment: Readonly<Record<string, string>>,
  typed: string,
): Promise<[number | null, string]> {
  const words = [process.execPath, "builder/main.ts", "push", at("plain.tar"), "--hosts", at("hosts.yaml")];
  const command = words.map((word) => `'${word}'`).join(" ");
  const terminal = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: project,
    env: { ...process.env, ...environment },
  });
  let said = "";
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (!said.includes("Passphrase of") && (said + text).includes("Passphrase of")) terminal.stdin.write(typed);
    said += text;
  });
  return new Promise((resolve) => terminal.once("close", (code) => resolve([code, said])));
}

test("an agent, a key with a passphrase, and a host that asks for the password: each lets it in", options, async () => {
  hostsFile([line("n1", { agent: true }), line("n2", { identity: "locked" }), line("w1", asked)], {
    defaults: "user: root",
  });
  const [code, said] = await pushAtTerminal({ SSH_AUTH_SOCK: agent.SSH_AUTH_SOCK }, `${passphrase}\r`);
  assert.equal(code, 0, said);
  assert.match(said, /3 done: n1, n2, w1/);
  assert.doesNotMatch(said, new RegExp(passphrase), "what is typed is shown nowhere");
  assert.match(logOf("n1"), /Accepted publickey for root/);
  assert.match(logOf("n2"), /Accepted publickey for root/);
  assert.match(logOf("w1"), /Accepted keyboard-interactive\/pam for root/);
});

test(
  "without agent or terminal, and with a wrong password or passphrase, it says which of them was refused",
  options,
  async () => {
    hostsFile([line("n1", { agent: true }), line("w1", { password: { file: "wrong" } })], { defaults: "user: root" });
    const refused = await push("plain.tar", "--json");
    assert.equal(refused.code, 4, refused.out);
    const found = new Map(
      [...errorsOf(refused)].map(([host, one]) => [host, `${String(one["code"])} ${String(one["found"])}`]),
    );
    assert.match(
      found.get("n1") ?? "",
      /^UNAUTHORIZED hosts\.yaml names no key and no password, and there is no agent/,
    );
    assert.match(found.get("w1") ?? "", /^UNAUTHORIZED it refused the password/);
    hostsFile([line("n2", { identity: "locked" })], { defaults: "user: root" });
    const closed = await push("plain.tar");
    assert.equal(closed.code, 4);
    assert.match(closed.err, /UNAUTHORIZED: the private key is sealed with a passphrase, and there is no terminal/);
    const [code, said] = await pushAtTerminal({}, "not the passphrase\r");
    assert.equal(code, 4, said);
    assert.match(said, /the private key does not open with this passphrase/);
  },
);

test(
  "each node's key opens its secrets and stays nowhere; a worker that fails stops the next unless it is to go on",
  options,
  async () => {
    const keys = await openKeys({ folder: at("sample.keys"), pki: at("sample.pki"), nodes: ["n1", "n2", "worker"] });
    await bundle("sealed.tar", { recipients: [...keys.nodes.values()] });
    const right = readFileSync(at("sample.keys/n2.key"), "utf8");
    await openKeys({ folder: at("other.keys"), pki: at("other.pki"), nodes: ["n2"] });
    writeFileSync(at("sample.keys/n2.key"), readFileSync(at("other.keys/n2.key")));
    const lines = [line("n2", { identity: "id" }), line("w1", asked), line("n1", { identity: "id" })];
    hostsFile(lines, { defaults: "user: root", head: ["keys: sample.keys"] });

    const stopped = await push("sealed.tar", "--install", "--parallel", "1", "--json");
    assert.equal(stopped.code, 5, stopped.out);
    assert.equal(errorsOf(stopped).get("n2")?.["code"], "KEY_WRONG");
    const end = recordsOf(stopped).find(({ type }) => type === "pushed");
    assert.deepEqual([end?.["done"], end?.["failed"], end?.["leftOut"]], [["n1"], ["n2"], ["w1"]]);
    assert.ok(!existsSync(at("w1/root/etc/ferry/serve.conf")), "w1 is not begun");

    const going = await push("sealed.tar", "--install", "--parallel", "1", "--keep-going");
    assert.equal(going.code, 5, going.out);
    assert.match(going.out, /2 done: w1, n1; 1 failed: n2/);
    writeFileSync(at("sample.keys/n2.key"), right);
    assert.equal((await push("sealed.tar", "--install")).code, 0);
    for (const name of ["n1", "n2", "w1"]) {
      const secret = at(name, "root/etc/ferry/pki/serve.key");
      assert.equal(readFileSync(secret, "utf8"), "a key\n");
      assert.equal(statSync(secret).mode & 0o777, 0o600);
      const grep = ["-rlE", "AGE-SECRET-KEY|not the password", at(name, "opt"), at(name, "root"), at(name, "log")];
      assert.throws(() => execFileSync("grep", grep, { stdio: "pipe" }), { status: 1 }, `${name} keeps no key`);
    }
  },
);

test(
  "what an earlier bundle brought is copied on the host, and sent only where its digest is wrong there",
  options,
  async () => {
    await bundle("later.tar", { edit: (index) => (index.release.components = { serve: "1.1" }) });
    const blob = (name: string): string[] =>
      readdirSync(at(name, "opt")).flatMap((one) => {
        const folder = at(name, "opt", one, "blobs/sha256");
        return readdirSync(folder).map((file) => join(folder, file));
      });
    for (const path of blob("n2")) {
      const bytes = readFileSync(path);
      bytes[1_000_000] = (bytes[1_000_000] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }
    hostsFile([line("n1", { identity: "id" }), line("n2", { identity: "id" })], { defaults: "user: root" });
    const ran = await push("later.tar", "--json");
    assert.equal(ran.code, 0, ran.out);
    const bytes = new Map([...carried(ran)].map(([host, one]) => [host, Number(one["bytes"])]));
    assert.ok((bytes.get("n1") ?? 0) > 0 && (bytes.get("n1") ?? 0) < 100_000, `${bytes.get("n1")} bytes went to n1`);
    assert.ok((bytes.get("n2") ?? 0) > large.length, `${bytes.get("n2")} bytes went to n2`);
    const again = await push("later.tar", "--json");
    assert.deepEqual(
      [...carried(again).values()].map((one) => one["parts"]),
      [0, 0],
    );
  },
);

test(
  "no master drops a CA while a kubelet still has its certificate: every host is asked before the first is changed",
  options,
  async () => {
    for (const name of ["n1", "w1"]) for (const one of ["opt", "root"]) rmSync(at(name, one), { recursive: true });
    for (const name of ["n1", "w1"]) execFileSync("mkdir", ["-p", at(name, "opt"), at(name, "root")]);
    rmSync(at("sample.pki"), { recursive: true, force: true });
    const { pkis } = await rotatedBundles(fleet.folder, { launcher });
    hostsFile([line("n1", { identity: "id" }), line("w1", asked)], { defaults: "user: root" });
    const installed = await push("reissue.tar", "--install");
    assert.equal(installed.code, 0, installed.out + installed.err);
    await kubeletCertificate(at("w1/root"), pkis.first);
    const before = pictureOf(at("n1/root"));
    const refused = await push("drop.tar", "--upgrade", "--keep-going");
    assert.equal(refused.code, 6, refused.out + refused.err);
    assert.match(
      refused.err,
      /error PREFLIGHT: [^]*the kubelet still uses a certificate of the CA that this bundle drops[^]*where: w1 /,
    );
    assert.match(refused.err, /n1: not begun, because w1 is not ready for the keys of this bundle/);
    assert.deepEqual(pictureOf(at("n1/root")), before);
    await kubeletCertificate(at("w1/root"), pkis.reissue);
    const done = await push("drop.tar", "--upgrade");
    assert.equal(done.code, 0, done.out + done.err);
    assert.match(done.out, /2 done: n1, w1/);
  },
);
