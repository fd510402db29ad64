/** Everything that a step's bundle is made of, as one digest: the same digest, and the bundle need not be made again. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, digestFile, digestOf, installerName } from "#bundle";
import { version } from "#cli/version";
import { type BuildOptions, keysPath, pkiPath } from "../build.ts";
import type { Pki } from "../components/credentials.ts";
import { topology } from "../config/topology.ts";
import { openKeys } from "../pack/keys.ts";
import { openPki } from "../pki/authority.ts";
import type { PlannedStep } from "./plan.ts";

/** Null where something is missing that a build would make: a lock, a node's key. Writes nothing. */
export async function inputsOf(step: PlannedStep, options: BuildOptions): Promise<Digest | null> {
  const { cluster, manifest, digest: release, own } = step.loaded;
  const keys = keysPath(options.config, cluster);
  const derived = topology(cluster, manifest);
  const lacksKey = derived.nodes.some(({ name }) => !existsSync(join(keys, `${name}.key`)));
  if (!existsSync(step.lock) || (lacksKey && !options.plaintextSecrets)) return null;
  const pki = await openPki(pkiPath(options.config, cluster), derived, options.now, false);
  const { release: _, ...asked } = cluster;
  return digestOf(
    JSON.stringify({
      producer: version(),
      cluster: asked,
      release,
      own: [...own].map(([source, bytes]) => [source, digestOf(bytes)]),
      lock: digestOf(await readFile(step.lock)),
      pki: publicPartsOf(pki),
      recipients: options.plaintextSecrets ? null : await recipientsOf(step, options),
      signers: (options.sign ?? []).map(({ id }) => id.toString("hex")),
      installers: installersOf(options, cluster.platforms),
    }),
  );
}

/** Every secret has a public half, or a name that no other one gets. */
function publicPartsOf({ authorities, leaves, serviceAccount, encryptionKeys, keys, tokens }: Pki): unknown {
  return {
    authorities: authorities.map(({ trusted, crossed }) => [trusted.map(({ certificate }) => certificate), crossed]),
    leaves: leaves.map(({ node, name, certificate, chain }) => [node, name, certificate, chain]),
    serviceAccount: serviceAccount.publicKeys,
    encryption: encryptionKeys.map(({ name }) => name),
    tokens: [...tokens].map(([node, { id, expires }]) => [node, id, expires]),
    keys,
  };
}

async function recipientsOf({ loaded: { cluster, manifest } }: PlannedStep, options: BuildOptions): Promise<unknown> {
  const nodes = topology(cluster, manifest).nodes.map(({ name }) => name);
  const folder = keysPath(options.config, cluster);
  const keys = await openKeys({ folder, pki: pkiPath(options.config, cluster), nodes, others: options.recipients });
  return [...keys.nodes, keys.operator, keys.others];
}

const digests = new Map<string, Digest>();

/** The programs of 120 MB are read once for all steps. */
function installersOf({ installers, runtimes = [] }: BuildOptions, platforms: readonly string[]): unknown {
  const names = ["install", "install.cjs", ...platforms.map((one) => installerName(one as "linux/amd64"))];
  return [...names.map((name) => join(installers, name)), ...runtimes].map((path) => {
    const known = digests.get(path) ?? (existsSync(path) ? digestFile(path).digest : null);
    if (known !== null) digests.set(path, known);
    return known;
  });
}
