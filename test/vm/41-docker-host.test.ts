/**
 * A host on which the distribution's docker already runs somebody's container: a node is installed beside it and taken
 * back, and the container never notices.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { plugFolder } from "../../scripts/vm/medium.ts";
import type { Machine } from "../../scripts/vm/machine.ts";
import { debsFor } from "../builders/debs.ts";
import { buildBundle, insert, installer } from "../machines/bundle.ts";
import { install, must, undo } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const cluster = `name: dockerhost
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;

/** Data of the host's own runtimes, which go on living while we look. */
const living = /^file \/var\/lib\/(docker|containerd)\//;

test("a host that runs docker keeps its container, its rules and its containerd", async (t) => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  const debs = await debsFor(["docker.io"], await machine.run("cat /var/lib/dpkg/status"));
  await plugFolder(machine, debs, "/opt/debs");
  await machine.run("DEBIAN_FRONTEND=noninteractive dpkg --install /opt/debs/*.deb", { timeoutSeconds: 600 });
  // The guest reaches no registry: an image is made of what is there.
  await machine.run(`set -e
mkdir -p /run/image/bin /run/image/www && cp /bin/busybox /run/image/bin/ && echo ours > /run/image/www/index.html
tar -C /run/image -c . | docker import - own:1
docker run --detach --name own --restart always --publish 8088:8088 own:1 /bin/busybox httpd -f -p 8088 -h /www`);
  const container = await stateOf(machine);
  assert.match(container, /^true \d+ 0 /);
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const before = await captureState(machine);

  const preflight = await must(machine, [...install("etcd,worker"), "--dry-run"]);
  assert.match(preflight, /docker\.service of this host runs beside ours/);
  assert.match(preflight, /containerd\.service of this host runs; it is replaced by ours until undo/);
  await must(machine, install("etcd,worker"));
  assert.equal(await stateOf(machine), container, "the container while we are installed");
  t.diagnostic(await machine.run("readlink /proc/$(systemctl show --property MainPID --value containerd)/exe"));
  await must(machine, [installer, "status"]);

  await must(machine, undo);
  assert.equal(await stateOf(machine), container, "the container after undo");
  const left = differences(before, await captureState(machine, before));
  assert.deepEqual(
    left.filter((line) => !living.test(line)),
    [],
  );
  assert.equal(
    await machine.run("readlink /proc/$(systemctl show --property MainPID --value containerd)/exe"),
    "/usr/bin/containerd\n",
  );
});

/** Whether it runs, as which process, how often it was restarted, since when; and what it answers. */
async function stateOf(machine: Machine): Promise<string> {
  const format = "{{.State.Running}} {{.State.Pid}} {{.RestartCount}} {{.State.StartedAt}}";
  const inspected = await machine.run(`docker inspect --format '${format}' own`);
  return (
    inspected +
    (await machine.run("curl --silent --fail --retry 20 --retry-connrefused --retry-delay 1 10.0.0.11:8088"))
  );
}
