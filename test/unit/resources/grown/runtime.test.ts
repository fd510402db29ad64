import assert from "node:assert/strict";
import { test } from "node:test";
import type { Process } from "../../../../installer/host/processes.ts";
import { parseStat } from "../../../../installer/host/processes.ts";
import { endSteps } from "../../../../installer/resources/grown/ending.ts";
import { containersOf, type Runtime, shimOf } from "../../../../installer/resources/grown/runtime.ts";

const containerd: Runtime = { name: "containerd", client: ["ctr"], data: "/var/lib/containerd" };
const docker: Runtime = { name: "docker", client: ["docker"], data: "/var/lib/docker" };
const service = "/system.slice/containerd.service";

function process(pid: number, parent: number, cgroup: string, ...argv: string[]): Process {
  return { pid, parent, started: String(pid), argv, cgroups: [cgroup] };
}

function shim(pid: number, namespace: string, address = "/run/containerd/containerd.sock"): Process {
  const words = ["-namespace", namespace, "-id", `id${pid}`, "-address", address];
  return process(pid, 1, service, "/opt/anything", ...words);
}

const pids = (found: readonly Process[]): number[] => found.map(({ pid }) => pid).toSorted((a, b) => a - b);

test("a shim is known by its arguments, whatever its program is called", () => {
  const expected = { namespace: "k8s.io", address: "/run/containerd/containerd.sock" };
  assert.deepEqual(shimOf(shim(1, "k8s.io")), expected);
  assert.deepEqual(shimOf({ argv: ["x", "--namespace=k8s.io", `--address=${expected.address}`] }), expected);
  assert.equal(shimOf({ argv: ["containerd-shim-runc-v2", "-v"] }), null);
  assert.equal(shimOf({ argv: ["vi", "-namespace"] }), null);
});

test("containers of our namespace are ours, and what they started; somebody's in the same containerd are not", () => {
  const all = [
    shim(10, "k8s.io"),
    process(11, 10, "/kubepods/burstable/pod1/c1", "/pause"),
    process(12, 10, "/kubepods/burstable/pod1/c2", "app"),
    process(13, 12, "/kubepods/burstable/pod1/c2", "child"),
    shim(20, "moby"),
    process(21, 20, "/docker/own", "httpd"),
    process(30, 1, service, "/usr/bin/containerd"),
    process(40, 1, "/user.slice", "containerd-shim-runc-v2"),
  ];
  const found = containersOf(all, [containerd], true);
  assert.deepEqual(pids(found.all), [10, 11, 12, 13]);
  assert.deepEqual(pids(found.mains), [11, 12], "those are asked to stop, and tell their children themselves");
  assert.deepEqual(pids(containersOf(all, [containerd, docker], true).all), [10, 11, 12, 13, 20, 21]);
});

test("what is in the kubelet's cgroups is ours without its shim, with either cgroup driver", () => {
  const all = [
    process(11, 1, "/kubepods.slice/kubepods-besteffort.slice/cri-containerd-c.scope", "orphan"),
    process(12, 1, "/kubepods/podx", "orphan"),
  ];
  assert.deepEqual(pids(containersOf(all, [containerd], true).mains), [11, 12]);
  assert.deepEqual(containersOf(all, [containerd], false).all, []);
});

test("a cluster within somebody's container, and another containerd with its own pods, are not ours", () => {
  const all = [
    process(11, 1, "/docker/abc/kubelet/kubepods/pod1", "kind"),
    process(12, 1, "/machine.slice/x/kubepods.slice/pod1", "nspawn"),
    shim(20, "k8s.io", "/run/k3s/containerd/containerd.sock"),
    process(21, 20, "/kubepods/burstable/pod9/c", "k3s"),
    shim(30, "k8s.io", "unix:///var/run/containerd/containerd.sock"),
  ];
  assert.deepEqual(pids(containersOf(all, [containerd], true).all), [30]);
});

test("only what was not there before ends: a number that another process has by now is not it", () => {
  const one = { pid: 7, started: "100", what: "app" };
  assert.deepEqual(endSteps({ processes: [one] }, { processes: [one] }, 30), []);
  const reused = { pid: 7, started: "900", what: "app" };
  assert.deepEqual(endSteps({ processes: [reused] }, { processes: [one] }, 30), [
    { do: "end", processes: [reused], graceSeconds: 30 },
  ]);
});

test("a process's parent and start are read past any name, and a zombie is none", () => {
  const rest = Array.from({ length: 17 }, (_, at) => at + 2).join(" ");
  assert.deepEqual(parseStat(`12 (a) b (c) S 4 ${rest} 8899 1`), { parent: 4, started: "8899" });
  assert.equal(parseStat(`12 (a) Z 4 ${rest} 8899 1`), null);
  assert.equal(parseStat(""), null);
});
