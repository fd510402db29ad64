import assert from "node:assert/strict";
import { test } from "node:test";
import { type Platform, digestOf } from "#bundle";
import { groupContents } from "../../../builder/pack/groups.ts";
import type { NodeFile } from "../../../builder/render/node-file.ts";

function text(path: string, content: string, ...nodes: string[]): NodeFile {
  return {
    path,
    mode: "0644",
    owner: "0:0",
    content,
    sensitive: false,
    for: { roles: ["worker"], ...(nodes.length > 0 ? { nodes } : {}) },
    origin: { from: "template", template: path },
  };
}

function binary(path: string, from: string, size = 5_000_000): NodeFile {
  const origin = { from: "artifact", url: from, digest: `sha256:${digestOf(from)}`, pinnedBy: "upstream" } as const;
  return { ...text(path, ""), content: { digest: digestOf(path), size }, origin };
}

function artifact(from: string, version: string, platform: Platform = "linux/amd64"): never {
  return { component: from, version, platform, digest: `sha256:${digestOf(from)}` } as never;
}

const namesOf = (files: NodeFile[], artifacts: never[] = []): Record<string, number> =>
  Object.fromEntries(groupContents(files, { artifacts }).map(({ name, contents }) => [name, contents.length]));

test("binaries of one version and platform share a frame, others do not", () => {
  const artifacts = [
    artifact("kubelet", "1.36.3"),
    artifact("kube-proxy", "1.36.3"),
    artifact("etcd", "3.6.4"),
    artifact("kubelet-arm", "1.36.3", "linux/arm64"),
  ];
  const files = ["kubelet", "kube-proxy", "etcd", "kubelet-arm"].map((name) => binary(`/usr/bin/${name}`, name));
  assert.deepEqual(namesOf(files, artifacts), {
    "binaries 1.36.3 linux/amd64": 2,
    "binaries 1.36.3 linux/arm64": 1,
    "binaries 3.6.4 linux/amd64": 1,
  });
});

test("a node's own texts share a frame, and what two nodes have is shared", () => {
  const files = [
    text("/a", "1", "n1"),
    text("/b", "2", "n1"),
    text("/a", "3", "n2"),
    text("/c", "4", "n1"),
    text("/c", "4", "n2"),
    text("/d", "5"),
  ];
  assert.deepEqual(namesOf(files), { "node n1": 2, "node n2": 1, shared: 2 });
});

test("each content is in one group only, and a large one of unknown origin is alone", () => {
  const large = binary("/images/pause.tar", "registry");
  const groups = groupContents([large, { ...large, path: "/images/again.tar" }], { artifacts: [] });
  assert.deepEqual(
    groups.map(({ contents }) => contents.length),
    [1],
  );
  assert.match(groups[0]?.name ?? "", /^single /);
});

test("a sensitive file is in no group", () => {
  assert.deepEqual(groupContents([{ ...text("/key", "k"), sensitive: true }], { artifacts: [] }), []);
});
