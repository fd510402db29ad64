/** What daemons make on a fake host while they run: processes, mounts, interfaces, rules. Files are the host's, values the system's. */
import type { Effect } from "../../installer/host/effect.ts";

export interface FakeProcess {
  readonly parent: number;
  readonly started: string;
  readonly argv: readonly string[];
  readonly cgroup: string;
}

/** Somebody's own, which is there before and must be there after. */
export type Foreign = "container" | "interface" | "mount" | "rule" | "chain" | "table";
/** What runs of ours makes. */
export type Grows = "pods" | "orphans" | "interfaces" | "mounts" | "rules" | "table" | "files" | "values" | "modules";

const socket = "/run/containerd/containerd.sock";
const none = { code: 0, stdout: "", stderr: "" };

export class FakeGrowth {
  readonly processes = new Map<number, FakeProcess>();
  mounts: { at: string; type: string }[] = [];
  /** Name → the bridge that it is attached to. */
  readonly interfaces = new Map<string, string | null>([["lo", null]]);
  /** Of `iptables-nft-save`: table → lines without the table's frame. */
  tables = new Map<string, string[]>();
  readonly nft = new Set<string>();
  containers: string[] = [];
  #pid = 100;

  #start(parent: number, cgroup: string, ...argv: string[]): number {
    this.#pid += 1;
    this.processes.set(this.#pid, { parent, started: String(this.#pid * 7), argv, cgroup });
    return this.#pid;
  }

  #container(namespace: string, id: string, cgroup: string): void {
    const words = ["-namespace", namespace, "-id", id, "-address", socket];
    const shim = this.#start(1, "/system.slice/containerd.service", "/usr/bin/containerd-shim-runc-v2", ...words);
    const main = this.#start(shim, cgroup, "app");
    this.#start(main, cgroup, "child");
    this.mounts.push({
      at: `/run/containerd/io.containerd.runtime.v2.task/${namespace}/${id}/rootfs`,
      type: "overlay",
    });
  }

  /** What was there before us. */
  have(things: readonly Foreign[]): void {
    if (things.includes("container")) this.#container("moby", "own", "/docker/own");
    if (things.includes("interface"))
      for (const name of ["br0", "veth9"]) this.interfaces.set(name, name === "veth9" ? "br0" : null);
    if (things.includes("mount")) this.mounts.push({ at: "/var/lib/kubelet/disk", type: "ext4" });
    const table = (): string[] => {
      const found = this.tables.get("filter") ?? [":FORWARD DROP [0:0]"];
      this.tables.set("filter", found);
      this.nft.add("ip filter");
      return found;
    };
    if (things.includes("rule")) table().push("-A FORWARD -s 10.9.0.0/16 -j ACCEPT");
    if (things.includes("chain")) table().push(":OWN - [0:0]", "-A FORWARD -j OWN");
    if (things.includes("table")) this.nft.add("inet own");
  }

  /** What running daemons make, as often as they start. */
  grow(things: readonly Grows[]): void {
    if (things.includes("pods")) {
      const id = `c${this.#pid}`;
      this.#container("k8s.io", id, `/kubepods/pod1/${id}`);
      this.containers.push(id);
    }
    if (things.includes("orphans")) this.#start(1, "/kubepods/besteffort/pod2", "orphan");
    if (things.includes("interfaces")) {
      for (const name of ["cni0", "flannel.1"]) this.interfaces.set(name, null);
      this.interfaces.set(`veth${this.#pid}`, "cni0");
    }
    if (things.includes("mounts")) {
      this.mounts.push({ at: "/var/lib/kubelet/pods/u/volumes/kubernetes.io~secret/s", type: "tmpfs" });
    }
    if (things.includes("table")) this.nft.add("ip kube-proxy");
    if (!things.includes("rules")) return;
    for (const [name, chain] of [
      ["nat", "POSTROUTING"],
      ["filter", "FORWARD"],
    ] as const) {
      const table = this.tables.get(name) ?? [`:${chain} ACCEPT [0:0]`];
      this.tables.set(name, table);
      this.nft.add(`ip ${name}`);
      if (table.includes(":KUBE-A - [0:0]")) continue;
      table.splice(0, table.length, ...table.map((line) => line.replace(":FORWARD DROP", ":FORWARD ACCEPT")));
      table.push(
        ":KUBE-A - [0:0]",
        `-A ${chain} -m comment --comment "kubernetes portals" -j KUBE-A`,
        "-A KUBE-A -j RETURN",
      );
    }
  }

  /** A boot leaves what is on the disk, and what somebody's own services make again. */
  boot(things: readonly Foreign[]): void {
    this.processes.clear();
    this.mounts = [];
    this.interfaces.clear();
    this.interfaces.set("lo", null);
    this.tables = new Map();
    this.nft.clear();
    this.have(things);
  }

  picture(): Record<string, string> {
    return {
      processes: [...this.processes.values()].map(({ argv }) => argv.join(" ")).join(", "),
      mounts: this.mounts.map(({ at }) => at).join(", "),
      interfaces: [...this.interfaces].join(", "),
      iptables: JSON.stringify([...this.tables]),
      "nft tables": [...this.nft].toSorted().join(", "),
    };
  }

  list(path: string): string[] {
    if (path === "/proc") return [...this.processes.keys()].map(String);
    return path === "/sys/class/net" ? [...this.interfaces.keys()] : [];
  }

  read(path: string): string | null {
    const [, pid = "", what] = /^\/proc\/(\d+)\/(stat|cmdline|cgroup)$/.exec(path) ?? [];
    const found = this.processes.get(Number(pid));
    if (what === "cmdline") return found === undefined ? null : found.argv.map((word) => `${word}\0`).join("");
    if (what === "cgroup") return found === undefined ? null : `0::${found.cgroup}\n`;
    if (what === "stat" && found !== undefined) return statText(Number(pid), found);
    if (path === "/proc/self/mountinfo")
      return this.mounts.map(({ at, type }, id) => `${id} 1 0:1 / ${at} rw - ${type} none rw`).join("\n");
    return null;
  }

  master(path: string): string | null {
    const [, name = ""] = /^\/sys\/class\/net\/(.+)\/master$/.exec(path) ?? [];
    return this.interfaces.get(name) ?? null;
  }

  query(argv: readonly string[], answers: boolean): typeof none | null {
    const words = argv.join(" ");
    if (argv[0] === "ctr")
      return answers ? { ...none, stdout: this.containers.map((id) => `${id}\n`).join("") } : { ...none, code: 1 };
    if (words === "nft list tables")
      return { ...none, stdout: [...this.nft].map((name) => `table ${name}\n`).join("") };
    if (words === "iptables --version") return { ...none, stdout: "iptables v1.8.9 (nf_tables)" };
    if (words === "iptables-nft-save") {
      const tables = [...this.tables].map(([name, lines]) => [`*${name}`, ...lines.toSorted(), "COMMIT"].join("\n"));
      return { ...none, stdout: tables.join("\n") };
    }
    return null;
  }

  /** Null: it is no program of this. */
  run(argv: readonly string[], input: string, answers: boolean): number | null {
    if (argv[0] === "ctr") {
      if (answers && argv.includes("containers")) this.containers = this.containers.filter((id) => !argv.includes(id));
      return answers ? 0 : 1;
    }
    if (argv[0] === "ip") return this.interfaces.delete(argv[3] ?? "") ? 0 : 1;
    if (argv[0] === "iptables-nft-restore") return this.#restore(input);
    if (argv[0] !== "nft" || argv[1] !== "delete") return null;
    this.tables.delete(argv[4] ?? "");
    return this.nft.delete(argv.slice(3).join(" ")) ? 0 : 1;
  }

  end({ processes }: Effect & { do: "end" }): void {
    for (const { pid, started } of processes)
      if (this.processes.get(pid)?.started === started) this.processes.delete(pid);
  }

  umount(path: string): void {
    const at = this.mounts.findLastIndex((mount) => mount.at === path);
    if (at >= 0) this.mounts.splice(at, 1);
  }

  /** As strict as the kernel: a rule that is not there cannot be deleted, nor a chain that is used. */
  #restore(input: string): number {
    const after = structuredClone(this.tables);
    let lines: string[] = [];
    for (const line of input.split("\n")) {
      const [verb = "", chain = ""] = line.split(" ");
      if (line.startsWith("*")) lines = after.get(line.slice(1)) ?? [];
      const at = lines.findIndex((one) =>
        verb === "-D" ? one === line.replace("-D", "-A") : verb.startsWith(":") ? one.startsWith(`${verb} `) : false,
      );
      if (verb === "-D" && at < 0) return 1;
      if (verb === "-D") lines.splice(at, 1);
      if (verb.startsWith(":")) lines.splice(at, 1, line);
      if (verb === "-F") lines.splice(0, lines.length, ...lines.filter((one) => !one.startsWith(`-A ${chain} `)));
      if (verb !== "-X") continue;
      if (lines.some((one) => one.startsWith("-A") && one.split(" ").includes(chain))) return 1;
      lines.splice(lines.indexOf(`:${chain} - [0:0]`), 1);
    }
    this.tables = after;
    return 0;
  }
}

function statText(pid: number, { parent, started }: FakeProcess): string {
  return `${pid} (a name) S ${parent} ${Array.from({ length: 17 }, () => "0").join(" ")} ${started} 0`;
}
