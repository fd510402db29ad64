/**
 * Members of etcd as an installer meets them, each on a host of its own: real etcd and etcdctl by the rendered unit's own
 * words, the host's own /etc, /usr/local/bin and /var/lib, a journal that says what is installed. Only systemd is stood
 * in for, by a script that starts what a unit says.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { selects } from "#bundle";
import type { Rendered } from "../../builder/render/node-file.ts";
import { begin } from "../../installer/journal/apply.ts";
import { fileJournal, type Header } from "../../installer/journal/journal.ts";
import { goal } from "../../installer/resources/catalogue.ts";
import { placeNode } from "../builders/placed-node.ts";
import { checkJson } from "../programs/json-lines.ts";
import type { Hosts } from "./namespaces.ts";

const main = join(import.meta.dirname, "../../installer/main.ts");
const enter =
  'mount -t overlay overlay -o "lowerdir=$1/etc:/etc" /etc && ' +
  'mount -t overlay overlay -o "lowerdir=$1/usr/local/bin:/usr/local/bin" /usr/local/bin && ' +
  'mount --bind "$1/var/lib" /var/lib && mount --bind "$1/tmp" /tmp && cd / && shift && exec "$@"';

export interface Ran {
  readonly code: number | null;
  readonly said: string;
}

export class EtcdHost {
  readonly name: string;
  readonly root: string;
  readonly #hosts: Hosts;

  constructor(name: string, root: string, hosts: Hosts) {
    this.name = name;
    this.root = root;
    this.#hosts = hosts;
  }

  /** A command on the host, in its file system. */
  async run(...argv: string[]): Promise<Ran> {
    const own = ["unshare", "-m", "/bin/bash", "-c", enter, "host", this.root, ...argv];
    const [program = "", ...rest] = this.#hosts.on(this.name, own);
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const pipe of [child.stdout, child.stderr])
      pipe.setEncoding("utf8").on("data", (text: string) => (said += text));
    return await new Promise((resolve) => child.once("close", (code) => resolve({ code, said })));
  }

  async install(...words: string[]): Promise<Ran> {
    const ran = await this.run(process.execPath, main, ...words);
    const records = ran.said.split("\n").filter((line) => line.startsWith('{"type":'));
    checkJson(words, `${records.join("\n")}\n`, ran.code);
    return ran;
  }

  /** etcdctl with the member's own certificate, at its own endpoint. */
  async etcdctl(...words: string[]): Promise<Ran> {
    const pki = "/etc/kubernetes/pki/etcd";
    const credentials = [`--cacert=${pki}/ca.pem`, `--cert=${pki}/etcd.pem`, `--key=${pki}/etcd-key.pem`];
    return await this.run("env", "ETCDCTL_API=3", "/usr/bin/etcdctl", ...credentials, ...words);
  }

  /** As a power cut ends it. */
  kill(): void {
    for (const name of readdirSync(this.#pids)) {
      if (existsSync(`/proc/${this.#pid(name)}`)) process.kill(this.#pid(name), "SIGKILL");
    }
    spawnSync("rm", ["-rf", this.#pids]);
    mkdirSync(this.#pids);
  }

  logOf(unit: string): string {
    return readFileSync(join(this.root, "tmp", `${unit}.log`), "utf8");
  }

  get #pids(): string {
    return join(this.root, "var/lib/stand-in-systemd");
  }

  #pid(name: string): number {
    return Number(readFileSync(join(this.#pids, name), "utf8"));
  }
}

/** Places the node `name` of `rendered` below `root`, with a journal that has it installed. Starts nothing. */
export function placeEtcdHost(rendered: Rendered, name: string, root: string, hosts: Hosts): EtcdHost {
  placeNode(rendered, name, root);
  const node = rendered.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  const bin = join(root, "usr/local/bin");
  for (const folder of [bin, ...["stand-in-systemd", "kubeferry", "etcd"].map((one) => join(root, "var/lib", one))]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  mkdirSync(join(root, "tmp"));
  chmodSync(join(root, "var/lib"), 0o755);
  for (const program of ["etcd", "etcdctl"]) symlinkSync(`/usr/bin/${program}`, join(bin, program));
  const standIn = readFileSync(join(import.meta.dirname, "stand-in-systemd.sh"), "utf8");
  for (const program of ["systemctl", "systemd-run"]) writeFileSync(join(bin, program), standIn, { mode: 0o755 });
  const checks = rendered.checks.filter(
    ({ unit, for: selector }) => unit === "etcd.service" && selects(selector, name, node.roles, "linux/amd64"),
  );
  const header: Header = {
    command: "./install",
    bundle: {
      payload: "0".repeat(64) as Header["bundle"]["payload"],
      where: "plant-7.tar",
      cluster: "plant-7",
      release: "distro",
      locked: "2026-11-21",
    },
    node: { profile: name, name, ip: node.ip ?? "", iface: null },
    roles: node.roles,
    platform: "linux/amd64",
    live: true,
    alone: false,
    others: { etcd: rendered.nodes.flatMap((one) => (one.name === name ? [] : one.name)), master: [] },
    installer: "0.0.0",
    notes: [],
    checks,
    made: [],
  };
  const unit = {
    ...{ name: "etcd.service", file: "/etc/systemd/system/etcd.service", links: [] },
    ...{ start: true, noBlock: true, restartOn: [] },
  };
  const journal = fileJournal(join(root, "var/lib/kubeferry/journal"));
  const plan = { phases: [{ name: "start etcd", goals: [goal("unit", unit)], gates: checks.map((one) => one.name) }] };
  const { id } = begin(journal, header, plan, [], new Date().toISOString());
  journal.append({ type: "commit", id, at: new Date().toISOString() });
  return new EtcdHost(name, root, hosts);
}

/** Until what it says matches, at most a minute. */
export async function eventually(what: () => Promise<Ran>, pattern: RegExp): Promise<string> {
  let said = "";
  for (let turn = 0; turn < 120; turn += 1) {
    ({ said } = await what());
    if (pattern.test(said)) return said;
    await sleep(500);
  }
  throw new Error(`never said ${pattern}: ${said}`);
}
