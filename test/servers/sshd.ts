/**
 * Real sshds of the distribution on loopback, one a host of a test: each with its own port, host key and users, in a mount
 * namespace of its own in which /etc/passwd, /etc/shadow and /etc/sudoers are the test's.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requirePackages } from "../programs/packages.ts";
import { answering, freePort } from "./nginx.ts";

export interface Sshd {
  readonly port: number;
  /** The host's line of known_hosts. */
  readonly known: string;
  /** A new host key under the same port. */
  changeKey(): Promise<void>;
  close(): Promise<void>;
}

export interface SshdOptions {
  /** Mounted on this folder, for this host alone. */
  readonly tmpfs?: { readonly path: string; readonly size: string };
  /** Lines for sshd_config; the first that says something counts, and these come first. */
  readonly config?: readonly string[];
  /** Lines for /etc/sudoers. */
  readonly sudoers?: readonly string[];
  /** A host that asks for the password as a question, by PAM, and takes it in no other way. */
  readonly asks?: boolean;
}

/** Password of `root` and of `carrier` on every host. */
export const password = "a password of the tests";

/** Starts one below `folder`; `authorized` is the public key that may log in. */
export async function startSshd(folder: string, authorized: string, options: SshdOptions = {}): Promise<Sshd> {
  requirePackages("openssh-server", "openssh-client", "sudo", "util-linux");
  mkdirSync(folder, { recursive: true });
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const file = (name: string): string => join(folder, name);
  const port = await freePort();
  const makeKey = (): string => {
    execFileSync("rm", ["-f", file("host_key"), file("host_key.pub")]);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file("host_key")]);
    return readFileSync(file("host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  };
  const key = makeKey();
  writeFileSync(file("authorized"), `${authorized}\n`, { mode: 0o644 });
  const hash = execFileSync("openssl", ["passwd", "-6", password], { encoding: "utf8" }).trim();
  mkdirSync(file("home"), { recursive: true });
  execFileSync("chown", ["4321:4321", file("home")]);
  const passwd = readFileSync("/etc/passwd", "utf8").replace(/^root:.*$/m, `root:x:0:0:root:${folder}:/bin/sh`);
  writeFileSync(file("passwd"), `${passwd}carrier:x:4321:4321::${file("home")}:/bin/sh\n`);
  writeFileSync(file("shadow"), `root:${hash}:19000:0:99999:7:::\ncarrier:${hash}:19000:0:99999:7:::\n`, {
    mode: 0o600,
  });
  writeFileSync(file("sudoers"), ["root ALL=(ALL) ALL", ...(options.sudoers ?? []), ""].join("\n"), { mode: 0o440 });
  const asking = options.asks === true;
  writeFileSync(file("pam"), ["auth", "account"].map((what) => `${what} required pam_unix.so\n`).join(""));
  const asks = ["UsePAM yes", "KbdInteractiveAuthentication yes", "AuthenticationMethods keyboard-interactive"];
  writeFileSync(
    file("sshd_config"),
    [
      ...(asking ? asks : []),
      ...(options.config ?? []),
      ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${file("host_key")}`, `PidFile ${file("pid")}`],
      ...[`AuthorizedKeysFile ${file("authorized")}`, "StrictModes no", "PermitRootLogin yes", "UsePAM no"],
      ...["PasswordAuthentication yes", "Subsystem sftp internal-sftp", ""],
    ].join("\n"),
  );
  const mounts = [
    ...["passwd", "shadow", "sudoers"].map((name) => `mount --bind ${file(name)} /etc/${name}`),
    ...(asking ? [`mount --bind ${file("pam")} /etc/pam.d/sshd`] : []),
    ...(options.tmpfs === undefined ? [] : [`mount -t tmpfs -o size=${options.tmpfs.size} none ${options.tmpfs.path}`]),
  ];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const script = [...mounts, `exec /usr/sbin/sshd -D -e -f ${file("sshd_config")}`].join(" && ");
    // A session outlives the sshd that took it, and may say something after the test.
    const log = openSync(file("log"), "a");
    child = spawn("unshare", ["--mount", "--", "sh", "-c", script], { stdio: ["ignore", "ignore", log] });
    closeSync(log);
    await answering(port, child);
  };
  const close = async (): Promise<void> => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
  };
  await start();
  return {
    port,
    known: `[127.0.0.1]:${port} ${key}`,
    async changeKey() {
      await close();
      makeKey();
      await start();
    },
    close,
  };
}
