/**
 * A host in memory, as strict as a kernel and a systemd: no write without the parent directory, no start of a unit
 * that was not reloaded, no swapon of what is no device. Effects can be cut off before, inside and after.
 */
import { dirname } from "node:path";
import { type Digest, digestOf } from "#bundle";
import type { Effect, Owner } from "../../installer/host/effect.ts";
import type { Host, Stat } from "../../installer/host/host.ts";
import { commandOf } from "../../installer/host/systemd.ts";
import { FakeSystem } from "./fake-system.ts";

interface Inode {
  content: string;
  mode: number;
  owner: Owner;
  mtimeMs: number;
}

type Entry =
  | { readonly type: "directory"; mode: number; owner: Owner }
  | { readonly type: "file"; readonly inode: Inode }
  | { readonly type: "symlink"; readonly target: string };

/** Thrown in place of a power cut. */
export class Crash extends Error {}

export interface Cut {
  /** Number of the effect, from 0. */
  readonly effect: number;
  readonly where: "before" | "inside" | "after";
}

export class FakeHost implements Host {
  readonly root = "/";
  readonly live: boolean;
  readonly system: FakeSystem;
  readonly entries = new Map<string, Entry>([["/", { type: "directory", mode: 0o755, owner: { uid: 0, gid: 0 } }]]);
  readonly staged = new Map<Digest, string>();
  readonly kept = new Map<string, Inode>();
  readonly performed: Effect[] = [];
  cut: Cut | null = null;
  /** After a power cut nothing happens any more until a test switches it on again. */
  off = false;
  #clock = 1_000_000;

  constructor(options: { live?: boolean; system?: FakeSystem } = {}) {
    this.live = options.live ?? true;
    this.system = options.system ?? new FakeSystem();
    this.system.files = (path) => this.text(path);
  }

  // What a test does to the host by hand.

  directory(path: string, mode = 0o755, owner: Owner = { uid: 0, gid: 0 }): void {
    if (this.entries.has(path)) return;
    this.directory(dirname(path));
    this.entries.set(path, { type: "directory", mode, owner });
  }

  file(path: string, content: string, mode = 0o644, owner: Owner = { uid: 0, gid: 0 }): void {
    this.directory(dirname(path));
    this.entries.set(path, { type: "file", inode: { content, mode, owner, mtimeMs: this.#tick() } });
  }

  link(path: string, target: string): void {
    this.directory(dirname(path));
    this.entries.set(path, { type: "symlink", target });
  }

  /** Content of a file, of what a link leads to; null when there is none. */
  text(path: string): string | null {
    const entry = this.entries.get(path);
    if (entry?.type === "symlink" && entry.target === "/dev/null") return "";
    if (entry?.type === "symlink") return entry.target.startsWith("/") ? this.text(entry.target) : null;
    return entry?.type === "file" ? entry.inode.content : null;
  }

  /** Everything that must be as before after undo: the tree with modes, owners, contents and times, and the system. */
  picture(): Record<string, string> {
    const tree = [...this.entries].map(([path, entry]): [string, string] => {
      if (entry.type === "symlink") return [path, `-> ${entry.target}`];
      const { mode, owner } = entry.type === "file" ? entry.inode : entry;
      const said = `${entry.type} ${mode.toString(8)} ${owner.uid}:${owner.gid}`;
      return [
        path,
        entry.type === "file" ? `${said} ${entry.inode.mtimeMs} ${JSON.stringify(entry.inode.content)}` : said,
      ];
    });
    return { ...Object.fromEntries(tree.toSorted(([a], [b]) => (a < b ? -1 : 1))), ...this.system.picture() };
  }

  // HostReader

  async stat(path: string): Promise<Stat | null> {
    const sys = /^\/sys\/module\/(.+)$/.exec(path)?.[1];
    if (sys !== undefined) {
      return this.system.loaded.has(sys)
        ? { type: "directory", mode: 0o755, owner: { uid: 0, gid: 0 }, device: 2 }
        : null;
    }
    const master = this.system.growth.master(path);
    if (master !== null) return { type: "symlink", target: `../${master}`, device: 2 };
    const entry = this.entries.get(path);
    if (entry === undefined) return null;
    if (entry.type === "symlink") return { type: "symlink", target: entry.target, device: 1 };
    if (entry.type === "directory") return { type: "directory", mode: entry.mode, owner: entry.owner, device: 1 };
    const { content, mode, owner, mtimeMs } = entry.inode;
    return { type: "file", mode, owner, size: Buffer.byteLength(content), mtimeMs, device: 1 };
  }

  async digests(files: readonly { readonly path: string }[]): Promise<Digest[]> {
    return await Promise.all(files.map(({ path }) => this.digest(path)));
  }

  async digest(path: string): Promise<Digest> {
    const entry = this.entries.get(path);
    if (entry?.type !== "file") throw errno("EINVAL", path);
    return digestOf(entry.inode.content);
  }

  async read(path: string): Promise<string | null> {
    return this.system.read(path) ?? this.text(path);
  }

  async list(path: string): Promise<string[]> {
    const written = [...this.entries.keys()]
      .filter((name) => name !== "/" && dirname(name) === path)
      .map((name) => name.slice(name.lastIndexOf("/") + 1));
    return [...this.system.growth.list(path), ...written].toSorted();
  }

  async query(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.system.query(argv);
  }

  // Host

  async perform(effect: Effect): Promise<void> {
    if (this.off) throw new Crash();
    const cut = this.cut?.effect === this.performed.length ? this.cut.where : null;
    this.off = cut !== null;
    this.performed.push(effect);
    if (cut === "before") throw new Crash();
    if (cut === "inside") this.#half(effect);
    this.#whole(effect);
    if (cut === "after") throw new Crash();
  }

  /** What a power cut in the middle of an effect leaves: a temporary file, a directory that has not got its mode yet. */
  #half(effect: Effect): void {
    if (effect.do === "mkdir" && !this.entries.has(effect.path)) {
      this.#parentOf(effect.path);
      this.entries.set(effect.path, { type: "directory", mode: 0o700, owner: { uid: 0, gid: 0 } });
    } else if (["write", "sign", "restore", "symlink"].includes(effect.do) && "path" in effect) {
      this.#parentOf(effect.path);
      const inode = { content: "half", mode: 0o600, owner: { uid: 0, gid: 0 }, mtimeMs: this.#tick() };
      this.entries.set(temporary(effect.path), { type: "file", inode });
    } else if (effect.do === "systemctl") {
      this.system.half(commandOf(effect).argv);
    } else if (effect.do === "run") {
      this.system.half(effect.argv, this.#stdin(effect), effect.input);
    }
    throw new Crash();
  }

  #whole(effect: Effect): void {
    switch (effect.do) {
      case "mkdir": {
        const entry = this.entries.get(effect.path);
        if (entry !== undefined && entry.type !== "directory") throw errno("ENOTDIR", effect.path);
        this.#parentOf(effect.path);
        this.entries.set(effect.path, { type: "directory", mode: effect.mode, owner: effect.owner });
        return;
      }
      case "keep": {
        const key = `${effect.digest} ${effect.path}`;
        if (this.kept.has(key)) return;
        const inode = this.#inodeAt(effect.path);
        if (digestOf(inode.content) !== effect.digest) throw new Error(`${effect.path} changed since it was inspected`);
        this.kept.set(key, inode);
        return;
      }
      case "write": {
        const { content, mode, owner } = effect;
        const text = "text" in content ? content.text : this.staged.get(content.digest);
        if (text === undefined) throw new Error(`nothing is staged for ${effect.path}`);
        const mtimeMs = effect.mtimeMs ?? this.#tick();
        return this.#place(effect.path, { type: "file", inode: { content: text, mode, owner, mtimeMs } });
      }
      case "sign": {
        const inode = { content: "kubeconfig", mode: 0o600, owner: { uid: 0, gid: 0 }, mtimeMs: this.#tick() };
        return this.#place(effect.path, { type: "file", inode });
      }
      case "restore":
        return this.#restore(effect.path, effect.digest, effect);
      case "symlink":
        return this.#place(effect.path, { type: "symlink", target: effect.target });
      case "set-aside": {
        const entry = this.entries.get(effect.path);
        if (entry === undefined) return;
        const aside = `${effect.path}.kubeferry-kept`;
        if (this.entries.has(aside)) throw errno("EEXIST", aside);
        this.entries.delete(effect.path);
        this.entries.set(aside, entry);
        return;
      }
      case "remove":
        if (this.entries.get(effect.path)?.type === "directory") throw errno("EISDIR", effect.path);
        this.entries.delete(temporary(effect.path));
        this.entries.delete(effect.path);
        return;
      case "rmdir-if-empty": {
        const isEmpty = ![...this.entries.keys()].some((path) => path.startsWith(`${effect.path}/`));
        if (this.entries.get(effect.path)?.type === "directory" && isEmpty) this.entries.delete(effect.path);
        return;
      }
      case "remove-tree":
        for (const path of this.entries.keys()) {
          if (path === effect.path || path.startsWith(`${effect.path}/`)) this.entries.delete(path);
        }
        return;
      case "set":
        return this.system.set(effect.path, effect.value, effect.optional ?? false);
      case "nft":
        return this.system.nftables.perform(effect);
      case "end":
        return this.system.growth.end(effect);
      case "umount":
        return this.system.growth.umount(effect.path);
      case "systemctl": {
        const { argv, accept } = commandOf(effect);
        const code = this.system.run(argv);
        if (!accept.includes(code)) throw new Error(`${argv.join(" ")} ended with ${code}`);
        return;
      }
      case "run": {
        const code = this.system.run(effect.argv, this.#stdin(effect), effect.input);
        if (effect.forgive !== undefined && new RegExp(effect.forgive, "m").test(this.system.stderr)) return;
        if (!(effect.accept ?? [0]).includes(code)) throw new Error(`${effect.argv.join(" ")} ended with ${code}`);
      }
    }
  }

  #stdin({ stdin }: Effect & { do: "run" }): string | undefined {
    return stdin === undefined ? undefined : (this.text(stdin) ?? undefined);
  }

  #restore(path: string, digest: Digest, attributes: { mode: number; owner: Owner; mtimeMs: number }): void {
    const inode = this.kept.get(`${digest} ${path}`);
    const present = this.entries.get(path);
    this.entries.delete(temporary(path));
    if (inode === undefined) {
      if (present?.type !== "file" || digestOf(present.inode.content) !== digest)
        throw new Error(`${path} is not kept`);
      Object.assign(present.inode, { mode: attributes.mode, owner: attributes.owner, mtimeMs: attributes.mtimeMs });
      return;
    }
    Object.assign(inode, { mode: attributes.mode, owner: attributes.owner, mtimeMs: attributes.mtimeMs });
    this.#place(path, { type: "file", inode });
  }

  #place(path: string, entry: Entry): void {
    this.#parentOf(path);
    if (this.entries.get(path)?.type === "directory") throw errno("EISDIR", path);
    this.entries.delete(temporary(path));
    this.entries.set(path, entry);
  }

  #parentOf(path: string): void {
    if (this.entries.get(dirname(path))?.type !== "directory") throw errno("ENOENT", path);
  }

  #inodeAt(path: string): Inode {
    const entry = this.entries.get(path);
    if (entry?.type !== "file") throw errno("ENOENT", path);
    return entry.inode;
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }
}

function temporary(path: string): string {
  return `${dirname(path) === "/" ? "" : dirname(path)}/.${path.slice(path.lastIndexOf("/") + 1)}.kubeferry`;
}

function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
