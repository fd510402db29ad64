/** SELinux permissive or disabled: the configuration for the next boot, and now as far as a running kernel allows. */
import type { Effect } from "../host/effect.ts";
import { type Edit, edited, editSteps, equalText, inspectText, type TextState } from "./edit.ts";
import type { Resource } from "./resource.ts";

export interface SelinuxId {
  readonly mode: "permissive" | "disabled";
}

export interface SelinuxState {
  /** Null: the host has no SELinux, and nothing is done. */
  readonly config: TextState;
  readonly enforcing: boolean;
}

const path = "/etc/selinux/config";

export const selinux: Resource<SelinuxId, SelinuxState> = {
  name: () => path,
  describe: ({ mode }) => `SELinux ${mode}`,
  async inspect(host) {
    const enforce = host.live ? await host.read("/sys/fs/selinux/enforce") : null;
    return { config: await inspectText(host, path), enforcing: enforce?.trim() === "1" };
  },
  spec: ({ mode }, now) => ({ config: edited(now.config, editOf(mode)), enforcing: false }),
  equal: (a, b) => equalText(a.config, b.config) && a.enforcing === b.enforcing,
  steps({ mode }, from, to) {
    const argv = ["setenforce", to.enforcing ? "1" : "0"];
    const set: Effect[] = from.enforcing === to.enforcing ? [] : [{ do: "run", argv }];
    return [...editSteps(path, from.config, to.config, editOf(mode)), ...set];
  },
  retires: () => null,
};

const setting = /^\s*SELINUX\s*=/;

function editOf(mode: SelinuxId["mode"]): Edit {
  const replace = (text: string): string =>
    text
      .split("\n")
      .map((line) => (setting.test(line) ? `SELINUX=${mode}` : line))
      .join("\n");
  return {
    apply: (text) => (text === null ? null : replace(text)),
    lines: (before) =>
      (before ?? "")
        .split("\n")
        .filter((line) => setting.test(line))
        .map((line) => ({ from: `SELINUX=${mode}`, to: line })),
  };
}
