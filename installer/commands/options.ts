/** Options that several commands of `./install` have. */
import type { Command } from "commander";
import { collect, withJson, withPublicKeys } from "#cli/options";

/** Of every command that looks at a bundle or at the host. */
export function common(command: Command): Command {
  return withJson(
    command
      .option(
        "--bundle <path>",
        "the bundle: a .tar or the directory it was unpacked into (default: where ./install is)",
      )
      .option("--root <dir>", "a mounted tree instead of this host: files only, nothing is started"),
  );
}

/** Of commands that ask whose bundle it is. */
export function signed(command: Command): Command {
  return withPublicKeys(command, "then the bundle must be signed with it");
}

/** Of commands that ask which node this host is. */
export function node(command: Command): Command {
  return signed(command)
    .option("--role <roles>", "etcd, master, worker; several with commas")
    .option("--ip <address>", "which node this host becomes")
    .option("--name <name>", "name of a worker that is not in cluster.yaml (default: the host's)")
    .option("--iface <interface>", "its network interface (default: the one with --ip)")
    .option("--key <file>", "the file that opens this node's secrets (or KUBEFERRY_KEY)")
    .option("--partial", "the bundle's folder may lack what only other nodes need, as after `kubeferry push`");
}

/** Of commands that change the host. */
export function changing(command: Command): Command {
  return command
    .option("--dry-run", "print every step, change nothing")
    .option("--yes", "do not ask")
    .option("--skip-preflight <name>", "skip a preflight check (repeatable)", collect)
    .option("--no-restore", "after a failure leave the host as it is, instead of restoring it")
    .option("--accept-irreversible", "also make changes that undo cannot take back; the plan names them");
}
