/** `kubeferry export ansible`: a verified bundle as a folder that ansible-playbook runs, each host with its own parts. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import {
  type Bundle,
  formatPublicKey,
  openBundle,
  refusePresent,
  requireWhole,
  type Trust,
  writeNew,
  writeNewFolder,
} from "#bundle";
import { formatMode } from "#cli/quantities";
import { reporterFor, type Surroundings } from "#cli/run";
import { listManifests, readManifest } from "../config/manifests.ts";
import { copyMember } from "../pack/copy-member.ts";
import { folderName, partMode, partsFor } from "../push/parts.ts";
import { trustWords } from "../push/run-installer.ts";
import { inventoryOf } from "./ansible-inventory.ts";

export interface AnsibleRequest {
  readonly bundle: string;
  /** A folder that is not there yet. */
  readonly output: string;
  /** As push has it; null: every node that the bundle names, at its own address. */
  readonly hosts: string | null;
  readonly trust: Trust | null;
  readonly json: boolean;
}

/** All of the folder or nothing. USAGE where it is there already; what is wrong with the bundle or hosts.yaml, as push tells it. */
export async function exportAnsible(request: AnsibleRequest, surroundings: Surroundings): Promise<void> {
  const { output, trust } = request;
  const reporter = reporterFor(surroundings, request);
  refusePresent(output);
  const bundle = await openBundle(request.bundle, [trust]);
  const { inventory, hosts } = await inventoryOf(request.hosts, bundle.index);
  reporter.stage("verify", `every byte of ${request.bundle}`);
  await requireWhole(bundle, { reporter, signal: surroundings.signal });
  reporter.stage("export", output);
  await writeNewFolder(output, async (folder) => {
    const write = async (path: string, text: string): Promise<void> => {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeNew(file, text, 0o644);
    };
    for (const path of listManifests("ansible")) await write(path.slice("ansible/".length), readManifest(path) ?? "");
    await write("inventory.yaml", yaml(inventory));
    await write("roles/kubeferry/vars/main.yaml", yaml(variablesOf(bundle, trust)));
    for (const member of bundle.source.members.values())
      await copyMember(member, join(folder, "bundle", member.path), partMode(bundle, member.path));
  });
  const { payloadDigest } = bundle;
  reporter.record("exported", { output, payloadDigest, hosts });
  reporter.info(`${output}: next: ansible-playbook -i ${output}/inventory.yaml ${output}/install.yaml --check`);
}

/** uname -m, as Ansible's facts have it. */
const architectures = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" } as const;

/** What of the role is this bundle's: which parts each node needs, on each machine. */
function variablesOf(bundle: Bundle, trust: Trust | null): Record<string, unknown> {
  const { index } = bundle;
  const partsOf = (node: (typeof index.nodes)[number]) =>
    Object.fromEntries(
      index.platforms.map((platform) => [
        architectures[platform],
        partsFor(bundle, { node: node.name, roles: node.roles }, platform).map(({ path, mode }) => ({
          path,
          mode: formatMode(mode),
        })),
      ]),
    );
  return {
    kubeferry_bundle: folderName(bundle),
    kubeferry_trust: trustWords((trust?.keys ?? []).map(formatPublicKey), trust?.require),
    kubeferry_sealed: index.secrets.filter(({ sealed }) => sealed).map(({ node }) => node),
    kubeferry_parts: Object.fromEntries(index.nodes.map((node) => [node.name, partsOf(node)])),
  };
}

/** For PyYAML, which reads YAML 1.1: a node may be called `on`. */
function yaml(value: unknown): string {
  return stringify(value, { version: "1.1", lineWidth: 0, flowCollectionPadding: true });
}
