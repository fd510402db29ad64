/** `kubeferry export ansible` by the distribution's own ansible-playbook, over ssh to real sshds. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { runKubeferry } from "../programs/command.ts";
import { requirePackages } from "../programs/packages.ts";
import { pictureOf } from "../programs/tree.ts";
import { type Sshd, startSshd } from "../servers/sshd.ts";

const options = { skip: process.getuid?.() === 0 ? false : "sshd and mount namespaces want root" };
const folder = mkdtempSync(join(tmpdir(), "kubeferry-ansible-"));
const project = join(import.meta.dirname, "../..");
const at = (...names: string[]): string => join(folder, ...names);
const sshds = new Map<string, Sshd>();
/** `w1` is a worker of the subnet. */
const hosts = [
  { name: "n1", node: "n1", who: { node: "n1" } },
  { name: "w1", node: "worker", who: { ip: "10.0.0.21", name: "w1" } },
] as const;
let key: string;

before(async () => {
  if (options.skip !== false) return;
  requirePackages("ansible-core", "openssh-client");
  chmodSync(folder, 0o755);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("id")]);
  const authorized = readFileSync(at("id.pub"), "utf8").trim();
  key = await generateX25519Identity();
  mkdirSync(at("keys"), { mode: 0o700 });
  for (const { node } of hosts) writeFileSync(at("keys", `${node}.key`), `${node} ${key}\n`, { mode: 0o600 });
  // ./install of this bundle is the project's own source.
  const launcher = `#!/bin/sh\nhere=$(dirname "$0")\nexec '${process.execPath}' '${project}/installer/main.ts' "$@" --bundle "$here"\n`;
  const recipients = [await identityToRecipient(key)];
  await writeNodeBundle(at("bundle.tar"), { files: nodeFiles, launcher, recipients });
  for (const { name } of hosts) {
    mkdirSync(at(name, "root"), { recursive: true });
    sshds.set(name, await startSshd(at(name), authorized));
  }
  const lines = hosts.map(({ name, who }) => {
    const own = {
      ...who,
      address: "127.0.0.1",
      port: sshds.get(name)?.port,
      folder: at(name, "opt"),
      root: at(name, "root"),
    };
    return `  - ${JSON.stringify(own)}`;
  });
  writeFileSync(at("known_hosts"), `${[...sshds.values()].map(({ known }) => known).join("\n")}\n`);
  const head = ["knownHosts: known_hosts", "keys: keys", "defaults: { agent: false, identity: id }", "hosts:"];
  writeFileSync(at("hosts.yaml"), [...head, ...lines, ""].join("\n"));
});
after(async () => {
  for (const one of sshds.values()) await one.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Played {
  readonly code: number | null;
  readonly said: string;
  /** Of each host the numbers of the recap. */
  readonly recap: Record<string, Record<string, number>>;
}

async function play(playbook: string, ...more: string[]): Promise<Played> {
  const made = at("site");
  const words = ["-i", join(made, "inventory.yaml"), join(made, playbook), ...more];
  const env = {
    PATH: process.env["PATH"],
    LC_ALL: "C.UTF-8",
    HOME: at("home"),
    ANSIBLE_NOCOLOR: "1",
    ANSIBLE_PIPELINING: "1",
    // One connection a host for a whole run: half of its time otherwise.
    ANSIBLE_SSH_ARGS: "-F none -o ControlMaster=auto -o ControlPersist=10s",
    ANSIBLE_SSH_CONTROL_PATH_DIR: at("cp"),
  };
  const child = spawn("ansible-playbook", words, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  const recap = Object.fromEntries(
    [...said.matchAll(/^(\S+) +: (ok=.*)$/gm)].map(([, host = "", numbers = ""]) => [
      host,
      Object.fromEntries([...numbers.matchAll(/(\w+)=(\d+)/g)].map(([, name = "", count]) => [name, Number(count)])),
    ]),
  );
  return { code, said, recap };
}

const opt = (name: string): string => at(name, "opt");
/** What is below a host's two folders. */
const picture = () =>
  hosts.map(({ name }) => [existsSync(opt(name)) ? pictureOf(opt(name)) : {}, pictureOf(at(name, "root"))]);
const changed = ({ recap }: Played): (number | undefined)[] => hosts.map(({ name }) => recap[name]?.["changed"]);

test("a folder for Ansible has every part, and is there as a whole or not at all", options, async () => {
  const words = ["export", "ansible", at("bundle.tar"), "--hosts", at("hosts.yaml"), "--out", at("site")];
  const made = await runKubeferry([...words, "--json"]);
  assert.equal(made.code, 0, made.err);
  execFileSync("sha256sum", ["--quiet", "-c", "SHA256SUMS"], { cwd: at("site/bundle") });
  const again = await runKubeferry(words);
  assert.equal(again.code, 2);
  assert.match(again.err, /USAGE: this is there already/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith(".partial")),
    [],
  );
});

test(
  "check mode changes nothing; then each host gets its own parts and is installed; then nothing is left to do",
  options,
  async () => {
    const earlier = picture();
    const asked = await play("install.yaml", "--check");
    assert.equal(asked.code, 0, asked.said);
    assert.deepEqual(picture(), earlier);

    const ran = await play("install.yaml", "-vvv", "--diff");
    assert.equal(ran.code, 0, ran.said);
    assert.ok(!ran.said.includes(key), "the key is in no output");
    for (const { name, node } of hosts) {
      const [there = ""] = readdirSync(opt(name));
      assert.deepEqual(readdirSync(join(opt(name), there, "secrets")), [`${node}.age`]);
      assert.match(readFileSync(at(name, "root/etc/ferry/serve.conf"), "utf8"), new RegExp(`name: ${name}\n`));
      assert.equal(readFileSync(at(name, "root/etc/ferry/pki/serve.key"), "utf8"), "a key\n");
    }

    const installed = picture();
    const again = await play("install.yaml");
    assert.equal(again.code, 0, again.said);
    assert.deepEqual(changed(again), [0, 0], again.said);
    assert.deepEqual(picture(), installed);
  },
);

test("check mode tells what would be mended and mends nothing; the audit names what was edited", options, async () => {
  writeFileSync(at("w1/root/etc/ferry/serve.conf"), "edited\n");
  const edited = picture();
  const asked = await play("install.yaml", "--check");
  assert.equal(asked.code, 0, asked.said);
  assert.deepEqual(changed(asked), [0, 1], asked.said);
  const audited = await play("audit.yaml");
  assert.deepEqual(picture(), edited);
  assert.equal(audited.code, 2, audited.said);
  assert.match(audited.said, /w1]: FAILED![^]*DRIFTED[^]*\/etc\/ferry\/serve\.conf/);
  assert.deepEqual([audited.recap["n1"]?.["failed"], audited.recap["w1"]?.["failed"]], [0, 1]);
});

test("a member of etcd that fails keeps every worker from being begun", options, async () => {
  writeFileSync(at("keys/n1.key"), `n1 ${await generateX25519Identity()}\n`, { mode: 0o600 });
  writeFileSync(at("n1/root/etc/ferry/serve.conf"), "edited\n");
  const earlier = picture();
  const ran = await play("install.yaml");
  assert.equal(ran.code, 2, ran.said);
  assert.match(ran.said, /n1]: FAILED![^]*KEY_WRONG/);
  assert.doesNotMatch(ran.said, /PLAY \[Workers]/);
  assert.deepEqual(picture(), earlier);
});
