/** SELinux permissive or disabled: the configuration for the next boot, and now as far as a running kernel allows. */
import type { Effect } from "../host/effect.ts";
import { edit, type EditBefore, inspectEdit, takeBackEdit } from "./edit.ts";
import type { Kind } from "./operation.ts";

export interface SelinuxSpec {
  readonly mode: "permissive" | "disabled";
  readonly live: boolean;
}

export interface SelinuxBefore {
  /** Null: the host has no SELinux, and nothing is done. */
  readonly config: EditBefore;
  readonly enforcing: boolean;
}

const path = "/etc/selinux/config";

export const selinux: Kind<SelinuxSpec, SelinuxBefore> = {
  resource: () => path,
  describe: ({ mode }) => `SELinux ${mode}`,
  async inspect(host, { live }) {
    const enforce = live ? await host.read("/sys/fs/selinux/enforce") : null;
    return { config: await inspectEdit(host, path), enforcing: enforce?.trim() === "1" };
  },
  forward(spec, before) {
    const set: Effect[] = before.enforcing ? [{ do: "run", argv: ["setenforce", "0"] }] : [];
    return [...edit(path, before.config, changed(spec, before.config)), ...set];
  },
  backward(spec, before) {
    const lines = settings(before.config).map((line) => ({ from: `SELINUX=${spec.mode}`, to: line }));
    const set: Effect[] = before.enforcing ? [{ do: "run", argv: ["setenforce", "1"] }] : [];
    return [...takeBackEdit(path, before.config, changed(spec, before.config), lines), ...set];
  },
};

const setting = /^\s*SELINUX\s*=/;

function settings(config: EditBefore): string[] {
  return (config?.text ?? "").split("\n").filter((line) => setting.test(line));
}

function changed({ mode }: SelinuxSpec, config: EditBefore): string | null {
  if (config === null) return null;
  return config.text
    .split("\n")
    .map((line) => (setting.test(line) ? `SELINUX=${mode}` : line))
    .join("\n");
}
