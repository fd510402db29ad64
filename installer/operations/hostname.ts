/** The host's name: in /etc/hostname, and in the running kernel. */
import type { Effect, Owner } from "../host/effect.ts";
import { edit, type EditBefore, inspectEdit, takeBackEdit } from "./edit.ts";
import type { Kind } from "./operation.ts";

export interface HostnameSpec {
  readonly name: string;
  readonly live: boolean;
  readonly owner: Owner;
}

export interface HostnameBefore {
  readonly file: EditBefore;
  /** Of the running kernel; null with `--root`. */
  readonly running: string | null;
}

const path = "/etc/hostname";
const kernel = "/proc/sys/kernel/hostname";

export const hostname: Kind<HostnameSpec, HostnameBefore> = {
  resource: () => path,
  describe: ({ name }) => `host name ${name}`,
  async inspect(host, { live }) {
    const running = live ? ((await host.read(kernel))?.trim() ?? null) : null;
    return { file: await inspectEdit(host, path), running };
  },
  forward({ name, live, owner }, before) {
    const set: Effect[] = live && before.running !== name ? [{ do: "set", path: kernel, value: name }] : [];
    return [...edit(path, before.file, wanted(name, before), owner), ...set];
  },
  backward({ name, live }, before) {
    const old = before.file?.text.trim() ?? null;
    const set: Effect[] = live && before.running !== null ? [{ do: "set", path: kernel, value: before.running }] : [];
    return [...takeBackEdit(path, before.file, wanted(name, before), [{ from: name, to: old }]), ...set];
  },
};

/** A file that says it already, be it with a comment or without a line feed, stays. */
function wanted(name: string, { file }: HostnameBefore): string {
  return file?.text.trim() === name ? file.text : `${name}\n`;
}
