/** Hosts for `kubeferry push`: real sshds below one folder, the lines of hosts.yaml that mean them, and the command itself. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputRecord } from "../../builder/output-records.ts";
import { type Ran, runKubeferry } from "../programs/command.ts";
import { type Sshd, type SshdOptions, startSshd } from "./sshd.ts";

const project = join(import.meta.dirname, "../..");

/** `./install` of a bundle that is the project's own source. */
export const launcher = `#!/bin/sh\nhere=$(dirname "$0")\nexec '${process.execPath}' '${project}/installer/main.ts' "$@" --bundle "$here"\n`;

/** `w1` … are workers of the subnet of the bundles of node-bundle.ts. */
export const ips: Readonly<Record<string, string>> = {
  n1: "10.0.0.11",
  n2: "10.0.0.12",
  w1: "10.0.0.21",
  w2: "10.0.0.22",
  w3: "10.0.0.23",
};

export interface HostsFile {
  /** Lines of known_hosts; default: every host's. */
  readonly known?: readonly string[];
  readonly defaults?: string;
  /** Further lines. */
  readonly head?: readonly string[];
}

export class Fleet {
  readonly folder = mkdtempSync(join(tmpdir(), "kubeferry-push-"));
  readonly sshds = new Map<string, Sshd>();

  constructor() {
    // Users of the hosts come by.
    chmodSync(this.folder, 0o755);
  }

  readonly at = (...names: string[]): string => join(this.folder, ...names);

  /** A new key in a file of the folder; its public half. */
  key(name: string, passphrase = ""): string {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", this.at(name)]);
    return readFileSync(this.at(`${name}.pub`), "utf8").trim();
  }

  async start(name: string, authorized: string, options: SshdOptions = {}): Promise<void> {
    for (const one of ["opt", "root"]) mkdirSync(this.at(name, one), { recursive: true });
    this.sshds.set(name, await startSshd(this.at(name), authorized, options));
  }

  readonly portOf = (name: string): number => this.sshds.get(name)?.port ?? 0;

  readonly allKnown = (): string[] => [...this.sshds.values()].map((one) => one.known);

  /** The line of hosts.yaml for a host, with what is `more`. */
  readonly line = (name: string, more: Record<string, unknown> = {}): string => {
    const who = name.startsWith("n") ? { node: name } : { ip: ips[name], name };
    const [folder, root] = [this.at(name, "opt"), this.at(name, "root")];
    return `  - ${JSON.stringify({ ...who, address: "127.0.0.1", port: this.portOf(name), folder, root, ...more })}`;
  };

  readonly hostsFile = (
    lines: readonly string[],
    { known, defaults = "identity: id", head = [] }: HostsFile = {},
  ): void => {
    writeFileSync(this.at("known_hosts"), `${(known ?? this.allKnown()).join("\n")}\n`);
    const start = ["knownHosts: known_hosts", `defaults: { agent: false, ${defaults} }`, ...head, "hosts:"];
    writeFileSync(this.at("hosts.yaml"), [...start, ...lines, ""].join("\n"));
  };

  /** `kubeferry push`, in this very process. */
  readonly push = (bundle: string, ...more: string[]): Promise<Ran> =>
    runKubeferry(["push", this.at(bundle), "--hosts", this.at("hosts.yaml"), ...more]);

  async close(): Promise<void> {
    for (const one of this.sshds.values()) await one.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export type Line = { readonly type: string } & Record<string, unknown>;

/** What was printed with --json, each line judged by the schema. */
export function recordsOf({ out }: Ran): Line[] {
  return out
    .trimEnd()
    .split("\n")
    .map((text) => outputRecord.parse(JSON.parse(text)) as Line);
}
