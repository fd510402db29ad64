/** Whether a host that ran pods is as it was before, though it was not restarted. */
import type { Machine } from "../../scripts/vm/machine.ts";
import { workloadFolder } from "./workload.ts";
import { captureState, differences, type State } from "./state.ts";

/** Which versions a test ran, for its log. */
export async function tellVersions(machine: Machine, t: { diagnostic(text: string): void }): Promise<void> {
  const programs = ["kubelet", "containerd", "dockerd", "runc", "etcd"];
  const ask = programs.map((name) => `[ ! -x /usr/local/bin/${name} ] || /usr/local/bin/${name} --version | head -n 1`);
  t.diagnostic((await machine.run(ask.join("; "))).trim());
}

/** What dpkg rewrites with the same meaning, its log, and the loader's cache, which is made anew from the same libraries. */
export const rewrittenByDpkg =
  /^(file \/(var\/lib\/dpkg\/(status|status-old|lock|lock-frontend|triggers\/(Lock|Unincorp)|available)|var\/cache\/ldconfig(\/aux-cache)?|etc\/ld\.so\.cache)|log \/var\/log\/dpkg\.log):/;

/**
 * {@link differences} to before, without what the kernel keeps until a boot and nobody can take back: modules that it loaded
 * when rules, mounts and interfaces asked for them, and the values that appeared with them.
 */
export async function undoneDifferences(machine: Machine, before: State): Promise<string[]> {
  await machine.run(`rm -rf ${workloadFolder}`);
  const found = differences(before, await captureState(machine, before)).filter((line) => !rewrittenByDpkg.test(line));
  for (const line of found.filter((line) => keptUntilBoot.test(line))) {
    process.stdout.write(`# ${machine.name} keeps until a boot: ${line}\n`);
  }
  return found.filter((line) => !keptUntilBoot.test(line));
}

const keptUntilBoot =
  /^(module \S+: absent → present|sysctl net\.(netfilter|bridge|ipv4\.vs|nf_conntrack_max)\S*: absent → .*)$/;
