import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, type BundleIndex } from "#bundle";
import { compareVersions } from "#formats/version";
import { replay } from "../../../installer/checks/replay.ts";

const installed = {
  payload: digestOf("installed"),
  where: "/mnt",
  cluster: "plant-7",
  release: "r",
  locked: "2026-11-21",
  components: { etcd: "3.4.23-10", coredns: "1.10.0" },
};
const bundle = (locked: string, name: string, components: Record<string, string>): BundleIndex =>
  ({ locked, cluster: { name }, release: { name: "r", kubernetes: null, components } }) as unknown as BundleIndex;
const checks = (index: BundleIndex): string[] => replay(installed, index).map(({ check }) => check);

test("a newer bundle, and the same software built again, say nothing", () => {
  assert.deepEqual(checks(bundle("2026-12-01", "plant-7", { etcd: "3.4.23-11", coredns: "1.10.0" })), []);
  assert.deepEqual(checks(bundle("2026-11-21", "plant-7", installed.components)), []);
});

test("an older day, older components and another cluster are each told", () => {
  assert.deepEqual(checks(bundle("2026-11-20", "plant-7", installed.components)), ["older-bundle"]);
  const back = bundle("2026-12-01", "plant-7", { etcd: "3.4.23-4", coredns: "1.9.3", flannel: "0.1" });
  assert.deepEqual(checks(back), ["older-components"]);
  assert.match(
    replay(installed, back)[0]?.message ?? "",
    /etcd 3\.4\.23-10 to 3\.4\.23-4, coredns 1\.10\.0 to 1\.9\.3$/,
  );
  assert.deepEqual(checks(bundle("2026-11-21", "plant-8", installed.components)), ["same-cluster"]);
});

test("numbers in versions are compared as numbers", () => {
  assert.ok(compareVersions("1.9.3", "1.10.0") < 0);
  assert.ok(compareVersions("v0.27.4", "v0.9.0") > 0);
  assert.equal(compareVersions("3.4.23-4+b4", "3.4.23-4+b4"), 0);
});
