/** Packages of the operating system: installed from the bundle on a host that reaches nobody, run, and taken back. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { guestPackages } from "../../scripts/vm/packages.ts";
import { buildBundle, insert, installer, mountBundle } from "../machines/bundle.ts";
import { install, must, undo } from "../machines/commands.ts";
import { rewrittenByDpkg } from "../machines/undone.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const names = ["ipvsadm", "conntrack", "socat"];
const cluster = `name: packages
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd] }
packages:
  - { distribution: debian 12, names: [${names.join(", ")}] }
`;

test("ipvsadm, conntrack and socat come with all that they need, run, and are gone again", async (t) => {
  for (const name of names) assert.ok(!(guestPackages as readonly string[]).includes(name), `${name} is in the image`);
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  for (const name of names) assert.notEqual((await machine.exec(["which", name])).code, 0, `${name} is in the guest`);
  assert.equal(await machine.run("ip route show default"), "");
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const before = { state: await captureState(machine), ...(await packagesOf(machine)) };

  await must(machine, install("etcd"));
  const added = difference((await packagesOf(machine)).installed, before.installed);
  t.diagnostic(`added: ${added.join(", ")}`);
  for (const name of names) assert.ok(added.includes(name));
  await programsRun(machine);
  await machine.reboot();
  await mountBundle(machine);
  await programsRun(machine);
  await must(machine, [installer, "audit"]);

  const dryRun = await must(machine, [installer, "undo", "--dry-run"]);
  const purged = /dpkg .*--purge (.*)$/m.exec(dryRun)?.[1]?.split(" ") ?? [];
  assert.deepEqual(purged.map((name) => name.replace(/:.*/, "")).toSorted(), added);
  await must(machine, undo);
  assert.deepEqual(await packagesOf(machine), { installed: before.installed, listed: before.listed });
  await machine.reboot();
  await mountBundle(machine);
  const left = differences(before.state, await captureState(machine, before.state));
  assert.deepEqual(
    left.filter((line) => !rewrittenByDpkg.test(line)),
    [],
  );
});

/** Each does its work: a virtual service in the kernel, the connection table, a byte there and back. */
async function programsRun(machine: Machine): Promise<void> {
  await machine.run("ipvsadm --add-service --tcp-service 10.9.9.9:80 --scheduler rr");
  assert.match(await machine.run("ipvsadm --list --numeric"), /TCP {2}10\.9\.9\.9:80 rr/);
  await machine.run("ipvsadm --clear");
  assert.match(await machine.run("conntrack --count"), /^\d+$/m);
  const echo = "systemd-run --quiet --collect --unit=echo socat TCP-LISTEN:7007,bind=127.0.0.1,fork EXEC:cat";
  const ask = "for i in $(seq 50); do echo ferry | socat -t2 - TCP:127.0.0.1:7007 && exit 0; sleep 0.1; done; exit 1";
  assert.equal(await machine.run(`${echo}; (${ask}) 2> /dev/null; systemctl stop echo`), "ferry\n");
}

/** Names with version and architecture, and `dpkg -l` as a person sees it. */
async function packagesOf(machine: Machine): Promise<{ installed: string[]; listed: string }> {
  const installed = await machine.run("dpkg-query --show --showformat '${db:Status-Abbrev}${Package}\\n'");
  return { installed: installed.split("\n").filter(Boolean), listed: await machine.run("dpkg -l") };
}

function difference(now: readonly string[], before: readonly string[]): string[] {
  return now
    .filter((line) => !before.includes(line))
    .map((line) => line.replace(/^ii\s+/, ""))
    .toSorted();
}
