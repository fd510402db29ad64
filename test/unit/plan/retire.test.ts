/** What a newer bundle no longer has: what goes, what stays, and what rollback brings again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#bundle";
import type { Effect } from "../../../installer/host/effect.ts";
import { effectsOf, inspectPlan } from "../../../installer/journal/apply.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import type { Transaction } from "../../../installer/journal/transaction.ts";
import { goal, goalsIn, resourceOf } from "../../../installer/resources/catalogue.ts";
import { type ImageState, image } from "../../../installer/resources/image.ts";
import { keyOf } from "../../../installer/resources/manifest.ts";
import { mark } from "../../../installer/resources/object-kubectl.ts";
import type { ObjectId } from "../../../installer/resources/object-id.ts";
import { object, type ObjectState } from "../../../installer/resources/object.ts";
import type { Change, Goal } from "../../../installer/resources/resource.ts";
import { type RetireInput, withRetirement } from "../../../installer/plan/retire.ts";
import { FakeHost } from "../../fakes/fake-host.ts";

/** What an older bundle did, each with what was there before it. */
function installed(...changes: Omit<Change, "after">[]): Transaction {
  const goals = changes.map(({ resource, id }): Goal => ({ resource, id }));
  return {
    id: 1,
    at: "2026-11-21T00:00:00Z",
    header: { roles: ["worker"], bundle: { payload: digestOf("older") } } as unknown as Header,
    phases: [{ name: "all", goals, gates: [] }],
    changes: changes.map((change, n) => {
      const after = resourceOf(change).spec(change.id, change.before);
      return { n, phase: "all", change: { ...change, after } };
    }),
    done: new Set(changes.keys()),
    undone: new Set(),
    state: "committed",
  };
}

function retired(past: Transaction, wanted: readonly Goal[] = [], over: Partial<RetireInput> = {}): Goal[] {
  const planned = { phases: [{ name: "newer", goals: wanted, gates: [] }] };
  const input = { planned, past: [past], payload: digestOf("newer"), roles: ["worker" as const], live: true, ...over };
  return goalsIn(withRetirement(input)).filter(({ back }) => back !== undefined);
}

const commands = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.do === "run" ? [effect.argv.join(" ")] : [effect.do]));

const digest = `sha256:${digestOf("image")}`;
const imageId = {
  ...{ runtime: "containerd" as const, name: "registry.example/app:1", digest, config: `sha256:${digestOf("config")}` },
  ...{ path: "/images/app.tar", client: ["ctr"] },
};
const none: ImageState = { found: null, pinned: false, identified: false };
const withImage = { ...goal("image", imageId), before: none };

/** Its containerd has the image with this digest, or does not answer. */
class Runtime extends FakeHost {
  line: string | null = null;
  override async query(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    if (argv[0] !== "ctr") return super.query(argv);
    return { code: this.line === null ? 1 : 0, stdout: `REF\n${this.line}\n`, stderr: "refused" };
  }
}

test("an image goes as undo would take it, and comes back from its archive; not one that somebody replaced", async () => {
  const phases = [{ name: "give back", goals: retired(installed(withImage)), gates: [] }];
  const host = new Runtime();
  const changes = async (): Promise<Change[]> => (await inspectPlan(host, { phases })).map(({ change }) => change);
  host.line = `${imageId.name} type ${digest} io.cri-containerd.pinned=pinned`;
  const [ours] = await changes();
  assert.ok(ours);
  assert.equal(commands(effectsOf(ours))[0], "ctr -n k8s.io images rm registry.example/app:1");
  const again = image.steps(imageId, none, ours.before as ImageState);
  assert.ok(commands(again).includes("ctr -n k8s.io images import /images/app.tar"));
  host.line = `${imageId.name} type sha256:${digestOf("another")} -`;
  assert.deepEqual(await changes(), []);
  host.line = null;
  assert.deepEqual((await changes()).flatMap(effectsOf), [], "looked at again at its turn");
});

test("what nobody plans since nothing is started is not taken for dropped", () => {
  const sysctl = goal("sysctl", { key: "vm.swappiness", value: "0", policy: "set", broughtBy: null });
  const past = installed(withImage, { ...sysctl, before: "60" });
  const names = (over: Partial<RetireInput>): string[] => retired(past, [], over).map(({ resource }) => resource);
  assert.deepEqual(names({}), ["sysctl", "image"]);
  assert.deepEqual(names({ starts: false }), ["sysctl"]);
});

test("a host that does not run gives back nothing of a kernel or a cluster", async () => {
  const sysctl = goal("sysctl", { key: "vm.swappiness", value: "0", policy: "set", broughtBy: null });
  const goals = retired(installed(withImage, { ...sysctl, before: "60" }), [], { live: false });
  const phases = [{ name: "give back", goals, gates: [] }];
  assert.deepEqual(await inspectPlan(new FakeHost({ live: false }), { phases }), []);
});

test("an object that moved to another manifest stays", () => {
  const identity = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: null, name });
  const item = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
  const before: ObjectState = {
    via: "kubectl",
    is: {
      ...{ applied: null, missing: [identity("a"), identity("b")], noted: null },
      earlier: { text: JSON.stringify({ kind: "List", items: [item("c"), item("d")] }) },
    },
  };
  const shared = { name: "x", client: ["kubectl"], environment: {}, scratch: "/s" };
  const moving = goal("object", { ...shared, via: "kubectl", path: "/x.yaml", digest: digestOf("x") });
  const left = (...moved: string[]): unknown => {
    const objects = new Map(moved.map((name) => [keyOf(identity(name)), "/another.yaml"]));
    const [one] = retired(installed({ ...moving, before }), [], { objects });
    const to = one?.back?.to as typeof before | undefined;
    if (to?.via !== "kubectl") return undefined;
    const { items } = JSON.parse(to.is.earlier?.text ?? '{"items":[]}') as { items: { metadata: object }[] };
    return [to.is.missing.map(({ name }) => name), items.map(({ metadata }) => metadata)];
  };
  assert.deepEqual(left(), [
    ["a", "b"],
    [{ name: "c" }, { name: "d" }],
  ]);
  assert.deepEqual(left("a", "d"), [["b"], [{ name: "c" }]]);
  assert.equal(left("a", "b", "c", "d"), undefined);
});

test("an object that its manifest no longer has goes to what it was before any of ours, where its manifest can be told", () => {
  const identity = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", namespace: null, name });
  const item = (name: string, annotations = {}) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, annotations },
  });
  const list = (...items: unknown[]) => ({ text: `${JSON.stringify({ apiVersion: "v1", kind: "List", items })}\n` });
  const is = {
    ...{ applied: null, missing: [identity("made"), identity("stays")], noted: list(item("theirs")) },
    earlier: list(item("theirs"), item("another-masters", { [mark]: digestOf("older") })),
  };
  const shared = {
    name: "x",
    client: ["kubectl"],
    environment: {},
    scratch: "/s",
    via: "kubectl" as const,
    path: "/x.yaml",
  };
  const older = { ...goal("object", { ...shared, digest: digestOf("older") }), before: { via: "kubectl", is } };
  const newer = goal("object", { ...shared, digest: digestOf("newer") });
  const gone = (path: string, over: Partial<RetireInput> = {}): unknown => {
    const objects = new Map([[keyOf(identity("stays")), path]]);
    const goals = retired(installed(older), [newer], { objects, ...over });
    return goals.map(({ id, back }) => [(id as { name: string }).name, (back?.to as ObjectState | undefined)?.is]);
  };
  assert.deepEqual(gone("/x.yaml"), [
    ["ConfigMap another-masters", null],
    ["ConfigMap theirs", { text: list(item("theirs")).text, noted: list(item("theirs")) }],
    ["ConfigMap made", null],
  ]);
  assert.deepEqual(gone("/another.yaml"), [], "nobody knows what the newer manifest has");
  assert.deepEqual(gone("/x.yaml", { starts: false }), []);
});

test("what holds other people's pods and volumes stays, and so does a key of etcd that another member brings about", () => {
  const shared = { name: "x", client: ["kubectl"], environment: {}, scratch: "/s" };
  const kinds = ["Namespace", "PersistentVolumeClaim", "CustomResourceDefinition", "PersistentVolume", "ConfigMap"];
  const missing = kinds.map((kind) => ({ apiVersion: "v1", kind, namespace: null, name: "plant" }));
  const is = { applied: null, missing, earlier: null, noted: null };
  const manifest = { ...shared, via: "kubectl" as const, path: "/x.yaml" };
  const older = goal("object", { ...manifest, digest: digestOf("older") });
  const installedOlder = installed({ ...older, before: { via: "kubectl", is } });
  const missingState: ObjectState = { via: "kubectl", is };
  // The whole manifest has gone, or only what was in it.
  const [whole] = retired(installedOlder);
  assert.ok(whole !== undefined);
  const effects = object.steps(
    whole.id as ObjectId,
    object.spec(whole.id as ObjectId, missingState),
    whole.back?.to as never,
  );
  const deleted = effects.flatMap((one) => (one.do === "write" && "text" in one.content ? [one.content.text] : []));
  assert.deepEqual(JSON.parse(deleted.join()).items, [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "plant" } },
  ]);
  const stays = [goal("object", { ...manifest, digest: digestOf("newer") })];
  const objects = new Map([["another", "/x.yaml"]]);
  assert.deepEqual(
    retired(installedOlder, stays, { objects }).map(({ id }) => (id as { name: string }).name),
    ["ConfigMap plant"],
  );

  const key = goal("object", { ...shared, via: "etcd3", key: "/network/config", value: "{}" });
  const withKey = installed({ ...key, before: { via: "etcd", is: { value: null, folders: [] } } });
  assert.equal(retired(withKey).length, 1);
  assert.equal(retired(withKey, [], { objects: new Map([["/network/config", ""]]) }).length, 0);
});

test("a module stays while the newer bundle sets a key that it brings, and goes after its keys otherwise", () => {
  const module = { ...goal("module", { name: "br_netfilter", optional: false }) };
  const key = { key: "net.bridge.bridge-nf-call-iptables", value: "1", policy: "set" as const };
  const sysctl = goal("sysctl", { ...key, broughtBy: "br_netfilter" });
  const before = { loaded: [], chain: ["bridge", "br_netfilter"] };
  const past = installed({ ...module, before }, { ...sysctl, before: null });
  assert.deepEqual(retired(past, [goal("sysctl", { ...key, broughtBy: null })]), []);
  assert.deepEqual(
    retired(past).map(({ resource }) => resource),
    ["sysctl", "module"],
  );
});
