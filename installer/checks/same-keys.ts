/** Preflight of the cluster's keys: those of the bundle and those installed must know each other, or nodes do not. */
import { dirname, join } from "node:path";
import { type Bundle, type Digest, digestOf, type FileEntry } from "#bundle";
import { error, type Finding } from "#cli/finding";
import { isIssuedBy } from "../certificates/reissue.ts";
import type { HostReader } from "../host/host.ts";
import type { Transaction } from "../journal/transaction.ts";
import { chosen } from "../plan/input.ts";
import { installedFiles } from "../plan/renew.ts";
import type { Selection } from "../plan/select.ts";

const check = "same-keys";

export interface KeysInput {
  readonly host: Pick<HostReader, "read">;
  readonly past: readonly Transaction[];
  readonly bundle: Pick<Bundle, "index">;
  readonly selection: Selection;
}

/** A key of the cluster, by the file that says who is trusted. */
interface Shared {
  /** As in the index's `keys`. */
  readonly key: string;
  readonly path: string;
  /** Of the bundle's file. */
  readonly digest: Digest;
  readonly installed: Digest;
}

/** Files of the bundle that hold keys of the cluster and are others than those installed. */
export function otherKeys({ past, bundle, selection }: Omit<KeysInput, "host">): Finding[] {
  return refused(sharedKeys({ past, bundle, selection }).filter(({ digest, installed }) => digest !== installed));
}

/** Whether each side trusts what the other one signs with: a step of a rotation may lie between them, and no more. */
export async function sameKeys(input: KeysInput): Promise<Finding[]> {
  const { host, bundle } = input;
  const { keys = {} } = bundle.index;
  const other: Shared[] = [];
  const skipped: Shared[] = [];
  const dropped: string[] = [];
  for (const one of [...sharedKeys(input), ...encryption(input)]) {
    if (one.digest === one.installed) continue;
    const present = partsOf((await host.read(one.path)) ?? "");
    const ours = keys[one.key]?.trusted ?? [one.key === encryptionKey ? "key1" : one.digest];
    const theirs = present.map(({ id }) => id);
    if (!ours.some((id) => theirs.includes(id))) other.push(one);
    else if (!ours.includes(theirs[0] ?? "") || !theirs.includes(ours[0] ?? "")) skipped.push(one);
    else if (one.key === "kubernetes-ca")
      dropped.push(...present.flatMap(({ id, pem }) => (ours.includes(id) ? [] : [pem])));
  }
  return [...refused(other), ...skippedStep(skipped, input), ...(await kubeletKeys(input, dropped))];
}

/** CAs and the key of service accounts: the same on every node. */
function sharedKeys({ past, bundle, selection }: Omit<KeysInput, "host">): Shared[] {
  const installed = installedFiles(past);
  return chosen(bundle.index.files, selection).flatMap((file) => {
    const [key, present] = [keyOf(file), installed.get(file.path)];
    if (key === null || present === undefined) return [];
    return [{ key, path: file.path, digest: file.digest, installed: present.digest }];
  });
}

/** Private keys follow the certificates beside them; who signs may change within those trusted. */
function keyOf({ origin, sensitive, path }: FileEntry): string | null {
  const isShared = origin.from === "pki" && (origin.name.endsWith(" CA") || origin.name === "service accounts");
  if (!isShared || sensitive || path.endsWith("/ca-signing.pem")) return null;
  return origin.name.toLowerCase().replace(" ", "-");
}

const encryptionKey = "encryption-key";

function encryption({ past, bundle, selection }: KeysInput): Shared[] {
  const installed = installedFiles(past);
  return chosen(bundle.index.files, selection).flatMap(({ path, digest }) => {
    const present = path.endsWith("/encryption-config.yaml") ? installed.get(path) : undefined;
    return present === undefined ? [] : [{ key: encryptionKey, path, digest, installed: present.digest }];
  });
}

/** The keys that a file of the host names, in its order: PEM blocks by their digests, or keys of encryption by their names. */
function partsOf(text: string): { id: string; pem: string }[] {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----\n?/g) ?? [];
  if (blocks.length > 0) return blocks.map((pem) => ({ id: digestOf(pem), pem }));
  return [...text.matchAll(/^\s*- name: (key\d+)$/gm)].map(([, id = ""]) => ({ id, pem: "" }));
}

function refused(other: readonly Shared[]): Finding[] {
  if (other.length === 0) return [];
  const paths = other.map(({ path }) => path).join(", ");
  const hint = "build it beside the .pki folder that the installed bundle was built with";
  return [error(check, `the bundle has other keys of the cluster than those installed: ${paths}`, { hint })];
}

function skippedStep(skipped: readonly Shared[], { bundle }: KeysInput): Finding[] {
  if (skipped.length === 0) return [];
  const steps = skipped.map(({ key }) => `${bundle.index.keys?.[key]?.step ?? "before the rotation"} of ${key}`);
  const message = `the bundle is at the step ${steps.join(", ")}, and this host is not at the one beside it: nodes would refuse each other`;
  const hint = "upgrade every host to the bundle of each step: trust, reissue, drop; docs/day-2-rotation.md";
  return [error(check, message, { found: skipped.map(({ path }) => path).join(", "), hint })];
}

/** Certificates that the kubelet was issued are in no bundle: those of a CA that is dropped must have gone before. */
async function kubeletKeys({ host, bundle, selection }: KeysInput, dropped: readonly string[]): Promise<Finding[]> {
  if (dropped.length === 0) return [];
  const written = chosen(bundle.index.written ?? [], selection).filter(({ certificate }) => certificate !== undefined);
  const findings: Finding[] = [];
  for (const { path } of written) {
    const current = path.replace("*", "current");
    const text = await host.read(current);
    if (text === null || !dropped.some((ca) => isIssuedBy(text, ca))) continue;
    const hint = `systemctl stop kubelet && rm ${join(dirname(path), "kubelet-*.pem")} && systemctl start kubelet   # docs/day-2-rotation.md`;
    findings.push(
      error(check, `the kubelet still uses a certificate of the CA that this bundle drops: ${current}`, { hint }),
    );
  }
  return findings;
}
