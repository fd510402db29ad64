/**
 * Dual stack as real daemons have it: the rendered flags give services, nodes and kube-proxy's rules both families. Those of
 * 1.20 are told to by their feature gate, and read what is rendered for 1.23, the first version that has it by itself.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { address, startControlPlane } from "../programs/control-plane.ts";
import { kubernetesDaemons, withIPv6 } from "../programs/kubernetes-daemons.ts";

const daemons = await kubernetesDaemons();
const { version, gate } = withIPv6(daemons);
const plane = await startControlPlane(
  { ...daemons, version },
  `
name: both
nodes:
  - { name: n1, ip: [${address}, fd00:64:3::1], roles: [etcd, control-plane, worker] }
network:
  plugin: flannel
  proxyMode: iptables
  pods: [172.30.0.0/16, fd00:172:30::/56]
  services: [10.254.0.0/16, fd00:10:254::/112]
${gate}
`,
);
const { folder, start, kubectl, run, eventually, logOf } = plane;

after(() => plane.close());

function create(object: object): void {
  const path = join(folder, "object.json");
  writeFileSync(path, JSON.stringify(object));
  assert.match(kubectl("create", "-f", path), /created/);
}

test("a service that may have both families has an address of each, in the order of cluster.yaml", (t) => {
  t.diagnostic(`Kubernetes ${daemons.version}`);
  create({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "both" } },
    spec: { ipFamilyPolicy: "PreferDualStack", ports: [{ port: 80 }] },
  });
  const fields = "{.spec.ipFamilies} {.spec.clusterIPs}";
  assert.match(
    kubectl("get", "service", "both", `-o=jsonpath=${fields}`),
    /^\["IPv4","IPv6"\] \["10\.254\.\d+\.\d+","fd00:10:254::[\da-f]+"\]$/,
  );
});

test("the controller manager gives a node a range of each family, of the rendered sizes", async () => {
  create({ apiVersion: "v1", kind: "Node", metadata: { name: "n1" } });
  await eventually(
    () => kubectl("get", "node", "n1", "-o=jsonpath={.spec.podCIDRs}"),
    /^\["172\.30\.0\.0\/24","fd00:172:30::\/64"\]$/,
  );
  assert.doesNotMatch(logOf("kube-controller-manager"), /unknown flag|invalid/);
});

test("kube-proxy takes its configuration, and has rules for both addresses of a service", async () => {
  run(["ip", "addr", "add", "fd00:64:3::1/64", "dev", "eth0", "nodad"]);
  start("kube-proxy");
  const [four = "", six = ""] = JSON.parse(
    kubectl("get", "service", "both", "-o=jsonpath={.spec.clusterIPs}"),
  ) as string[];
  // It has no endpoints: each of its addresses is refused by a rule of its own family.
  for (const [program, ip] of [
    ["iptables-save", `${four}/32`],
    ["ip6tables-save", `${six}/128`],
  ] as const)
    await eventually(() => run([program]), new RegExp(`-d ${ip} .*REJECT`));
  assert.doesNotMatch(logOf("kube-proxy"), /unknown field|strict decoding/i);
});
