/**
 * Hosts as containers of systemd-nspawn: each is booted by its own systemd, at native speed, with a disk, processes, cgroups
 * and a network of its own. The kernel is this machine's: its modules, and the settings that belong to no namespace, are
 * shared, and a container may only read them, unless it is one that runs pods.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "../../scripts/vm/command.ts";
import type { GuestOptions, GuestResult } from "../../scripts/vm/guest-agent.ts";
import { requirePackages } from "../programs/packages.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { endCgroup, makeCgroup, topCgroups } from "./container-cgroups.ts";
import { holdKernel } from "./container-kernel.ts";
import { containerTree } from "./container-tree.ts";
import type { Host } from "./host.ts";

export interface ContainersPlan {
  /** `name → address/prefix` of each, or several. */
  readonly addresses: Readonly<Record<string, string | readonly string[]>>;
  /** `path in every container → folder of this machine`, read-only: the sticks that are plugged in. */
  readonly sticks: Readonly<Record<string, string>>;
  /**
   * Whether kubelets and container runtimes may run there: with cgroups that have controllers, a disk on which overlays can
   * lie, and kernel values that may be written, which are this machine's. It gets its own back at the end.
   */
  readonly pods?: boolean;
}

export interface Containers extends AsyncDisposable {
  readonly all: readonly Container[];
  /** The command that runs a program of this machine in the network of a container. */
  on(name: string, argv: readonly string[]): string[];
}

/** Boots all of them; what an interrupted run left is taken away before. Wants to be root. */
export async function startContainers(plan: ContainersPlan): Promise<Containers> {
  requirePackages("systemd-container", "iproute2", "util-linux");
  const kernel = plan.pods === true ? await holdKernel() : null;
  await sweep();
  const tree = await containerTree();
  await makeDisks();
  const hosts = makeHosts(networkOf(process.pid), plan.addresses);
  const all = Object.keys(plan.addresses).map((name) => new Container(name, tree, plan, hosts));
  const dispose = async (): Promise<void> => {
    for (const one of all) await one.stop();
    hosts.remove();
    await remove(process.pid);
    await kernel?.[Symbol.asyncDispose]();
  };
  const started = await Promise.allSettled(all.map((one) => one.powerOn()));
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await dispose();
    throw failed.reason;
  }
  return { all, on: (name, argv) => hosts.on(name, argv), [Symbol.asyncDispose]: dispose };
}

export class Container implements Host {
  readonly name: string;
  /** Its root directory, as this machine sees it. */
  readonly root: string;
  readonly #folder: string;
  readonly #tree: string;
  readonly #sticks: Readonly<Record<string, string>>;
  readonly #pods: boolean;
  readonly #hosts: Hosts;
  readonly #cgroup: string;
  #supervisor: ChildProcess | null = null;
  #leader: string | null = null;

  constructor(name: string, tree: string, { sticks, pods = false }: ContainersPlan, hosts: Hosts) {
    this.name = name;
    this.#tree = tree;
    this.#sticks = sticks;
    this.#pods = pods;
    this.#hosts = hosts;
    this.#folder = join(folderOf(process.pid), name);
    this.root = join(this.#folder, "root");
    this.#cgroup = join(cgroupOf(process.pid), name);
  }

  /** Runs a program; any exit code is an answer. */
  async exec(argv: readonly [string, ...string[]], options: GuestOptions = {}): Promise<GuestResult> {
    if (this.#leader === null) throw new Error(`${this.name} does not run`);
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
    const child = spawn("nsenter", [`--target=${this.#leader}`, ...namespaces, "--", ...argv], {
      env: { ...environment, ...options.environment },
      timeout: (options.timeoutSeconds ?? 300) * 1000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.on("error", () => {}); // The program may end before it has read all; its exit code tells.
    child.stdin.end(options.input ?? "");
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject).once("close", resolve);
    });
    return { code, stdout, stderr };
  }

  /** Runs a line of shell and gives its standard output; throws when it fails. */
  async run(script: string, options?: GuestOptions): Promise<string> {
    const { code, stdout, stderr } = await this.exec(["/bin/bash", "-c", script], options);
    if (code === 0) return stdout;
    throw new Error(`${this.name}: «${script}» ended with ${code}\n${stdout}\n${stderr}`.trim());
  }

  /** Ends every process of it at once, and takes it off the network: whoever asks for it gets no answer. */
  async powerCut(): Promise<void> {
    await this.#link("down");
    const supervisor = this.#supervisor;
    this.#supervisor = null;
    this.#leader = null;
    if (supervisor === null) return;
    const ended = new Promise((resolve) => supervisor.once("close", resolve));
    await endCgroup(this.#cgroup);
    await ended;
  }

  /** Boots from its disk, or from a new one, and waits until systemd has started everything. */
  async powerOn(): Promise<void> {
    if (this.#supervisor !== null) throw new Error(`${this.name} runs`);
    await this.#mount();
    await this.#link("up");
    const folders = makeCgroup(this.#cgroup, this.#pods);
    const log = openSync(this.#log, "a");
    const enter = 'for folder in $0; do echo $$ > "$folder/cgroup.procs" || exit; done; exec "$@"';
    const words = [
      "-c",
      enter,
      folders.join(" "),
      "nsenter",
      `--net=${this.#network}`,
      "systemd-nspawn",
      ...this.#words(),
    ];
    this.#supervisor = spawn("/bin/sh", words, {
      env: { ...process.env, ...(this.#pods ? environmentOfPods : { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" }) },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#leader = await this.#booted(this.#supervisor, folders[0] ?? "");
    const state = await this.#settled();
    if (state !== "running") throw new Error(`${this.name} is ${state}\n${await this.run("systemctl --failed")}`);
    if (this.#pods) await this.run(openKernel);
    // Until the kernel knows that nobody else has it, the card's own address has no route yet.
    await this.run("while ip address show tentative | grep -q inet6; do sleep 0.1; done");
  }

  /** After a {@link powerCut}: what was on its disk is gone, and the next boot is that of a new host. */
  async loseDisk(): Promise<void> {
    if (this.#supervisor !== null) throw new Error(`${this.name} runs`);
    await unmount(this.root);
    rmSync(this.#folder, { recursive: true });
  }

  /** Ends it. */
  async stop(): Promise<void> {
    await this.powerCut();
    await unmount(this.root);
  }

  /** It is started there, too: /sys shows the network of who mounts it. */
  get #network(): string {
    return `/run/netns/${networkOf(process.pid)}-${this.name}`;
  }

  get #log(): string {
    return join(this.#folder, "console.log");
  }

  #words(): string[] {
    const sticks = Object.entries(this.#sticks).map(([target, source]) => `--bind-ro=${source}:${target}`);
    const network = `--network-namespace-path=${this.#network}`;
    // What it says of itself stays in it, and it does not ask the systemd of this machine, which may have none.
    const alone = ["--register=no", "--keep-unit", "--settings=no", "--link-journal=no", "--resolv-conf=off"];
    const root = [`--directory=${this.root}`, `--hostname=${this.name}`, "--private-users=no", "--timezone=off"];
    const rights = this.#pods ? ["--capability=all", "--bind=/dev/kmsg"] : ["--capability=CAP_NET_ADMIN"];
    return ["--quiet", "--boot", "--console=pipe", ...alone, ...root, network, ...rights, ...sticks];
  }

  async #mount(): Promise<void> {
    if (existsSync(join(this.root, "etc"))) return;
    const [upper, work] = [join(this.#folder, "upper"), join(this.#folder, "work")];
    for (const folder of [upper, work, this.root]) mkdirSync(folder, { recursive: true });
    if (this.#pods) await command(["cp", "--archive", "--no-clobber", `${this.#tree}/.`, upper]);
    mkdirSync(join(upper, "etc"), { recursive: true });
    writeFileSync(join(upper, "etc/hostname"), `${this.name}\n`);
    writeFileSync(join(upper, "etc/machine-id"), `${createHash("md5").update(this.name).digest("hex")}\n`);
    const layers = `lowerdir=${this.#tree},upperdir=${upper},workdir=${work}`;
    // An overlay cannot lie on an overlay: where there will be some, the disk is a copy.
    const words = this.#pods ? ["--bind", upper] : ["-t", "overlay", "overlay", "-o", layers];
    await command(["mount", ...words, this.root]);
  }

  async #link(state: "up" | "down"): Promise<void> {
    const [program = "", ...words] = this.#hosts.on(this.name, ["ip", "link", "set", "eth0", state]);
    await command([program, ...words]);
  }

  /** What systemd says when it has started everything; at first it does not listen yet. */
  async #settled(): Promise<string> {
    for (;;) {
      const { stdout } = await this.exec(["systemctl", "is-system-running", "--wait"]);
      if (stdout !== "" && stdout !== "offline\n") return stdout.trim();
      await sleep(50);
    }
  }

  /** Process id of its first process, once that has made its own cgroup below `cgroup`. */
  async #booted(supervisor: ChildProcess, cgroup: string): Promise<string> {
    const path = join(cgroup, "payload/init.scope/cgroup.procs");
    while (supervisor.exitCode === null && supervisor.signalCode === null) {
      const [first = ""] = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
      if (first !== "") return first;
      await sleep(50);
    }
    throw new Error(`${this.name} did not start\n${readFileSync(this.#log, "utf8")}`);
  }
}

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};

/** Whatever programs of pods ask of the kernel is not filtered; cgroups of the first version have the controllers. */
const environmentOfPods = { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "0", SYSTEMD_SECCOMP: "0" };

/** A container's own branches of the hierarchies, and kernel values, once its systemd no longer sets any. */
const openKernel =
  "for path in /sys/fs/cgroup/* /proc/sys; do ! mountpoint -q $path || mount -o remount,bind,rw $path; done";

// All that a run makes outside its processes has the run's process id in its name.
const folderOf = (pid: number): string => join(tmpdir(), `kubeferry-containers-${pid}`);
const networkOf = (pid: number): string => `kc${pid}`;
const cgroupOf = (pid: number): string => `kubeferry-${pid}`;

/** Their disks are in memory, a gigabyte each, so that members of etcd do not wait for what else is written on this machine. */
async function makeDisks(): Promise<void> {
  const folder = folderOf(process.pid);
  mkdirSync(folder);
  await command(["mount", "-t", "tmpfs", "-o", "mode=0700,size=8g", "tmpfs", folder]);
}

/** Takes away what runs left that did not come to their end. */
async function sweep(): Promise<void> {
  const namespaces = (await command(["ip", "netns", "list"])).split("\n");
  const names = [...topCgroups(), ...readdirSync(tmpdir()), ...namespaces];
  const pids = names.map((name) => /^(?:kubeferry-|kubeferry-containers-|kc)(\d+)(?:$|-)/.exec(name)?.[1]);
  for (const pid of new Set(pids)) {
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    await remove(Number(pid));
    const own = namespaces.map((line) => line.split(" ")[0] ?? "").filter((name) => name.startsWith(`kc${pid}-`));
    for (const name of own) await command(["ip", "netns", "del", name]);
  }
}

async function remove(pid: number): Promise<void> {
  await endCgroup(cgroupOf(pid));
  const folder = folderOf(pid);
  if (!existsSync(folder)) return;
  const names = readdirSync(folder);
  for (const name of names) await unmount(join(folder, name, "root"));
  if (names.length > 0) await command(["umount", folder]);
  rmdirSync(folder);
}

async function unmount(root: string): Promise<void> {
  if (existsSync(join(root, "etc"))) await command(["umount", root]);
}
