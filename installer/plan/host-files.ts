/**
 * What keeps modules and kernel values over a boot: two files of this host's own, since a value that is only to be
 * raised depends on what the host has.
 */
import { type BundleIndex, digestOf } from "#bundle";
import type { HostReader } from "../host/host.ts";
import { bringerOf, module, sysctl, sysctlPath } from "../resources/kernel.ts";
import { isUnknown } from "../resources/resource.ts";
import { chosen, type NodeFile } from "./input.ts";
import type { Selection } from "./select.ts";

/** Read after the distribution's own and an administrator's `99-…`, whose values these must hold against. */
const sysctlFile = "/etc/sysctl.d/99-zz-kubeferry.conf";
const modulesFile = "/etc/modules-load.d/kubeferry.conf";

/** Modules and keys that the running kernel lacks are left out. */
export async function hostFiles(index: BundleIndex, selection: Selection, host: HostReader): Promise<HostFile[]> {
  const modules: string[] = [];
  for (const { name, optional } of chosen(index.host.modules, selection)) {
    const found = await module.inspect(host, { name, optional });
    if (isUnknown(found) || found.chain.length > 0 || !optional) modules.push(name);
  }
  const lines: string[] = [];
  for (const { key, value, policy } of chosen(index.host.sysctls, selection)) {
    const broughtBy = bringerOf(key, modules);
    const id = { key, value, policy, broughtBy };
    const found = await sysctl.inspect(host, id);
    const spec = isUnknown(found) ? value : sysctl.spec(id, found);
    if (spec === null) continue;
    // The dash: a kernel that lacks the key at boot is no failure.
    lines.push(`-${sysctlPath(key).slice("/proc/sys/".length).replaceAll(/[./]/g, swap)} = ${spec}`);
  }
  const contents: [string, string[]][] = [
    [modulesFile, modules],
    [sysctlFile, lines],
  ];
  return contents
    .filter(([, body]) => body.length > 0)
    .map(([path, body]) => ownText(path, body, "the host's kernel settings", selection));
}

/** A file that no bundle holds, since it depends on the host. */
export interface HostFile {
  readonly file: NodeFile;
  readonly content: Buffer;
}

/** One of `lines`, with whose it is above them. `template`: what made it. */
export function ownText(
  path: string,
  lines: readonly string[],
  template: string,
  { roles }: Pick<Selection, "roles">,
): HostFile {
  const content = Buffer.from(`# By Kubeferry; removed by ./install undo\n${lines.join("\n")}\n`);
  const digest = digestOf(content);
  const entry: NodeFile["entry"] = {
    path,
    mode: "0644",
    owner: "0:0",
    digest,
    size: content.length,
    tokens: [],
    sensitive: false,
    for: { roles: [...roles] },
    origin: { from: "template", template },
  };
  return { file: { entry, digest, size: content.length }, content };
}

const swap = (separator: string): string => (separator === "/" ? "." : "/");
