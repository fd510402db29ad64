/** The machine itself: what the other tests in this folder rely on. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { plugFolder } from "../../scripts/vm/medium.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreCluster, restoreMachine } from "../machines/vm.ts";

test("a restored machine has systemd, swap from a partition in fstab, no route out and none of what a bundle brings", async () => {
  await using machine = await restoreMachine({ name: "alone" });
  assert.equal((await machine.exec(["systemctl", "is-system-running"])).stdout, "running\n");
  assert.match(await machine.run("cat /proc/swaps"), /^\/dev\/vd\w1\s+partition/m);
  assert.match(await machine.run("cat /etc/fstab"), /^UUID=\S+ none swap/m);
  assert.equal(await machine.run("hostname"), "alone\n");
  assert.equal(await machine.run("ip route show default"), "");
  assert.notEqual((await machine.exec(["ping", "-c1", "-W1", "192.0.2.1"])).code, 0);
  for (const program of ["etcd", "etcdctl", "containerd", "runc", "dockerd", "docker", "kubelet", "kubectl"]) {
    assert.notEqual((await machine.exec(["which", program])).code, 0, `${program} is in the guest`);
  }
});

test("two descriptions of one machine are equal, and every kind of change shows in the difference", async () => {
  await using machine = await restoreMachine();
  const before = await captureState(machine);
  assert.deepEqual(differences(before, await captureState(machine, before)), []);
  assert.ok((before.sections["file"]?.size ?? 0) > 5000, "the whole tree is described");
  const changes: Record<string, string> = {
    "file /etc/hosts:": "sed -i s/localhost/localhosT/ /etc/hosts",
    "file /etc/debian_version:": "chmod 0600 /etc/debian_version",
    "file /etc/issue:": "touch -d '2001-01-01' /etc/issue",
    "file /opt/empty:": "mkdir /opt/empty",
    "sysctl net.ipv4.ip_forward:": "sysctl -q -w net.ipv4.ip_forward=1",
    "module dummy:": "modprobe dummy",
    "unit file kf-test.service:":
      "printf '[Service]\\nExecStart=/bin/sleep 900\\n' > /etc/systemd/system/kf-test.service",
    "unit kf-test.service:": "systemctl start kf-test",
    "swap /dev/vd": "swapoff -a",
    "fstab 2:": "sed -i 's/^UUID/#UUID/' /etc/fstab",
    "mount /opt:": "mount -t tmpfs none /opt",
    "firewall inet/kf/": "nft add table inet kf",
    "link kf0:": "ip link add kf0 type dummy",
  };
  for (const script of Object.values(changes)) await machine.run(script);
  const found = differences(before, await captureState(machine, before));
  for (const [wanted, script] of Object.entries(changes)) {
    if (wanted === "file /opt/empty:") continue; // Hidden by the mount above it, whose own line shows.
    assert.ok(
      found.some((line) => line.startsWith(wanted)),
      `«${script}» does not show in\n${found.join("\n")}`,
    );
  }
});

test("a reboot keeps the disks, forgets the kernel's state and changes nothing else", async () => {
  await using machine = await restoreMachine({ name: "again", address: "10.0.0.7/24" });
  // The first boot of an image settles a few things; two boots of the same machine must be equal.
  await machine.reboot();
  const before = await captureState(machine);
  await machine.run("echo kept > /root/kept; sysctl -q -w vm.swappiness=7; swapoff -a");
  await machine.reboot();
  assert.equal(await machine.run("cat /root/kept; rm /root/kept"), "kept\n");
  assert.match(await machine.run("ip -brief address show eth0"), /10\.0\.0\.7\/24/);
  assert.deepEqual(differences(before, await captureState(machine, before)), []);
});

test("a power cut keeps what was flushed and loses what was only in memory", async () => {
  await using machine = await restoreMachine();
  await machine.run("echo flushed > /root/flushed; sync; echo lost > /root/unflushed");
  await machine.powerCut();
  await machine.powerOn();
  assert.equal(await machine.run("cat /root/flushed"), "flushed\n");
  assert.notEqual((await machine.exec(["grep", "-q", "lost", "/root/unflushed"])).code, 0);
  assert.match(await machine.run("cat /proc/swaps"), /partition/);
});

test("a folder arrives as a read-only disk, and is still there after a power cut", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-medium-"));
  try {
    writeFileSync(join(folder, "greeting"), "from outside\n");
    await using machine = await restoreMachine();
    await plugFolder(machine, folder, "/mnt");
    assert.equal(await machine.run("cat /mnt/greeting"), "from outside\n");
    assert.notEqual((await machine.exec(["touch", "/mnt/greeting"])).code, 0);
    await machine.powerCut();
    await machine.powerOn();
    await machine.run("mount -o ro,noload /dev/disk/by-id/virtio-medium0 /mnt");
    assert.equal(await machine.run("cat /mnt/greeting"), "from outside\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("machines on a switch reach one another, and one that is cut off is alone until it is healed", async () => {
  await using cluster = await restoreCluster(2);
  const [first, second] = cluster.machines;
  assert.ok(first !== undefined && second !== undefined);
  const ping = async (): Promise<number | null> =>
    (await first.exec(["ping", "-c2", "-i0.2", "-W2", "10.0.0.12"])).code;
  assert.equal(await ping(), 0);
  cluster.network.cut(second.hardwareAddress);
  assert.notEqual(await ping(), 0);
  cluster.network.heal(second.hardwareAddress);
  assert.equal(await ping(), 0);
  assert.notEqual(await first.run("cat /etc/machine-id"), await second.run("cat /etc/machine-id"));
});
