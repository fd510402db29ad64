import assert from "node:assert/strict";
import { test } from "node:test";
import { cgroups, type CgroupsState } from "../../../../installer/resources/grown/cgroups.ts";
import { interfaces } from "../../../../installer/resources/grown/interfaces.ts";
import { modules, parseModules } from "../../../../installer/resources/grown/modules.ts";
import { values } from "../../../../installer/resources/grown/values.ts";
import { parseVirtualServers, virtualServers } from "../../../../installer/resources/grown/virtual-servers.ts";
import type { Effect } from "../../../../installer/host/effect.ts";
import { isUnknown } from "../../../../installer/resources/resource.ts";
import { FakeHost } from "../../../fakes/fake-host.ts";

const words = (effects: readonly Effect[]): string[] =>
  effects.map((effect) => (effect.do === "run" ? effect.argv.join(" ") : effect.do));

test("bridges and tunnels of pods go with what is attached to them; interfaces of others stay", () => {
  const link = (name: string, master: string | null = null, up = true) => ({ name, master, up });
  const before = { interfaces: [link("lo"), link("eth0"), link("docker0"), link("veth1", "docker0")], routes: [] };
  const now = {
    interfaces: [
      ...before.interfaces,
      ...[link("cni0"), link("veth2", "cni0"), link("flannel.1"), link("br0"), link("veth3", "br0"), link("tunl0")],
      ...[link("kube-ipvs0"), link("cali0a1b2c3d4e5"), link("calendar0"), link("veth4", "docker0")],
    ],
    routes: ["172.30.0.0/24 dev cni0 proto kernel scope link", "172.30.7.0/24 via 10.0.0.12 dev eth0 linkdown"],
  };
  assert.deepEqual(words(interfaces.steps({ docker: false, pods: "172.30.0.0/16" }, now, before)), [
    "ip route del 172.30.7.0/24 via 10.0.0.12 dev eth0",
    ...["veth2", "cni0", "flannel.1", "kube-ipvs0", "cali0a1b2c3d4e5"].map((name) => `ip link delete ${name}`),
    "ip address flush dev tunl0",
    "ip link set tunl0 down",
  ]);
  const docker = interfaces.steps(
    { docker: true, pods: "172.30.0.0/16" },
    { ...now, routes: [] },
    { interfaces: [], routes: [] },
  );
  assert.ok(words(docker).includes("ip link delete docker0"));
  assert.deepEqual(interfaces.steps({ docker: true, pods: "172.30.0.0/16" }, now, now), []);
});

test("modules go from the users to the used, and stay where the kernel or somebody else uses them", () => {
  const text = `nft_chain_nat 16384 2 - Live 0x0
xt_nat 16384 0 - Live 0x0
nf_nat 57344 2 xt_nat,nft_chain_nat, Live 0x0
nf_conntrack 188416 2 xt_nat,nf_nat, Live 0x0
vxlan 151552 0 - Live 0x0
udp_tunnel 32768 1 vxlan, Live 0x0
usb_storage 81920 0 - Live 0x0
bridge 311296 1 br_netfilter,[permanent], Live 0x0
br_netfilter 36864 0 - Live 0x0
xfrm_user 57344 0 - Live 0x0
xfrm_algo 16384 1 xfrm_user, Live 0x0
`;
  const now = { modules: parseModules(text) };
  assert.deepEqual(words(modules.steps({}, now, { modules: [] })), [
    ...["rmmod xt_nat", "rmmod vxlan", "rmmod br_netfilter", "rmmod xfrm_user"],
    ...["rmmod udp_tunnel", "rmmod xfrm_algo"],
  ]);
  const known = { modules: parseModules("udp_tunnel 1 0 - Live 0x0\n") };
  assert.ok(!words(modules.steps({}, now, known)).includes("rmmod udp_tunnel"));
  assert.equal(modules.grown?.untilBoot, true);
});

test("values that daemons set become what they were; a key that is gone, or was not there, is let be", () => {
  const steps = values.steps(
    {},
    { "/proc/sys/a": "10", "/proc/sys/b": "1", "/proc/sys/new": "1" },
    { "/proc/sys/a": "0", "/proc/sys/b": "1", "/proc/sys/gone": "1" },
  );
  assert.deepEqual(steps, [{ do: "set", path: "/proc/sys/a", value: "0", optional: true }]);
});

test("virtual servers of ipvs are read from the kernel's own table", () => {
  const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A400001:01BB rr
  -> 0A00000B:192B      Masq    1      0          0
UDP  0A40000A:0035 rr
TCP  [fd00:0000:0000:0000:0000:0000:0000:000a]:0050 rr
FWM  00000010 wlc
`;
  const servers = parseVirtualServers(text);
  assert.deepEqual(servers, [
    "-t 10.64.0.1:443",
    "-u 10.64.0.10:53",
    "-t [fd00:0000:0000:0000:0000:0000:0000:000a]:80",
    "-f 16",
  ]);
  assert.deepEqual(words(virtualServers.steps({}, { servers }, { servers: ["-f 16"] })).slice(0, 2), [
    "ipvsadm -D -t 10.64.0.1:443",
    "ipvsadm -D -u 10.64.0.10:53",
  ]);
});

test("control groups of pods go from the innermost on, systemd's by way of their slice; docker's only with our docker", async () => {
  const host = new FakeHost();
  host.directory("/sys/fs/cgroup/memory/kubepods/burstable/pod1");
  host.directory("/sys/fs/cgroup/memory/docker/own");
  host.directory("/sys/fs/cgroup/cpu/kubepods.slice/kubepods-pod2.slice");
  host.link("/sys/fs/cgroup/cpuacct", "cpu");
  const look = async (docker: boolean): Promise<CgroupsState> => {
    const found = await cgroups.inspect(host, { docker });
    assert.ok(!isUnknown(found));
    return found;
  };
  const now = await look(false);
  const paths = (effects: readonly Effect[]): string[] =>
    effects.map((effect) => ("path" in effect ? effect.path.slice("/sys/fs/cgroup/".length) : effect.do));
  assert.deepEqual(paths(cgroups.steps({ docker: false }, now, { groups: [] })), [
    "systemctl",
    "memory/kubepods/burstable/pod1",
    "memory/kubepods/burstable",
    "memory/kubepods",
    "cpu/kubepods.slice/kubepods-pod2.slice",
    "cpu/kubepods.slice",
  ]);
  assert.deepEqual(cgroups.steps({ docker: false }, now, now), []);
  assert.equal((await look(true)).groups.length, now.groups.length + 2);
  host.file("/sys/fs/cgroup/cgroup.controllers", "memory");
  host.directory("/sys/fs/cgroup/kubepods/besteffort");
  assert.deepEqual((await look(false)).groups, ["/sys/fs/cgroup/kubepods", "/sys/fs/cgroup/kubepods/besteffort"]);
});
