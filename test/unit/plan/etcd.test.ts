/** The order in which etcd's data are replaced, and what of etcd's own words goes into it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { joining, restorePlan } from "../../../installer/plan/etcd.ts";
import { idsOf, goalsIn } from "../../../installer/resources/catalogue.ts";
import { otherEndpoints, readMembers } from "../../../installer/resources/etcd-start.ts";

const unit = `[Service]
ExecStart=/usr/local/bin/etcd \\
  --name=n1 \\
  --data-dir=/data/etcd \\
  --wal-dir=/wal \\
  --initial-advertise-peer-urls=https://10.0.0.11:2380 \\
  --initial-cluster-token=etcd-plant \\
  --initial-cluster=n1=https://10.0.0.11:2380,n2=https://10.0.0.12:2380
`;
const client = { argv: ["/usr/local/bin/etcdctl", "--endpoints=https://127.0.0.1:2379"], environment: {} };
const check = (name: string, of: string) => ({
  ...{ name, unit: of, argv: [], environment: {}, timeoutSeconds: 1, severity: "error" as const, hint: "" },
  for: { roles: ["etcd" as const] },
});
const base = {
  unit,
  units: ["kubelet.service", "kube-scheduler.service", "kube-apiserver.service", "etcd.service"],
  checks: [check("etcd is healthy", "etcd.service"), check("the API server is healthy", "kube-apiserver")],
  client,
  at: "20261121T101500Z",
  alone: false,
};

test("what reads etcd stops before it and starts after it, each gated by its own checks", () => {
  const snapshot = { tool: "/usr/local/bin/etcdutl", path: "/tmp/s.db", digest: "0123456789abcdef", bumps: true };
  const plan = restorePlan({ ...base, as: "snapshot", snapshot });
  assert.deepEqual(
    plan.phases.map(({ name, gates, hooks }) => [name, gates, hooks]),
    [
      ["etcd's data", [], undefined],
      ["start etcd", ["etcd is healthy"], [{ hook: "start", units: ["etcd.service"], noBlock: true }]],
      [
        "start kube-apiserver kube-scheduler",
        ["the API server is healthy"],
        [{ hook: "start", units: ["kube-apiserver.service", "kube-scheduler.service"], noBlock: true }],
      ],
    ],
  );
  const [data] = idsOf("etcd-data", goalsIn(plan));
  assert.deepEqual(data?.units, ["kube-scheduler.service", "kube-apiserver.service", "etcd.service"]);
  const argv = typeof data?.make === "object" ? data.make.argv : [];
  assert.deepEqual(argv, [
    ...["/usr/local/bin/etcdutl", "snapshot", "restore", "/tmp/s.db", "--name=n1"],
    "--initial-cluster=n1=https://10.0.0.11:2380,n2=https://10.0.0.12:2380",
    ...["--initial-advertise-peer-urls=https://10.0.0.11:2380", "--initial-cluster-token=etcd-plant-0123456789ab"],
    ...["--data-dir=/data/etcd/kubeferry-new-20261121T101500Z", "--wal-dir=/wal/kubeferry-new-20261121T101500Z"],
    ...["--bump-revision=1000000000", "--mark-compacted"],
  ]);
});

test("an installation that joins has its hook where etcd starts, and nowhere else", () => {
  const phase = (name: string) => ({ name, goals: [], gates: [] });
  const plan = joining({ phases: [phase("place"), phase("start etcd"), phase("start kubelet")] }, client);
  const hook = { hook: "etcd", as: "existing", client };
  assert.deepEqual(
    plan.phases.map(({ hooks }) => hooks),
    [undefined, [hook], undefined],
  );
});

test("members keep every digit of their IDs, and the others are asked where this one serves", () => {
  const json =
    '{"header":{"cluster_id":14841639068965178418},"members":[{"ID":10276657743932975437,"peerURLs":["https://10.0.0.12:2380"]}]}';
  assert.deepEqual(readMembers(json), [{ id: "8e9e05c52164694d", name: "", peerURLs: ["https://10.0.0.12:2380"] }]);
  const initial = ["n1=https://10.0.0.11:2380", "n2=https://10.0.0.12:2380"];
  assert.deepEqual(otherEndpoints(initial, "n1", "https://10.0.0.11:2379"), ["https://10.0.0.12:2379"]);
  const six = ["n1=https://[fd00::11]:2380", "n2=https://[fd00::12]:2380"];
  assert.deepEqual(otherEndpoints(six, "n1", "https://[fd00::11]:2379"), ["https://[fd00::12]:2379"]);
});
