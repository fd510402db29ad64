/** The distribution's gpg with a home of its own: keys and signatures as upstreams make them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { requirePackages } from "./packages.ts";

export class Gpg {
  readonly #home: string;

  constructor(folder: string) {
    requirePackages("gnupg", "gpgv");
    this.#home = join(folder, "gpg");
    mkdirSync(this.#home, { mode: 0o700 });
  }

  run(argv: readonly string[], input: string | Uint8Array = ""): Buffer {
    const options = ["--homedir", this.#home, "--batch", "--yes", "--quiet", "--no-tty", "--trust-model", "always"];
    return execFileSync("gpg", [...options, "--passphrase", "", "--pinentry-mode", "loopback", ...argv], {
      input,
      stdio: ["pipe", "pipe", "ignore"],
    });
  }

  /** Makes a key that signs, and gives its fingerprint. */
  key(user: string, algorithm = "ed25519", ...options: readonly string[]): string {
    this.run([...options, "--quick-generate-key", user, algorithm, "cert,sign", "never"]);
    const listed = this.run(["--with-colons", "--list-keys", user]).toString();
    return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? "";
  }

  /** Public keys, armoured. */
  export(...fingerprints: readonly string[]): string {
    return this.run(["--armor", "--export", ...fingerprints]).toString();
  }

  clearSign(text: string, key: string, ...options: readonly string[]): string {
    return this.run([...options, "--local-user", key, "--clear-sign"], text).toString();
  }

  detach(text: string, key: string, ...options: readonly string[]): Buffer {
    return this.run([...options, "--local-user", key, "--detach-sign"], text);
  }

  /** The certificate that gpg makes with each key, without what keeps it from being used by mistake. */
  revocation(key: string): string {
    const path = join(this.#home, "openpgp-revocs.d", `${key}.rev`);
    return readFileSync(path, "utf8").replace(/^:/m, "");
  }

  /** Ends its agent. */
  close(): void {
    execFileSync("gpgconf", ["--homedir", this.#home, "--kill", "all"]);
  }
}
