/** What programs see and change on a fake host: systemd's units, kernel modules and values, swap, a cluster. */
import { FakeCluster } from "./fake-cluster.ts";
import { FakeGrowth, type Foreign, type Grows } from "./fake-growth.ts";
import { FakeNftables } from "./fake-nftables.ts";

interface Swap {
  readonly device: string;
  readonly priority: number;
}

const clusterPrograms = /^(kubectl|etcdctl3?)$/;

export class FakeSystem {
  /** Unit files as systemd last read them: name → text. */
  loadedUnits = new Map<string, string>();
  /** Running units: name → the unit file's text that it was started with. */
  readonly active = new Map<string, string>();
  readonly available = new Set<string>(["overlay", "br_netfilter", "nf_conntrack"]);
  readonly loaded = new Set<string>();
  /** What a module loads before itself, in that order. */
  readonly needs = new Map<string, readonly string[]>([["br_netfilter", ["llc", "stp", "bridge"]]]);
  readonly sysctls = new Map<string, string>();
  /** Keys that appear with a module, and go with it. */
  readonly bringing = new Map<string, Record<string, string>>([
    ["br_netfilter", { "/proc/sys/net/bridge/bridge-nf-call-iptables": "0" }],
  ]);
  swaps: Swap[] = [];
  readonly swapDevices = new Set<string>();
  /** Units of type swap that systemd found outside fstab. */
  readonly swapUnits: string[] = [];
  /** Null: no SELinux in this kernel. */
  enforcing: boolean | null = null;
  /** firewalld's ports: now, and after a boot. */
  readonly firewall = { now: new Set<string>(), permanent: new Set<string>() };
  readonly nftables = new FakeNftables();
  readonly growth = new FakeGrowth();
  /** What kubelet.service makes whenever it starts, and what of it somebody else has from every boot on. */
  grows: readonly Grows[] = [];
  foreign: readonly Foreign[] = [];
  /** Puts down what daemons write. */
  writes: () => void = () => {};
  /** Answers as long as `one.service` runs. */
  readonly cluster = new FakeCluster();
  /** Whether its kernel can load modules. */
  loadsModules = true;
  /** What the last program that ran wrote to stderr. */
  stderr = "";
  /** Text of a file of the host. */
  files: (path: string) => string | null = () => null;

  #boot: {
    loaded: string[];
    sysctls: [string, string][];
    swaps: Swap[];
    enforcing: boolean | null;
    ports: string[];
    chains: FakeNftables["chains"];
  } | null = null;

  /** What a boot brings about from now on: what is so now. */
  settleBoot(): void {
    this.#boot = {
      loaded: [...this.loaded],
      sysctls: [...this.sysctls],
      swaps: this.swaps,
      enforcing: this.enforcing,
      ports: [...this.firewall.now],
      chains: this.nftables.copy(),
    };
  }

  /** Modules and values are as every boot makes them, whatever was set since; units run as their files are now. */
  reboot(): void {
    if (this.#boot === null) throw new Error("nobody said what a boot brings about");
    const { loaded, sysctls, swaps, enforcing, ports, chains } = this.#boot;
    this.nftables.chains = structuredClone(chains);
    if (this.files("/etc/systemd/system/sysinit.target.wants/nftables.service") !== null) {
      this.nftables.load(this.files("/etc/nftables.conf") ?? "", true);
    }
    this.enforcing = enforcing;
    this.firewall.now.clear();
    for (const port of ports) this.firewall.now.add(port);
    this.loaded.clear();
    for (const name of loaded) this.loaded.add(name);
    this.sysctls.clear();
    for (const [key, value] of sysctls) this.sysctls.set(key, value);
    this.swaps = swaps;
    this.growth.boot(this.foreign);
    this.loadedUnits = new Map();
    const names = [...this.active.keys()];
    this.active.clear();
    for (const name of names) this.#systemctl("start", name);
  }

  picture(): Record<string, string> {
    return {
      "active units": [...this.active]
        .map(([name, text]) => `${name} ${JSON.stringify(text)}`)
        .toSorted()
        .join(", "),
      modules: [...this.loaded].toSorted().join(" "),
      sysctls: JSON.stringify([...this.sysctls].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      swaps: JSON.stringify(this.swaps),
      selinux: String(this.enforcing),
      firewall: [...this.firewall.now].toSorted().join(" "),
      "firewall after a boot": [...this.firewall.permanent].toSorted().join(" "),
      nftables: this.nftables.list(),
      ...this.cluster.picture(),
      ...this.growth.picture(),
    };
  }

  read(path: string): string | null {
    if (path === "/proc/swaps") {
      const lines = this.swaps.map(({ device, priority }) => `${device} partition 1000 0 ${priority}`);
      return ["Filename Type Size Used Priority", ...lines, ""].join("\n");
    }
    if (path === "/sys/fs/selinux/enforce") return this.enforcing === null ? null : this.enforcing ? "1" : "0";
    if (path === "/proc/sys/kernel/osrelease") return "6.1.0\n";
    if (path === "/lib/modules/6.1.0/modules.builtin") return "kernel/fs/ext4.ko\nkernel/net/netfilter/nf_tables.ko\n";
    if (path === "/proc/modules" && !this.loadsModules) return null;
    if (path === "/proc/modules") {
      const users = (name: string): string[] =>
        [...this.loaded].filter((other) => this.needs.get(other)?.includes(name));
      return [...this.loaded]
        .map(
          (name) =>
            `${name} 1 ${users(name).length} ${
              users(name)
                .map((one) => `${one},`)
                .join("") || "-"
            } Live 0x0\n`,
        )
        .join("");
    }
    return this.growth.read(path) ?? this.sysctls.get(path) ?? null;
  }

  query(argv: readonly string[]): { code: number; stdout: string; stderr: string } {
    const answer = (stdout: string, code = 0) => ({ code, stdout, stderr: "" });
    const [program, verb] = argv;
    const last = argv.at(-1) ?? "";
    if (program === "systemctl" && verb === "is-active")
      return this.active.has(last) ? answer("active\n") : answer("inactive\n", 3);
    if (program === "systemctl" && verb === "list-units")
      return answer(this.swapUnits.map((name) => `${name} loaded active\n`).join(""));
    if (program === "systemctl" && verb === "show")
      return answer(`FragmentPath=/run/systemd/generator.late/${last}\nSourcePath=\n`);
    const grown = this.growth.query(argv, this.active.has("containerd.service"));
    if (grown !== null) return grown;
    if (program === "nft") return answer(this.nftables.list());
    if (program === "firewall-cmd") {
      const set = argv.includes("--permanent") ? this.firewall.permanent : this.firewall.now;
      const start = { "--list-protocols": "protocol ", "--list-sources": "from " }[last];
      const words = [...set].filter((word) => (start === undefined ? !word.includes(" ") : word.startsWith(start)));
      return answer(`${words.map((word) => word.slice(start?.length ?? 0)).join(" ")}\n`);
    }
    if (clusterPrograms.test(program ?? "")) return this.#cluster(argv);
    if (program === "modprobe" && verb === "--show-depends") {
      if (!this.available.has(last)) return answer("", 1);
      const names = [...(this.needs.get(last) ?? []), last];
      return answer(names.map((name) => `insmod /lib/modules/6.1.0/kernel/${name}.ko.xz \n`).join(""));
    }
    return answer("", 127);
  }

  set(path: string, value: string, optional: boolean): void {
    if (this.sysctls.has(path)) this.sysctls.set(path, value);
    else if (!optional) throw new Error(`ENOENT: ${path}`);
  }

  /** A program that was cut off: here either nothing happened or all of it. */
  half(argv: readonly string[], stdin?: string, input?: string): void {
    if (argv.join(" ").length % 2 === 0) this.run(argv, stdin, input);
  }

  /** The kubelet and its pods, as they come up. */
  #grow(): void {
    this.growth.grow(this.grows);
    if (this.grows.includes("modules")) for (const name of ["xt_comment", "vxlan"]) this.loaded.add(name);
    if (this.grows.includes("values") && this.sysctls.has("/proc/sys/kernel/panic"))
      this.sysctls.set("/proc/sys/kernel/panic", "10");
    if (this.grows.includes("files")) this.writes();
  }

  #cluster(argv: readonly string[], stdin?: string): { code: number; stdout: string; stderr: string } {
    return this.cluster.run(argv, this.active.has("one.service"), this.files, stdin);
  }

  /** The exit code. An unknown program is a mistake in the test. */
  run(argv: readonly string[], stdin?: string, input = ""): number {
    const [program, verb = ""] = argv;
    const last = argv.at(-1) ?? "";
    this.stderr = "";
    const grown = this.growth.run(argv, input, this.active.has("containerd.service"));
    if (grown !== null) {
      if (grown !== 0) this.stderr = "not found, Cannot find device, No such file or directory";
      return grown;
    }
    if (program === "rmmod") return this.#unload(last);
    if (clusterPrograms.test(program ?? "")) {
      const { code, stderr } = this.#cluster(argv, stdin);
      this.stderr = stderr;
      return code;
    }
    if (program === "systemctl") return this.#systemctl(verb, last);
    if (program === "modprobe") return verb === "-r" ? this.#unload(last) : this.#load(last);
    if (program === "setenforce") {
      this.enforcing = verb === "1";
      return 0;
    }
    if (program === "nft" && verb === "-c") return this.nftables.load(this.files(last) ?? "", false);
    if (program === "firewall-cmd") {
      if (!this.active.has("firewalld.service")) return 252;
      const [, how = "", kind = "", value = ""] = /^--(add|remove)-(port|protocol|source)=(.+)$/.exec(last) ?? [];
      const set = argv.includes("--permanent") ? this.firewall.permanent : this.firewall.now;
      const word = { protocol: `protocol ${value}`, source: `from ${value}` }[kind] ?? value;
      if (how === "add") set.add(word);
      else set.delete(word);
      return 0;
    }
    if (program === "swapoff") {
      if (!this.swaps.some(({ device }) => device === last)) return 255;
      this.swaps = this.swaps.filter(({ device }) => device !== last);
      return 0;
    }
    if (program === "swapon") {
      if (!this.swapDevices.has(last) || this.swaps.some(({ device }) => device === last)) return 255;
      const priority = verb === "-p" ? Number(argv[2]) : Math.min(-1, ...this.swaps.map((swap) => swap.priority)) - 1;
      this.swaps = [...this.swaps, { device: last, priority }].toSorted((a, b) => b.priority - a.priority);
      return 0;
    }
    throw new Error(`the fake host has no ${argv.join(" ")}`);
  }

  /** As systemd reads unit files: a mask (an empty file) or no file is no unit. */
  #unitFile(name: string): string | null {
    for (const folder of ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"]) {
      const text = this.files(`${folder}/${name}`);
      if (text !== null) return text === "" ? null : text;
    }
    return null;
  }

  #systemctl(verb: string, name: string): number {
    switch (verb) {
      case "daemon-reload":
        this.loadedUnits = new Map();
        return 0;
      case "start":
      case "restart": {
        const text = this.loadedUnits.get(name) ?? this.#unitFile(name);
        if (text === null) return 5;
        this.loadedUnits.set(name, text);
        if (verb === "restart" || !this.active.has(name)) {
          this.active.set(name, text);
          if (name === "kubelet.service") this.#grow();
        }
        return 0;
      }
      case "reload":
        return this.active.has(name) ? 0 : 1;
      case "stop":
        if (!this.active.delete(name) && this.#unitFile(name) === null) return 5;
        return 0;
      case "reset-failed":
        return this.#unitFile(name) === null ? 1 : 0;
      default:
        throw new Error(`the fake systemd has no ${verb}`);
    }
  }

  #load(name: string): number {
    if (!this.available.has(name)) return 1;
    for (const needed of this.needs.get(name) ?? []) this.loaded.add(needed);
    this.loaded.add(name);
    for (const [key, value] of Object.entries(this.bringing.get(name) ?? {})) {
      if (!this.sysctls.has(key)) this.sysctls.set(key, value);
    }
    return 0;
  }

  /** As strict as the kernel, and leaves what the module needed, which modprobe does at times. */
  #unload(name: string): number {
    const others = [...this.loaded].filter((other) => this.needs.get(other)?.includes(name));
    if (this.loaded.has(name) && others.length > 0) return 1;
    const chain = this.needs.get("br_netfilter") ?? [];
    const user = chain[chain.indexOf(name) + 1];
    if (chain.includes(name) && user !== undefined && this.loaded.has(user)) return 1;
    if (!this.loaded.delete(name)) return 0;
    for (const key of Object.keys(this.bringing.get(name) ?? {})) this.sysctls.delete(key);
    return 0;
  }
}
