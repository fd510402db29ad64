/** Which versions may follow which. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseVersion } from "#formats/version";
import { etcdSkew, kubeletSkew, kubernetesSkew } from "../../../installer/checks/skew.ts";

const kubernetes = (from: string | null, to: string | null): string =>
  kubernetesSkew({ kubernetes: from }, { kubernetes: to })
    .map(({ check, severity }) => `${check} ${severity}`)
    .join();
const etcd = (from: string, to: string): string =>
  etcdSkew({ components: { etcd: from } }, { components: { etcd: to } })
    .map(({ check, severity }) => `${check} ${severity}`)
    .join();

test("versions are read as upstreams and distributions write them", () => {
  assert.deepEqual(parseVersion("v1.36.3"), { major: 1, minor: 36, patch: 3 });
  assert.deepEqual(parseVersion("3.4.23-4+b2"), { major: 3, minor: 4, patch: 23 });
  assert.deepEqual(parseVersion("1:3.5.1"), { major: 3, minor: 5, patch: 1 });
  assert.deepEqual(parseVersion("1.6"), { major: 1, minor: 6, patch: 0 });
  for (const text of [null, undefined, "", "latest"]) assert.equal(parseVersion(text), null);
});

test("Kubernetes goes up by one minor version at a time and never back", () => {
  assert.equal(kubernetes("1.35.9", "1.36.3"), "kubernetes-skew ok");
  assert.equal(kubernetes("1.36.3", "1.36.3"), "kubernetes-skew ok");
  assert.equal(kubernetes("1.36.3", "1.36.1"), "kubernetes-skew warning");
  assert.equal(kubernetes("1.34.9", "1.36.3"), "kubernetes-skew error");
  assert.equal(kubernetes("1.9.0", "1.10.0"), "kubernetes-skew ok");
  assert.equal(kubernetes("1.10.0", "1.9.0"), "kubernetes-skew error");
  assert.equal(kubernetes("1.36.0", "2.0.0"), "kubernetes-skew error");
  assert.equal(kubernetes(null, "1.36.3"), "", "a first Kubernetes follows nothing");
});

test("etcd goes up by one minor version at a time; the runtime as it likes", () => {
  assert.equal(etcd("3.4.23-4", "3.5.16"), "etcd-skew warning", "rollback ends with the last member");
  assert.equal(etcd("3.4.23", "3.6.1"), "etcd-skew error");
  assert.equal(etcd("3.5.1", "3.4.23"), "etcd-skew error");
  assert.equal(etcd("3.5.1", "3.5.2"), "etcd-skew ok");
  assert.equal(etcd("3.5.16-4", "3.6.14"), "etcd-skew error", "it would believe what 3.5 kept of removed members");
  assert.equal(etcd("3.5.26", "3.6.14"), "etcd-skew warning");
  assert.equal(etcd("3.5.33", "3.6.14"), "etcd-skew warning");
  assert.equal(etcd("3.5.16", "3.5.33"), "etcd-skew ok");
  assert.deepEqual(etcdSkew({ components: { containerd: "1.6.0" } }, { components: { containerd: "2.3.4" } }), []);
});

test("what is refused says the version that would do", () => {
  const [finding] = kubernetesSkew({ kubernetes: "1.34.1" }, { kubernetes: "1.36.3" });
  assert.equal(finding?.expected, "1.35");
  assert.equal(finding?.found, "1.34.1 → 1.36.3");
  assert.match(finding?.hint ?? "", /Kubernetes 1\.35 first/);
});

test("a kubelet is never newer than the API server, and an API server that is silent is not believed", () => {
  const severity = (kubelet: string, server: string | null) => kubeletSkew(kubelet, server)[0]?.severity;
  assert.equal(severity("1.36.3", "v1.36.0"), "ok");
  assert.equal(severity("1.35.3", "v1.36.0"), "ok");
  assert.equal(severity("1.36.0", "v1.35.9"), "error");
  assert.equal(severity("1.36.0", null), "error");
  assert.deepEqual(kubeletSkew(null, "v1.36.0"), [], "no kubelet, no question");
});
