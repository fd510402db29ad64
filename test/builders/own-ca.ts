/** A server certificate for 127.0.0.1 by a CA that nobody trusts yet, made by openssl. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface OwnCa {
  /** Files, PEM. */
  readonly ca: string;
  readonly tls: { readonly certificate: string; readonly key: string };
}

export function makeOwnCa(folder: string, days = 2): OwnCa {
  mkdirSync(folder, { recursive: true });
  const openssl = (words: string): Buffer =>
    execFileSync("openssl", words.split(" "), { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  openssl(`req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=own-CA -days ${days}`);
  openssl("req -newkey rsa:2048 -nodes -keyout tls.key -out tls.csr -subj /CN=mirror");
  writeFileSync(join(folder, "san"), "subjectAltName=IP:127.0.0.1\n");
  openssl(`x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tls.pem -days ${days} -extfile san`);
  return { ca: join(folder, "ca.pem"), tls: { certificate: join(folder, "tls.pem"), key: join(folder, "tls.key") } };
}

/** A line of a file for nginx's auth_basic_user_file. */
export function basicUser(name: string, password: string): string {
  const hash = execFileSync("openssl", ["passwd", "-apr1", password], { encoding: "utf8" }).trim();
  return `${name}:${hash}\n`;
}
