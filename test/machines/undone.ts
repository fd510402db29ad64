/** Whether a host that ran pods is as it was before, though it was not restarted. */
import assert from "node:assert/strict";
import { credentialsOn } from "./credentials.ts";
import { workloadFolder } from "./workload.ts";
import { captureState, differences, type State } from "./state.ts";
import type { Host } from "./host.ts";

/** Which versions a test ran, for its log. */
export async function tellVersions(machine: Host, t: { diagnostic(text: string): void }): Promise<void> {
  const programs = ["kubelet", "containerd", "dockerd", "runc", "etcd"];
  const ask = programs.map((name) => `[ ! -x /usr/local/bin/${name} ] || /usr/local/bin/${name} --version | head -n 1`);
  t.diagnostic((await machine.run(ask.join("; "))).trim());
}

/** What dpkg and debconf rewrite with the same meaning, dpkg's log, and the loader's cache, which is made anew from the same libraries. */
export const rewrittenByDpkg =
  /^(file \/(var\/lib\/dpkg\/(status|status-old|lock|lock-frontend|triggers\/(Lock|Unincorp)|available)|var\/cache\/debconf\/(config|templates)\.dat(-old)?|var\/cache\/ldconfig(\/aux-cache)?|etc\/ld\.so\.cache)|log \/var\/log\/dpkg\.log):/;

/**
 * Nobody tells the systemd of a container that a cgroup of the first version is empty: it keeps the scopes of the kubelet's
 * mounts, and the cgroup of a runtime that ended before the last of its shims did.
 */
export const leftByContainer =
  /^(unit file run-r[0-9a-f]+\.scope: absent → transient|cgroup systemd\/system\.slice\/containerd\.service: absent → present)$/;

/**
 * What Debian's haproxy leaves after its purge, which takes its user away again: the lists of accounts with what they said
 * before but written anew, their backups, and two names in /run that go with the next boot.
 */
export const leftByHaproxy = [
  /^file \/etc\/(passwd|group|shadow|gshadow): f \d+ \S+ \d+ bytes \S+ ([0-9a-f]{64}) → f \d+ \S+ \d+ bytes \S+ \2$/,
  /^file \/etc\/(passwd|group|shadow|gshadow)-: /,
  /^run \/run\/(adduser|haproxy): absent /,
];

/** Nothing of an installation is left: no difference to before but `known` ones, and no credential. */
export async function assertUndone(
  machine: Host,
  before: State | undefined,
  known: readonly RegExp[] = [],
): Promise<void> {
  assert.ok(before !== undefined);
  const left = await undoneDifferences(machine, before);
  assert.deepEqual(
    left.filter((line) => !known.some((one) => one.test(line))),
    [],
    machine.name,
  );
  assert.deepEqual(await credentialsOn(machine), [], machine.name);
}

/** {@link differences} to before, once the test's own folder is gone: modules and kernel values count like all else. */
export async function undoneDifferences(machine: Host, before: State): Promise<string[]> {
  await machine.run(`rm -rf ${workloadFolder}`);
  return differences(before, await captureState(machine, before)).filter((line) => !rewrittenByDpkg.test(line));
}
