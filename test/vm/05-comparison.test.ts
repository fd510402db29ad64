/**
 * The comparison that every other test on a machine believes: of each kind of thing that an installation could leave behind
 * one is left, and the difference must name exactly these. Then they are taken away, and there is no difference.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { plugFolder } from "../../scripts/vm/medium.ts";
import { debsFor } from "../builders/debs.ts";
import { captureState, decodeState, differences, encodeState } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

interface Leftover {
  readonly section: string;
  /** The line of the difference, without its section. */
  readonly named: RegExp;
  readonly leave: string;
  readonly take: string;
}

const leftovers: readonly Leftover[] = [
  {
    section: "firewall",
    named: /chain KUBE-LEFT/,
    leave: "nft 'add table ip left; add chain ip left KUBE-LEFT'",
    take: "nft delete table ip left",
  },
  {
    section: "legacy iptables",
    named: /^filter\/\d+: .*→ .*:KUBE-LEFT|KUBE-LEFT/,
    leave: "iptables-legacy -N KUBE-LEFT",
    take: "iptables-legacy -X KUBE-LEFT",
  },
  {
    section: "legacy ip6tables",
    named: /KUBE-LEFT6/,
    leave: "ip6tables-legacy -N KUBE-LEFT6",
    take: "ip6tables-legacy -X KUBE-LEFT6",
  },
  {
    section: "ipset",
    named: /^ip_set_hash_ip: absent → 1$/,
    leave: "ipset create left hash:ip",
    take: "ipset destroy left; modprobe -r ip_set_hash_ip",
  },
  {
    section: "ipvs",
    named: /TCP\/0A630001:0050/,
    leave: "ipvsadm -A -t 10.99.0.1:80 -s rr",
    take: "ipvsadm -C",
  },
  {
    section: "sysctl",
    named: /^kernel\.panic: -1 → 10$/,
    leave: "sysctl -qw kernel.panic=10",
    take: "sysctl -qw kernel.panic=-1",
  },
  {
    section: "module",
    named: /^dummy: absent → present$/,
    leave: "modprobe dummy numdummies=0",
    take: "modprobe -r dummy",
  },
  {
    section: "unit",
    named: /^left\.service: absent → loaded active running$/,
    leave:
      "printf '[Service]\\nExecStart=/bin/sleep infinity\\n' > /etc/systemd/system/left.service; systemctl daemon-reload; systemctl start left",
    take: "systemctl stop left; rm /etc/systemd/system/left.service; systemctl daemon-reload",
  },
  { section: "unit file", named: /^left\.service: absent → static$/, leave: "true", take: "true" },
  {
    section: "file",
    named: /^\/etc\/systemd\/system\/left\.service: absent → f 644 0:0/,
    leave: "true",
    take: "true",
  },
  {
    section: "process",
    named: /^\/system\.slice\/left\.service:sleep: absent → 1$/,
    leave: "true",
    take: "true",
  },
  {
    section: "process",
    named: /^\/kubepods\/pod1:sleep: absent → 1$/,
    leave:
      "mkdir -p /sys/fs/cgroup/kubepods/pod1; setsid sleep infinity > /dev/null 2>&1 < /dev/null & echo $! > /run/left.pid; echo $! > /sys/fs/cgroup/kubepods/pod1/cgroup.procs",
    take: "kill -9 $(cat /run/left.pid); rm /run/left.pid; sleep 0.5; rmdir /sys/fs/cgroup/kubepods/pod1 /sys/fs/cgroup/kubepods",
  },
  { section: "cgroup", named: /^kubepods\/pod1: absent → present$/, leave: "true", take: "true" },
  { section: "run", named: /^\/run\/left\.pid: absent → f 644 0:0$/, leave: "true", take: "true" },
  { section: "swap", named: /→ absent$/, leave: "swapoff --all", take: "swapon --all" },
  {
    section: "mount",
    named: /^\/var\/lib\/left: absent → tmpfs tmpfs rw/,
    leave: "mkdir /var/lib/left; mount -t tmpfs tmpfs /var/lib/left",
    take: "umount /var/lib/left; rmdir /var/lib/left",
  },
  {
    section: "fstab",
    named: /# left/,
    leave: "cp -p /etc/fstab /run/fstab; echo '# left' >> /etc/fstab",
    take: "mv /run/fstab /etc/fstab",
  },
  {
    section: "link",
    named: /^cni0: absent → /,
    leave: "ip link add cni0 type bridge",
    take: "ip link delete cni0; modprobe -r bridge; modprobe -r stp; modprobe -r llc",
  },
  {
    section: "address",
    named: /^lo: .*10\.244\.0\.1\/32/,
    leave: "ip address add 10.244.0.1/32 dev lo",
    take: "ip address delete 10.244.0.1/32 dev lo",
  },
  {
    section: "route",
    named: /^blackhole_10\.245\.0\.0\/24/,
    leave: "ip route add blackhole 10.245.0.0/24",
    take: "ip route delete blackhole 10.245.0.0/24",
  },
  {
    section: "rule",
    named: /^4_\d+:_from_10\.246\.0\.0\/24/,
    leave: "ip rule add from 10.246.0.0/24 table 99",
    take: "ip rule delete from 10.246.0.0/24 table 99",
  },
  {
    section: "socket",
    named: /^udp_0\.0\.0\.0:8472: absent → present$/,
    leave: "ip link add flannel.1 type vxlan id 1 dstport 8472; ip link set flannel.1 up",
    take: "ip link delete flannel.1; modprobe -r vxlan",
  },
  {
    section: "user",
    named: /^left: absent → /,
    leave: "mkdir /run/accounts; cp -a /etc/{passwd,group,shadow,gshadow}{,-} /run/accounts; useradd --system left",
    take: "cp -a /run/accounts/. /etc/ && rm -r /run/accounts",
  },
  { section: "group", named: /^left: absent → /, leave: "true", take: "true" },
  {
    section: "log",
    named: /^\/var\/log\/pods: absent → d 755 0:0$/,
    leave: "mkdir /var/log/pods",
    take: "rmdir /var/log/pods",
  },
];

test("what is left behind on a machine is named, each kind of it, and nothing else is", async (t) => {
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  const debs = await debsFor(["ipset", "ipvsadm"], await machine.run("cat /var/lib/dpkg/status"));
  await plugFolder(machine, debs, "/mnt");
  await machine.run(
    "dpkg -i /mnt/*.deb > /run/dpkg.log 2>&1; ipset list; modprobe ip_vs_rr; ipvsadm -L; iptables-legacy -L; ip6tables-legacy -L",
  );
  const before = await captureState(machine);
  assert.deepEqual(differences(before, await captureState(machine, before)), [], "nothing was done");

  for (const { leave } of leftovers) await machine.run(leave);
  const left = await captureState(machine, before);
  const named = differences(before, left);
  t.diagnostic(named.join("\n"));
  for (const { section, named: pattern } of leftovers) {
    const lines = named.filter((line) => line.startsWith(`${section} `)).map((line) => line.slice(section.length + 1));
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${section} ${pattern.source} is not among:\n${lines.join("\n")}`,
    );
  }
  assert.deepEqual(
    Object.keys(before.sections).filter((section) => !leftovers.some((leftover) => leftover.section === section)),
    [],
    "every section was broken once",
  );
  assert.deepEqual(differences(left, decodeState(encodeState(left))), []);

  for (const { take } of leftovers.toReversed()) await machine.run(take);
  assert.deepEqual(differences(before, await captureState(machine, before)), []);
});
