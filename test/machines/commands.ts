/** What the tests on machines type, and how they judge the answer. */
import assert from "node:assert/strict";
import { faultyInstaller, installer, keyFile, laterInstaller } from "./bundle.ts";
import type { Host } from "./host.ts";

type Argv = readonly [string, ...string[]];

/** `./install --role ROLES --ip IP`, with the node's key, without a question. */
export function install(roles: string, ip = "10.0.0.11"): Argv {
  return [installer, "--role", roles, "--ip", ip, "--key", keyFile, "--yes"];
}

/** The complete undo: data of etcd and of containers goes too. */
export const undo: Argv = [installer, "undo", "--yes", "--delete-data"];

/** The later bundle over the one that is installed, and back. */
export const upgrade: Argv = [laterInstaller, "upgrade", "--key", keyFile, "--yes"];
export const faultyUpgrade: Argv = [faultyInstaller, "upgrade", "--key", keyFile, "--yes"];
export const rollback: Argv = [laterInstaller, "rollback", "--yes"];

/** Runs it and wants this exit code; standard output and standard error come back as one text. */
export async function must(machine: Host, argv: Argv, code = 0): Promise<string> {
  const result = await machine.exec(argv, { timeoutSeconds: 900 });
  const said = `${result.stdout}\n${result.stderr}`;
  assert.equal(result.code, code, `${machine.name}: ${argv.join(" ")}\n${said}`);
  return said;
}

/** Where release `distro` keeps etcd's certificates. */
export const etcdPki = "/etc/kubernetes/pki/etcd";

/** etcdctl as this member, with its own certificate. `pki`: where other releases keep it. */
export function etcdctl(endpoints: readonly string[], words: readonly string[], pki = etcdPki): Argv {
  const shown = [`--cacert=${pki}/ca.pem`, `--cert=${pki}/etcd.pem`, `--key=${pki}/etcd-key.pem`];
  const urls = endpoints.map((ip) => `https://${ip}:2379`).join(",");
  return ["/usr/local/bin/etcdctl", `--endpoints=${urls}`, ...shown, ...words];
}
