import assert from "node:assert/strict";
import { test } from "node:test";
import { addressIn, apiServerOfHosts, apiServerUrl, workerProfile } from "../../../builder/config/topology.ts";
import { fixtureCluster } from "../../builders/fixture-cluster.ts";

const cluster = (api: string): string => `
name: plant
release: kubernetes-1.36
nodes:
  - { name: m1, ip: 10.0.0.1, roles: [etcd, control-plane] }
  - { name: m2, ip: 10.0.0.2, roles: [control-plane] }
  - { name: w1, ip: 10.0.0.3, roles: [worker] }
workers: { subnet: 10.0.0.0/24 }
network: { services: 10.96.0.0/16, domain: plant.example }
packages: [{ distribution: debian-12, names: [haproxy, keepalived] }]
${api}
`;

test("service and DNS addresses are the first two of the services' network", async () => {
  const { topology } = await fixtureCluster(cluster(""));
  assert.equal(topology.network.apiService, "10.96.0.1");
  assert.equal(topology.network.dnsService, "10.96.0.2");
  assert.equal(addressIn("10.96.0.0/16", 256), "10.96.1.0");
});

test("the profile for workers without an entry comes last and holds the installer's tokens", async () => {
  const { topology } = await fixtureCluster(cluster(""));
  const profile = topology.nodes.at(-1);
  assert.equal(profile?.name, workerProfile);
  assert.deepEqual(profile?.roles, ["worker"]);
  assert.equal(profile?.ip, "@NODE_IP@");
  assert.equal(profile?.hostname, "@NODE_NAME@");
  assert.equal(profile?.subnet, "10.0.0.0/24");
});

test("each consumer has its own way to the API", async () => {
  const vip = "api: { endpoint: vip, vip: { address: 10.0.0.100, interface: eth0 } }";
  const wanted: [string, string, string, string][] = [
    ["", "https://10.0.0.1:6443", "https://10.0.0.1:6443", "https://10.0.0.2:6443"],
    [vip, "https://10.0.0.100:8443", "https://10.0.0.100:8443", "https://10.0.0.2:6443"],
    ["api: { endpoint: local-proxy }", "https://127.0.0.1:8443", "https://127.0.0.1:8443", "https://10.0.0.2:6443"],
  ];
  for (const [api, worker, admin, master] of wanted) {
    const { topology } = await fixtureCluster(cluster(api));
    const [, m2, w1] = topology.nodes;
    assert.ok(m2 !== undefined && w1 !== undefined);
    assert.equal(apiServerUrl(topology, "worker", w1), worker);
    assert.equal(apiServerUrl(topology, "admin", m2), admin);
    assert.equal(apiServerUrl(topology, "master", m2), master);
  }
});

test("the API server's names hold every way to it, and no name ends with a dot", async () => {
  const { topology } = await fixtureCluster(cluster("api: { sans: [api.example], endpoint: first-master }"));
  for (const name of ["127.0.0.1", "10.0.0.1", "10.0.0.2", "10.96.0.1", "m1", "m2", "api.example"]) {
    assert.ok(topology.api.sans.includes(name), name);
  }
  assert.ok(topology.api.sans.includes("kubernetes.default.svc.plant.example"));
  assert.ok(topology.api.sans.includes("kubernetes.default.svc.plant"));
  assert.deepEqual(
    topology.api.sans.filter((name) => name.endsWith(".")),
    [],
  );
});

test("endpoints of etcd follow from its members", async () => {
  const { topology } = await fixtureCluster(cluster(""));
  assert.deepEqual(topology.etcd.clientUrls, ["https://10.0.0.1:2379"]);
  assert.deepEqual(topology.etcd.initialCluster, ["m1=https://10.0.0.1:2380"]);
  assert.equal(topology.etcd.token, "etcd-plant");
});

test("a balancer on the port that URLs leave out is asked there", async () => {
  const api = "api: { endpoint: vip, vip: { address: 10.0.0.100, interface: eth0, port: 443 } }";
  const { topology } = await fixtureCluster(cluster(api));
  assert.deepEqual(apiServerOfHosts(topology), { host: "10.0.0.100", port: 443 });
});

test("with IPv6 alone URLs have brackets, and what is asked by address has none", async () => {
  const six = (api: string): string => `
name: plant
release: kubernetes-1.36
nodes:
  - { name: m1, ip: fd00:64:3::1, roles: [etcd, control-plane] }
  - { name: w1, ip: fd00:64:3::2, roles: [worker] }
network: { plugin: flannel, pods: fd00:172:30::/56, services: fd00:10:254::/112 }
packages: [{ distribution: debian-12, names: [haproxy, keepalived] }]
${api}
`;
  const { topology } = await fixtureCluster(six('api: { sans: ["FD00:0::7"] }'));
  const { etcd, network, api } = topology;
  assert.deepEqual(etcd.clientUrls, ["https://[fd00:64:3::1]:2379"]);
  assert.deepEqual(etcd.initialCluster, ["m1=https://[fd00:64:3::1]:2380"]);
  assert.deepEqual([network.apiService, network.dnsService], ["fd00:10:254::1", "fd00:10:254::2"]);
  assert.equal(api.url, "https://[fd00:64:3::1]:6443");
  for (const san of ["fd00:64:3::1", "fd00:10:254::1", "fd00::7"]) assert.ok(api.sans.includes(san), san);
  assert.deepEqual(apiServerOfHosts(topology), { host: "fd00:64:3::1", port: 6443 });
  const vip = await fixtureCluster(six('api: { endpoint: vip, vip: { address: "fd00:64:3::100", interface: eth0 } }'));
  assert.equal(vip.topology.api.url, "https://[fd00:64:3::100]:8443");
  assert.deepEqual(apiServerOfHosts(vip.topology), { host: "fd00:64:3::100", port: 8443 });
});
