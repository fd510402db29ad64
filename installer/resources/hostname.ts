/** The host's name: in /etc/hostname, and in the running kernel. */
import type { Owner } from "../host/effect.ts";
import { type Edit, edited, editSteps, equalText, inspectText, type TextState } from "./edit.ts";
import type { Resource } from "./resource.ts";

export interface HostnameId {
  readonly name: string;
  readonly owner: Owner;
}

export interface HostnameState {
  readonly file: TextState;
  /** Of the running kernel; null with `--root`. */
  readonly running: string | null;
}

const path = "/etc/hostname";
const kernel = "/proc/sys/kernel/hostname";

export const hostname: Resource<HostnameId, HostnameState> = {
  name: () => path,
  describe: ({ name }) => `host name ${name}`,
  async inspect(host) {
    const running = host.live ? ((await host.read(kernel))?.trim() ?? null) : null;
    return { file: await inspectText(host, path), running };
  },
  spec: ({ name, owner }, now) => ({
    file: edited(now.file, editOf(name), owner),
    running: now.running === null ? null : name,
  }),
  equal: (a, b) => equalText(a.file, b.file) && a.running === b.running,
  steps: ({ name }, from, to) => [
    ...editSteps(path, from.file, to.file, editOf(name)),
    ...(to.running === null || from.running === to.running
      ? []
      : [{ do: "set" as const, path: kernel, value: to.running }]),
  ],
  retires: () => null,
};

function editOf(name: string): Edit {
  return {
    // A file that says it already, be it with a comment or without a line feed, stays.
    apply: (text) => (text?.trim() === name ? text : `${name}\n`),
    lines: (before) => [{ from: name, to: before?.trim() ?? null }],
  };
}
