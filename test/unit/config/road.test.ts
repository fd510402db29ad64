import assert from "node:assert/strict";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { compareVersions } from "#formats/version";
import { describeStep, minorOf, road } from "../../../builder/config/road.ts";

test("from 1.16 to 1.36 there are twenty steps, each by a release that is carried", async () => {
  const steps = await road("1.16", "1.36");
  assert.deepEqual(
    steps.map(({ from, to, release }) => [from, to, release.replace(/(?<=-1\.\d+)\.\d+$/, "")]),
    Array.from({ length: 20 }, (_, index) => [`1.${index + 16}`, `1.${index + 17}`, `kubernetes-1.${index + 17}`]),
  );
  for (const change of steps.flatMap(({ changes }) => changes)) {
    const [, name, was = "", is = ""] = /^(\S+) (\S+) → (\S+)$/.exec(change) ?? [];
    assert.ok(compareVersions(was, is) < 0, change);
    // etcd takes no step over a minor.
    if (name === "etcd") assert.ok(minorOf(is.replace(/^3/, "1")) - minorOf(was.replace(/^3/, "1")) <= 1, change);
  }
  const by = new Map(steps.map((step) => [step.to, step]));
  assert.match(by.get("1.24")?.needs.join("\n") ?? "", /docker go to containerd/);
  assert.ok(by.get("1.34")?.changes.includes("etcd 3.5.33 → 3.6.14"));
  assert.match(by.get("1.34")?.needs.join("\n") ?? "", /a snapshot of etcd/);
  assert.match(by.get("1.31")?.needs.join("\n") ?? "", /from iptables to nftables/);
  assert.match(by.get("1.22")?.needs.join("\n") ?? "", /pod network goes from calico to flannel/);
  assert.match(by.get("1.24")?.needs.join("\n") ?? "", /from 220 to 110 pods/);
  const ended = by.get("1.22")?.removed.map(({ api }) => api);
  assert.ok(ended?.includes("apiextensions.k8s.io/v1beta1") && ended.includes("networking.k8s.io/v1beta1"));
  assert.deepEqual(by.get("1.30")?.removed, []);
  assert.deepEqual([by.get("1.27")?.oldestKubelet, by.get("1.28")?.oldestKubelet], ["1.25", "1.25"]);
});

test("a step tells people what it changes, what it needs and what ends with it", async () => {
  const [step] = await road("v1.24.17", "kubernetes-1.25");
  assert.ok(step !== undefined);
  const text = describeStep(step).join("\n");
  assert.match(text, /^1\.24 → 1\.25 {2}release kubernetes-1\.25\.16, kubelets from 1\.23 on may stay$/m);
  assert.match(text, /^ {2}ends: policy\/v1beta1 PodSecurityPolicy; now Pod Security admission$/m);
});

test("there is no road down, nor to what is no minor or not carried", async () => {
  await assert.rejects(
    road("1.36", "1.16"),
    (error) => isExpected(error, "USAGE") && /goes up only/.test(error.message),
  );
  await assert.rejects(road("1.16", "2.0"), (error) => isExpected(error, "USAGE"));
  await assert.rejects(road("1.35", "1.99"), (error) => isExpected(error, "RELEASE_UNKNOWN"));
});
