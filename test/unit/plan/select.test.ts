import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeIndex } from "#bundle";
import { isExpected } from "#cli/errors";
import { type Facts } from "../../../installer/host/facts.ts";
import { select, type NodeRequest } from "../../../installer/plan/select.ts";
import { nodeBundle } from "../../builders/node-bundle.ts";

const [first] = await nodeBundle();
const index = decodeIndex(first?.content.toString("utf8") ?? "", "test");
const facts: Facts = {
  ...{
    live: true,
    platform: "linux/amd64",
    uid: 0,
    gid: 0,
    kernel: "6.1.0",
    hostname: "Host-7",
    systemd: true,
    cgroup: 2,
  },
  ...{ memoryBytes: 8e9, cpus: 4, selinux: null, distribution: { id: "debian", version: "12", name: "Debian" } },
  interfaces: [{ name: "eth0", address: "10.0.0.9", cidr: "10.0.0.9/24" }],
};
const nobody: NodeRequest = { role: undefined, ip: undefined, name: undefined, iface: undefined };
const wish = (role: string, ip: string, more: Partial<NodeRequest> = {}): NodeRequest => ({
  ...nobody,
  role,
  ip,
  ...more,
});

test("a node of cluster.yaml is found by its address, its name is settled, and control-plane means master", () => {
  const selection = select(index, wish("etcd,control-plane", "10.0.0.11"), facts);
  assert.equal(selection.name, "n1");
  assert.deepEqual(selection.roles, ["etcd", "master"]);
  assert.throws(
    () => select(index, wish("etcd", "10.0.0.11", { name: "other" }), facts),
    (error) => isExpected(error, "USAGE"),
  );
});

test("any address of the workers' subnet is a worker, named as asked or as the host, with the interface that has it", () => {
  const selection = select(index, wish("worker", "10.0.0.9"), facts);
  assert.deepEqual([selection.profile.name, selection.name, selection.iface], ["worker", "host-7", "eth0"]);
  assert.equal(select(index, wish("worker", "10.0.0.9", { name: "w9" }), facts).name, "w9");
  const tree = { ...facts, live: false, hostname: "", interfaces: [] };
  assert.equal(select(index, wish("worker", "10.0.0.9"), tree).name, "worker-10-0-0-9");
});

test("an IPv6 address is the node's however it is spelled, and makes a name without its colons", () => {
  const six = structuredClone(index);
  for (const node of six.nodes) {
    if (node.ip === "10.0.0.11") node.ip = "fd00:64:3::11";
    if (node.subnet !== null) node.subnet = "fd00:64:4::/64";
  }
  const selection = select(six, wish("etcd", "FD00:64:3:0:0::0011"), facts);
  assert.deepEqual([selection.name, selection.ip], ["n1", "fd00:64:3::11"]);
  const tree = { ...facts, live: false, hostname: "", interfaces: [] };
  assert.equal(select(six, wish("worker", "fd00:64:4:0::7"), tree).name, "worker-fd00-64-4-7");
  for (const none of ["fe80::7%eth0", "fd00::64:4::7", "n1"])
    assert.throws(
      () => select(six, wish("worker", none), facts),
      (error) => isExpected(error, "USAGE"),
    );
});

test("an address that is no such node is refused with those that are", () => {
  const listed = (role: string, ip: string): string => {
    try {
      select(index, wish(role, ip), facts);
    } catch (error) {
      if (isExpected(error, "NODE_UNKNOWN")) return error.expected ?? "";
      throw error;
    }
    throw new Error("it was accepted");
  };
  assert.equal(listed("etcd", "10.0.0.9"), "10.0.0.11 (n1)");
  assert.equal(listed("master", "10.0.0.12"), "10.0.0.11 (n1)");
  assert.match(listed("worker", "10.1.0.9"), /10\.0\.0\.12 \(n2\), any address in 10\.0\.0\.0\/24/);
});

test("wrong calls say what is right", () => {
  const refused = (code: Parameters<typeof isExpected>[1], asked: NodeRequest): void =>
    assert.throws(
      () => select(index, asked, facts),
      (error) => isExpected(error, ...(code === undefined ? [] : [code])),
    );
  refused("USAGE", nobody);
  refused("USAGE", { ...nobody, role: "worker" });
  refused("USAGE", wish("worker", "10.0.0.300"));
  refused("ROLE_UNKNOWN", wish("workers", "10.0.0.9"));
  refused("USAGE", wish("worker", "10.0.0.9", { name: "Not a name" }));
  refused("USAGE", wish("worker", "10.0.0.9", { iface: "eth0; reboot" }));
});

test("a host of another platform is refused, a mounted tree of the bundle's only platform is not", () => {
  const arm: Facts = { ...facts, platform: "linux/arm64" };
  assert.throws(
    () => select(index, wish("worker", "10.0.0.9"), arm),
    (error) => isExpected(error, "PLATFORM_MISMATCH"),
  );
  assert.equal(select(index, wish("worker", "10.0.0.9"), { ...arm, live: false }).platform, "linux/amd64");
});
