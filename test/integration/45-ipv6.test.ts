/**
 * IPv6 alone as real daemons have it: the rendered flags, URLs and certificates make a control plane whose hosts have no other
 * address, and the node's own health checks find it well. Daemons of 1.20 read what is rendered for 1.23, the first version with IPv6
 * alone, as far as they know it: their feature gate is set, and their scheduler does not read that version's configuration.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startControlPlane } from "../programs/control-plane.ts";
import { kubernetesDaemons, withIPv6 } from "../programs/kubernetes-daemons.ts";
import { checksOfNode, runCheck } from "../programs/node-checks.ts";

const daemons = await kubernetesDaemons();
const address = "fd00:64:3::1";
const { isOld, version, gate } = withIPv6(daemons);
const plane = await startControlPlane(
  { ...daemons, version },
  `
name: six
nodes:
  - { name: n1, ip: "${address}", roles: [etcd, control-plane, worker] }
network:
  plugin: flannel
  proxyMode: iptables
  pods: fd00:172:30::/56
  services: fd00:10:254::/112
${gate}
`,
);
const { folder, root, rendered, hosts, start, kubectl, run, eventually, logOf } = plane;

after(() => plane.close());

function create(object: object): void {
  const path = join(folder, "object.json");
  writeFileSync(path, JSON.stringify(object));
  assert.match(kubectl("create", "-f", path), /created/);
}

/** Asks those health checks of the node that begin with one of these names, as it has them; there are `count`. */
async function isWell(names: readonly string[], count: number): Promise<void> {
  const wanted = new RegExp(`^(a )?(${names.join("|")}) (is|has|leads|forwards)\\b`);
  const checks = checksOfNode(rendered, "n1").filter(({ name }) => wanted.test(name));
  assert.equal(checks.length, count);
  for (const check of checks)
    await eventually(async () => {
      const { severity, message, found } = await runCheck(check, placed, (argv) => hosts.on("n1", argv));
      return severity === "ok" ? "well" : `${message}: ${found}`;
    }, /^well$/);
}

/** A word of a check, as it is on this node. */
function placed(word: string): string {
  if (word.endsWith("/etcdctl")) return "/usr/bin/etcdctl";
  return word.replace(/^\/usr\/local\/bin/, daemons.folder).replace(/(?<==)(?=\/etc\/)/, root);
}

test("the host has no IPv4 address but loopback's, and the API's service is led to it by IPv6", async (t) => {
  t.diagnostic(`Kubernetes ${daemons.version}`);
  assert.doesNotMatch(run(["ip", "-4", "-brief", "address", "show", "scope", "global"]), /\d/);
  const own = "-o=jsonpath={.spec.clusterIPs} {.spec.ipFamilies}";
  assert.equal(kubectl("get", "service", "kubernetes", own), '["fd00:10:254::1"] ["IPv6"]');
  await eventually(
    () => kubectl("get", "endpointslices", "-o=jsonpath={.items[*].endpoints[*].addresses[*]}"),
    new RegExp(`^${address}$`),
  );
});

test("each health check of etcd and the control plane passes as the node has it", () =>
  isOld
    ? isWell(["etcd", "kube-apiserver", "kube-controller-manager"], 5)
    : isWell(["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"], 7));

test("a node has a /64 of the pods' range, and no other", async () => {
  create({ apiVersion: "v1", kind: "Node", metadata: { name: "n1" } });
  await eventually(() => kubectl("get", "node", "n1", "-o=jsonpath={.spec.podCIDRs}"), /^\["fd00:172:30::\/64"\]$/);
  assert.doesNotMatch(logOf("kube-controller-manager"), /unknown flag|invalid/);
});

test("kube-proxy forwards the API's service by IPv6", async () => {
  start("kube-proxy");
  await eventually(() => run(["ip6tables-save", "-t", "nat"]), new RegExp(`--to-destination \\[${address}\\]:6443`));
  assert.doesNotMatch(logOf("kube-proxy"), /unknown field|strict decoding/i);
  await isWell(["kube-proxy"], 2);
});
