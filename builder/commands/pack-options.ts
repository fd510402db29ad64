/** The options of every command that packs bundles: signatures, recipients, installers. */
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { collect } from "#cli/options";
import type { Surroundings } from "#cli/run";
import type { BuildOptions } from "../build.ts";
import type { SigningKey } from "../sign/secret-key.ts";

export interface PackFlags {
  readonly installers?: string;
  readonly runtime?: string[];
  readonly plaintextSecrets?: boolean;
  readonly sign?: string[];
  readonly recipient?: string[];
}

type Packing = Pick<BuildOptions, "plaintextSecrets" | "recipients" | "sign" | "installers" | "runtimes">;

export function addPackOptions(command: Command): Command {
  return command
    .option(
      "--sign <keyfile>",
      "sign it with this secret key, made by `kubeferry keygen` or `minisign -G` (repeatable)",
      collect,
    )
    .option("--recipient <age1…>", "who else can open every node's secrets: an officer, a safe (repeatable)", collect)
    .option("--plaintext-secrets", "do not encrypt the nodes' secrets: for labs, and the audit reports it")
    .option(
      "--installers <dir>",
      "where `npm run build` left install and install-linux-* (default: beside this program)",
    )
    .option(
      "--runtime <node>",
      "run the installer by this program `node` instead: for hosts with an older glibc (repeatable, one a platform)",
      collect,
    );
}

/** Asks for the passwords of keys that sign. */
export async function packingOf(flags: PackFlags, surroundings: Surroundings): Promise<Packing> {
  const path = (given: string): string => resolve(surroundings.workingDirectory, given);
  return {
    plaintextSecrets: flags.plaintextSecrets ?? false,
    recipients: flags.recipient,
    sign: await signingKeys((flags.sign ?? []).map(path), surroundings),
    installers: flags.installers === undefined ? defaultInstallers() : path(flags.installers),
    runtimes: (flags.runtime ?? []).map(path),
  };
}

/** Opened before anything is made, so that nobody waits for a build that a wrong password ends. */
async function signingKeys(files: readonly string[], surroundings: Surroundings): Promise<SigningKey[]> {
  if (files.length === 0) return [];
  const { openSigningKey } = await import("../sign/open-key.ts");
  const keys: SigningKey[] = [];
  for (const file of files) keys.push(await openSigningKey(file, surroundings));
  return keys;
}

/** The folder of the executable; run from source, the project's dist/. */
function defaultInstallers(): string {
  const program = process.execPath;
  return basename(program) === "node" ? join(import.meta.dirname, "../../dist") : dirname(program);
}
