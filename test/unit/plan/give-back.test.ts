import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#bundle";
import { kindOf, operation } from "../../../installer/operations/catalogue.ts";
import type { ImageBefore } from "../../../installer/operations/image.ts";
import { keyOf } from "../../../installer/operations/manifest.ts";
import type { ManifestBefore } from "../../../installer/operations/object-kubectl.ts";
import type { Change, Operation } from "../../../installer/operations/operation.ts";
import { giveBack, type GiveBackInput } from "../../../installer/plan/give-back.ts";

const nothing: Omit<GiveBackInput, "gone"> = {
  ...{ changes: [], wanted: [], installed: [], objects: new Set(), live: true, starts: true },
};
const commands = (change: Operation, before: unknown, way: "forward" | "backward"): string[] => {
  const effects = kindOf(change)[way](change.spec, before);
  return effects.flatMap((effect) => (effect.do === "run" ? [effect.argv.join(" ")] : []));
};

const digest = `sha256:${digestOf("image")}`;
const image: Change = {
  ...operation("image", {
    ...{ runtime: "containerd", name: "registry.example/app:1", digest, config: `sha256:${digestOf("config")}` },
    ...{ path: "/images/app.tar", client: ["ctr"], live: true },
  }),
  before: { found: null, pinned: false, identified: false } satisfies ImageBefore,
};

test("an image goes as undo would take it, and comes back from its archive; not one that somebody replaced", () => {
  const [change, ...more] = giveBack({ ...nothing, gone: [image] });
  assert.ok(change !== undefined && more.length === 0);
  const ours: ImageBefore = { found: digest, pinned: true };
  assert.deepEqual(commands(change, ours, "forward")[0], "ctr -n k8s.io images rm registry.example/app:1");
  assert.ok(commands(change, ours, "backward").includes("ctr -n k8s.io images import /images/app.tar"));
  const theirs: ImageBefore = { found: `sha256:${digestOf("another")}`, pinned: false };
  assert.deepEqual([...commands(change, theirs, "forward"), ...commands(change, theirs, "backward")], []);
  const stopped: ImageBefore = { found: null, pinned: false };
  assert.deepEqual([...commands(change, stopped, "forward"), ...commands(change, stopped, "backward")], []);
});

test("what nobody plans since nothing is started, or since the host does not run, is not taken for dropped", () => {
  const sysctl: Change = {
    ...operation("sysctl", { key: "vm.swappiness", value: "0", policy: "set", broughtBy: null }),
    before: "60",
  };
  const kinds = (over: Partial<GiveBackInput>): string[] =>
    giveBack({ ...nothing, gone: [image, sysctl], ...over }).map(({ kind }) => kind);
  assert.deepEqual(kinds({}), ["absent-image", "absent-sysctl"]);
  assert.deepEqual(kinds({ starts: false }), ["absent-sysctl"]);
  assert.deepEqual(kinds({ live: false }), []);
});

test("an object that moved to another manifest stays", () => {
  const identity = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: null, name });
  const item = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
  const before: ManifestBefore = {
    ...{ state: "seen", satisfied: false, missing: [identity("a"), identity("b")], applied: null },
    earlier: { text: JSON.stringify({ kind: "List", items: [item("c"), item("d")] }) },
  };
  const shared = { name: "x", client: ["kubectl"], environment: {}, scratch: "/s", live: true };
  const object: Change = {
    ...operation("object", { ...shared, via: "kubectl", path: "/x.yaml", digest: digestOf("x") }),
    before,
  };
  const left = (...moved: string[]): unknown => {
    const objects = new Set(moved.map((name) => keyOf(identity(name))));
    const [change] = giveBack({ ...nothing, gone: [object], objects });
    const original = (change?.spec as { original: ManifestBefore } | undefined)?.original;
    const items = (JSON.parse(original?.earlier?.text ?? '{"items":[]}') as { items: { metadata: object }[] }).items;
    return original && [original.missing.map(({ name }) => name), items.map(({ metadata }) => metadata)];
  };
  assert.deepEqual(left(), [
    ["a", "b"],
    [{ name: "c" }, { name: "d" }],
  ]);
  assert.deepEqual(left("a", "d"), [["b"], [{ name: "c" }]]);
  assert.equal(left("a", "b", "c", "d"), undefined);
});

test("a module stays while the newer bundle sets a key that it brings, and takes its keys' values along otherwise", () => {
  const module: Change = {
    ...operation("module", { name: "br_netfilter", optional: false }),
    before: { loaded: false, available: true, brings: ["bridge"] },
  };
  const key = operation("sysctl", {
    ...{ key: "net.bridge.bridge-nf-call-iptables", value: "1", policy: "set", broughtBy: "br_netfilter" },
  });
  assert.deepEqual(giveBack({ ...nothing, gone: [module], wanted: [key] }), []);
  const [change] = giveBack({ ...nothing, gone: [module], installed: [key] });
  assert.ok(change);
  const before = { module: { loaded: true, available: true, brings: [] }, values: ["1"] };
  assert.deepEqual(commands(change, before, "forward"), ["modprobe -r br_netfilter", "modprobe -r bridge"]);
  assert.deepEqual(kindOf(change).backward(change.spec, before), [
    { do: "run", argv: ["modprobe", "br_netfilter"] },
    { do: "set", path: "/proc/sys/net/bridge/bridge-nf-call-iptables", value: "1", optional: true },
  ]);
});
