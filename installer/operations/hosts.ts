/** A managed block in /etc/hosts. */
import type { Owner } from "../host/effect.ts";
import { block, type BlockSpec } from "./block.ts";
import type { EditBefore } from "./edit.ts";
import type { Kind } from "./operation.ts";

export interface HostsSpec {
  readonly entries: readonly { readonly ip: string; readonly name: string }[];
  readonly owner: Owner;
}

const path = "/etc/hosts";

export const hosts: Kind<HostsSpec, EditBefore> = {
  resource: () => path,
  describe: ({ entries }) => `${entries.length} names in ${path}`,
  inspect: (host, spec) => block.inspect(host, hostsBlock(spec)),
  forward: (spec, before) => block.forward(hostsBlock(spec), before),
  backward: (spec, before) => block.backward(hostsBlock(spec), before),
};

/** The block that it is. */
export function hostsBlock({ entries, owner }: HostsSpec): BlockSpec {
  return { path, lines: entries.map(({ ip, name }) => `${ip} ${name}`), owner };
}
