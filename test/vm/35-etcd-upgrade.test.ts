/**
 * A cluster of three is upgraded from the distribution's etcd to a later one, member by member, while somebody writes all
 * the time; then comes a bundle whose etcd cannot start, which takes itself back.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { etcdReleaseOf } from "../builders/etcd-release.ts";
import { buildBundle, insert, insertFaulty, insertLater, laterInstaller } from "../machines/bundle.ts";
import { etcdctl, etcdPki, faultyUpgrade, install, must, undo, upgrade } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreCluster } from "../machines/vm.ts";

const addresses = ["10.0.0.11", "10.0.0.12", "10.0.0.13"] as const;
const clusterOf = (release: string, flags = ""): string => `name: three
release: ${release}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd] }
  - { name: n2, ip: 10.0.0.12, roles: [etcd] }
  - { name: n3, ip: 10.0.0.13, roles: [etcd] }
${flags}`;

/** A client as any: it knows three members, and asks again when the one that it asked was just going down. */
const writer = `#!/bin/bash
cp /usr/local/bin/etcdctl /run/writer/ && cp -r ${etcdPki} /run/writer/pki
for ((n = 1; ; n++)); do
  for try in 1 2 3 4 5 6; do
    /run/writer/etcdctl --endpoints=${addresses.map((ip) => `https://${ip}:2379`).join(",")} \\
      --cacert=/run/writer/pki/ca.pem --cert=/run/writer/pki/etcd.pem --key=/run/writer/pki/etcd-key.pem \\
      put "written/$n" "$n" > /dev/null 2> /run/writer/error && break
    echo "again $n $(tail -n 1 /run/writer/error)" >> /run/writer/log
    [ $try = 6 ] && echo "lost $n" >> /run/writer/log
  done
  echo "done $n" >> /run/writer/log
  [ -e /run/writer/stop ] && exit 0
done
`;

test("etcd is upgraded under a writer, and an etcd that cannot start is taken back by itself", async (t) => {
  const later = await etcdReleaseOf("trixie");
  const earlierBundle = await buildBundle(clusterOf("distro"));
  const laterBundle = await buildBundle(clusterOf(later), earlierBundle);
  // A number that is none: known only when etcd reads it.
  const flags = `flags:\n  etcd: { quota-backend-bytes: "much" }\n`;
  const faultyBundle = await buildBundle(clusterOf(later, flags), laterBundle);
  const keys = readFileSync(earlierBundle.keys, "utf8");
  await using running = await restoreCluster(3);
  const [first] = running.machines;
  assert.ok(first !== undefined);
  const before = await Promise.all(
    running.machines.map(async (machine) => {
      await insert(machine, earlierBundle, keys);
      await insertLater(machine, laterBundle);
      return captureState(machine);
    }),
  );
  for (const [place, machine] of running.machines.entries()) await must(machine, install("etcd", addresses[place]));
  assert.deepEqual(await versions(first), ["3.4.23", "3.4.23", "3.4.23"]);

  await first.run("mkdir /run/writer && cat > /run/writer/write && chmod 0700 /run/writer/write", { input: writer });
  await first.run("systemd-run --quiet --collect --unit=writer /run/writer/write");
  for (const machine of running.machines) {
    const at = await written(first);
    const said = await must(machine, upgrade);
    assert.match(said, /snapshot/, "a snapshot of etcd is taken before");
    t.diagnostic(`${machine.name} upgraded during writes ${at} to ${await written(first)}`);
  }
  await first.run("touch /run/writer/stop; while systemctl is-active --quiet writer; do sleep 0.2; done");
  const log = (await first.run("cat /run/writer/log")).trim().split("\n");
  const count = log.filter((line) => line.startsWith("done")).length;
  t.diagnostic(`${count} writes; asked again: ${log.filter((line) => line.startsWith("again")).join("; ") || "none"}`);
  assert.deepEqual(
    log.filter((line) => line.startsWith("lost")),
    [],
  );
  const kept = await must(first, etcdctl(addresses, ["get", "written/", "--prefix", "--count-only", "-w", "fields"]));
  assert.match(kept, new RegExp(`"Count" : ${count}\\b`));
  assert.deepEqual(await versions(first), ["3.5.16", "3.5.16", "3.5.16"]);

  // The old bundle over the new data is known beforehand; a value that only etcd refuses is not.
  await insertFaulty(first, faultyBundle);
  const failed = await must(first, faultyUpgrade, 7);
  assert.match(failed, /much/, "etcd's own words");
  assert.match(failed, /restored/);
  assert.deepEqual(await versions(first), ["3.5.16", "3.5.16", "3.5.16"]);
  assert.match(await must(first, etcdctl(["10.0.0.11"], ["put", "after", "failure"])), /OK/);
  await must(first, [laterInstaller, "status"]);
  await must(first, [laterInstaller, "audit"]);
  assert.doesNotMatch(await first.run("cat /etc/systemd/system/etcd.service"), /much/);

  await first.run("umount /media"); // The third stick came after the description of before.
  for (const [place, machine] of running.machines.entries()) {
    await must(machine, undo);
    const was = before[place];
    assert.ok(was !== undefined);
    assert.deepEqual(differences(was, await captureState(machine, was)), [], machine.name);
  }
});

/** What each member says that it is. */
async function versions(machine: Machine): Promise<(string | undefined)[]> {
  const status = await must(machine, etcdctl(addresses, ["endpoint", "status", "--write-out=json"]));
  const members = JSON.parse(/^\[.*\]$/m.exec(status)?.[0] ?? "[]") as { Status: { version: string } }[];
  return members.map(({ Status }) => Status.version);
}

async function written(machine: Machine): Promise<number> {
  return Number(await machine.run("grep --count '^done' /run/writer/log || true"));
}
