import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../../../../installer/host/effect.ts";
import { realPath } from "../../../../installer/host/real-path.ts";
import { mounts, type MountsState } from "../../../../installer/resources/grown/mounts.ts";
import { isUnknown } from "../../../../installer/resources/resource.ts";
import { FakeHost } from "../../../fakes/fake-host.ts";

const id = {
  runtimes: [{ name: "containerd" as const, client: ["ctr"], data: "/var/lib/containerd" }],
  kubelet: "/var/lib/kubelet",
};

async function look(host: FakeHost): Promise<MountsState> {
  const found = await mounts.inspect(host, id);
  assert.ok(!isUnknown(found));
  return found;
}

function host(...at: readonly string[]): FakeHost {
  const made = new FakeHost();
  made.directory("/var/lib");
  for (const path of at) made.system.growth.mounts.push({ at: path, type: "tmpfs" });
  return made;
}

const paths = (effects: readonly Effect[]): string[] => effects.map((effect) => ("path" in effect ? effect.path : ""));

test("what is mounted last is taken off first, and what somebody's containers have in the same containerd stays", async () => {
  const task = "/run/containerd/io.containerd.runtime.v2.task";
  const made = host(
    "/var/lib/kubelet/pods/u/volumes/a",
    "/var/lib/kubelet/pods/u/volumes/a/b",
    `${task}/k8s.io/c/rootfs`,
    `${task}/moby/c/rootfs`,
    ...["/var/lib/kubelet", "/var/lib/kubelet-data/x", "/srv"],
  );
  assert.deepEqual(paths(mounts.steps(id, await look(made), { mounts: [], namespaces: [] })), [
    `${task}/k8s.io/c/rootfs`,
    "/var/lib/kubelet/pods/u/volumes/a/b",
    "/var/lib/kubelet/pods/u/volumes/a",
  ]);
});

test("below a folder that is a link, mounts are where the kernel says they are", async () => {
  const made = host("/disk/kubelet/pods/u/volumes/a");
  made.link("/var/lib/kubelet", "../../data/kubelet");
  made.link("/data", "/disk");
  assert.equal(await realPath(made, "/var/lib/kubelet/pods"), "/disk/kubelet/pods");
  assert.deepEqual(paths(mounts.steps(id, await look(made), { mounts: [], namespaces: [] })), [
    "/disk/kubelet/pods/u/volumes/a",
  ]);
  made.link("/a", "/b");
  made.link("/b", "/a");
  assert.equal(await realPath(made, "/a/x"), "/a/x");
});

test("the folder of network namespaces stays mounted as long as somebody has one there", async () => {
  const none = { mounts: [], namespaces: [] };
  const made = host("/run/netns", "/run/netns/cni-1");
  made.file("/run/netns/cni-1", "");
  const all = ["/run/netns/cni-1", "/run/netns/cni-1", "/run/netns"];
  assert.deepEqual(paths(mounts.steps(id, await look(made), none)), all);
  made.file("/run/netns/theirs", "");
  assert.deepEqual(paths(mounts.steps(id, await look(made), none)), all.slice(0, 2));
});
