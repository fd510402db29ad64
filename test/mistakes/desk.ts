/** What an operator has in front of them: a cluster, its bundle, its keys, a host with it and one without. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { kubeferry } from "../builders/dist.ts";
import { standInCluster } from "../fakes/stand-in-cluster.ts";

export const clusterYaml = `name: plant-7
release: ./release.yaml
nodes:
  - { name: m1, ip: 10.0.0.11, roles: [etcd, master, worker] }
  - { name: w1, ip: 10.0.0.12, roles: [worker] }
workers: { subnet: 10.0.0.0/24 }
host: { provides: [/bin/sh] }
`;

/** A folder of its own for one mistake. What is changed in it is a copy: all desks share their files. */
export class Desk {
  readonly folder: string;
  readonly environment: Record<string, string> = {};
  /** Who types; null: who runs the test. */
  user: number | null = null;
  /** What is pressed at a terminal when this text is there; null: there is no terminal. */
  pressed: { readonly at: string; readonly keys: string } | null = null;
  readonly #mounts: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string, mode = 0o644): void {
    rmSync(this.path(name), { force: true });
    writeFileSync(this.path(name), text, { mode });
  }

  /** `from` in a file becomes `to`. */
  edit(name: string, from: string | RegExp, to: string): void {
    const text = readFileSync(this.path(name), "utf8");
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`${name} has no ${from}`);
    this.write(name, edited);
  }

  /** A copy of a file: `to` may be its own name. */
  copy(name: string, to: string): void {
    const beside = `${this.path(to)}.copy`;
    copyFileSync(this.path(name), beside);
    chmodSync(beside, lstatSync(this.path(name)).mode & 0o777);
    renameSync(beside, this.path(to));
  }

  chmod(name: string, mode: number): void {
    if (lstatSync(this.path(name)).isFile()) this.copy(name, name);
    chmodSync(this.path(name), mode);
  }

  /** The first bytes of a file as another. */
  cut(name: string, to: string, size: number): void {
    this.copy(name, to);
    truncateSync(this.path(to), size);
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  /** A file system of its own; `bind`: the folder itself under other options. */
  mount(name: string, options: string, bind = false): void {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    execFileSync("mount", bind ? ["--bind", path, path] : ["-t", "tmpfs", "-o", options, "none", path]);
    this.#mounts.push(path);
    if (bind) execFileSync("mount", ["-o", `remount,bind,${options}`, path]);
  }

  /** Runs a command that goes well, before the mistake. */
  run(...words: readonly string[]): void {
    const [program = "", ...args] = words;
    execFileSync(program === "kubeferry" ? kubeferry : program, args, { cwd: this.folder, env: this.base() });
  }

  base(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.path("home"),
      LC_ALL: "C.UTF-8",
      TERM: "dumb",
      ...this.environment,
    };
  }

  close(): void {
    for (const path of this.#mounts.toReversed()) execFileSync("umount", [path]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The desk that all others are copies of. */
export async function firstDesk(folder: string): Promise<Desk> {
  const stand = await standInCluster(join(folder, "release"));
  const desk = new Desk(join(folder, "desk"));
  mkdirSync(desk.path("home"), { recursive: true });
  for (const name of ["bare", "bundle", "host"]) mkdirSync(desk.path(name));
  copyFileSync(join(stand.folder, "stand-in-kubernetes-1.36.yaml"), desk.path("release.yaml"));
  desk.write("cluster.yaml", clusterYaml);
  desk.run("kubeferry", "build", "cluster.yaml", "-o", "plant-7.tar");
  desk.run("kubeferry", "keygen", "--out", "release", "--no-password");
  desk.run("tar", "-xf", "plant-7.tar", "-C", "bundle");
  const key = desk.path("plant-7.keys/w1.key");
  desk.run("bundle/install", "--role", "worker", "--ip", "10.0.0.12", "--key", key, "--root", desk.path("host"));
  return desk;
}

/** Another desk with the same on it. */
export function copyOf({ folder }: Desk, to: string): Desk {
  linkTree(folder, to);
  return new Desk(to);
}

function linkTree(from: string, to: string): void {
  mkdirSync(to);
  chmodSync(to, lstatSync(from).mode & 0o777);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkSync(source, target);
  }
}

/** Path → what would show a write. The store notes when a content was last used; of it only names and sizes count. */
export function stateOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const { mode, ino, size, mtimeMs } = lstatSync(path);
    const shown = path.includes("/home/.cache/") ? `${size}` : `${ino} ${size} ${mtimeMs}`;
    return [path.slice(folder.length + 1), `${mode.toString(8)} ${entry.isFile() ? shown : dirname(path)}`];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}
