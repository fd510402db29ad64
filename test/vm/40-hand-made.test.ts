/** Install and undo on a host that somebody has set up by hand: all of it is there again, to the modification time. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildBundle, insert, installer } from "../machines/bundle.ts";
import { install, must, undo } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const cluster = `name: handmade
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;

/** What an administrator did before us. */
const handMade = `set -e
printf 'net.ipv4.ip_forward = 0\\nvm.swappiness = 7\\nfs.inotify.max_user_instances = 999\\n' > /etc/sysctl.d/99-own.conf
sysctl --quiet --system
printf '#/dev/sdz9 none  swap sw 0 0\\n/dev/disk/by-id/gone   none\\tswap   sw,nofail,noauto 0 0\\n# the end\\n' >> /etc/fstab
chmod 0640 /etc/fstab
mkdir -m 0750 /etc/containerd /etc/kubernetes
printf 'version = 2\\n# ours since 2019\\n' > /etc/containerd/config.toml
chmod 0600 /etc/containerd/config.toml
chown 33:33 /etc/containerd/config.toml
touch -d '2019-03-04 05:06:07' /etc/containerd/config.toml /etc/fstab
printf '#!/bin/sh\\necho an etcd of our own\\n' > /usr/local/bin/etcd
chmod 0711 /usr/local/bin/etcd
mkdir -p /etc/selinux && printf 'SELINUX=enforcing\\n' > /etc/selinux/config
printf '10.9.9.9 printer # no line feed at the end' >> /etc/hosts
nft add table inet own
nft 'add chain inet own input { type filter hook input priority 0 ; }'
nft add rule inet own input tcp dport 9999 drop
modprobe overlay
systemctl daemon-reload
`;

test("a host with hand-made differences is exactly what it was after install and undo", async () => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await machine.run(handMade);
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const before = await captureState(machine);

  await must(machine, install("etcd,worker"));
  assert.match(await must(machine, ["/usr/local/bin/etcd", "--version"]), /etcd Version/);
  assert.equal(await machine.run("sysctl -n net.ipv4.ip_forward"), "1\n");
  assert.match(await machine.run("nft list table inet own"), /dport 9999 drop/);
  await must(machine, undo);
  assert.deepEqual(differences(before, await captureState(machine, before)), []);
});

test("undo keeps what an operator edited after the installation, says so, and keeps data unless told otherwise", async () => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const before = await captureState(machine);
  await must(machine, install("etcd,worker"));
  await machine.run("echo '# tuned' >> /etc/containerd/config.toml");
  await machine.run("echo '10.9.9.9 printer' >> /etc/hosts");
  await machine.run("sed -i '1i # first line' /etc/fstab");

  const said = await must(machine, [installer, "undo", "--yes"]);
  assert.match(said, /config\.toml was edited/);
  assert.match(said, /\/var\/lib\/etcd stays/);
  assert.match(await machine.run("cat /etc/containerd/config.toml.kubeferry-kept"), /# tuned/);
  assert.equal(await machine.run("cat /etc/hosts"), "127.0.0.1 localhost\n10.9.9.9 printer\n");
  const fstab = (await machine.run("cat /etc/fstab")).split("\n");
  assert.equal(fstab[0], "# first line");
  assert.match(fstab[2] ?? "", /^UUID=\S+ none swap/);
  const left = differences(before, await captureState(machine, before));
  const expected =
    /^(file \/etc\/(hosts|fstab|containerd|containerd\/config\.toml\.kubeferry-kept):|file \/var\/lib\/(etcd|containerd)\b|fstab )/;
  assert.deepEqual(
    left.filter((line) => !expected.test(line)),
    [],
  );
});
