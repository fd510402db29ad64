import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressNumber,
  addressText,
  contains,
  eachOf,
  hostPort,
  isWithin,
  network,
  overlaps,
  usualSpelling,
} from "#formats/address";

test("addresses are unsigned numbers and back", () => {
  for (const text of ["0.0.0.0", "10.0.0.1", "128.0.0.0", "255.255.255.255"]) {
    assert.equal(addressText(addressNumber(text)), text);
  }
  assert.equal(addressNumber("255.255.255.255"), 2n ** 32n - 1n);
});

test("a network is the addresses that share its prefix, from /0 to /32", () => {
  assert.deepEqual(network("10.0.7.9/16"), {
    family: "ipv4",
    first: addressNumber("10.0.0.0"),
    last: addressNumber("10.0.255.255"),
    prefix: 16,
  });
  assert.deepEqual(network("200.1.2.3/32"), {
    family: "ipv4",
    first: addressNumber("200.1.2.3"),
    last: addressNumber("200.1.2.3"),
    prefix: 32,
  });
  assert.deepEqual(network("1.2.3.4/0"), { family: "ipv4", first: 0n, last: 2n ** 32n - 1n, prefix: 0 });
});

test("overlap is symmetric and touches at the edges", () => {
  const [a, b, inside] = [network("10.0.0.0/24"), network("10.0.1.0/24"), network("10.0.0.128/25")];
  assert.equal(overlaps(a, b), false);
  assert.equal(overlaps(a, inside), true);
  assert.equal(overlaps(inside, a), true);
  assert.equal(contains("10.0.0.0/24", "10.0.0.255"), true);
  assert.equal(contains("10.0.0.0/24", "10.0.1.0"), false);
});

test("an address is in a network or not, at every prefix length", () => {
  assert.ok(contains("10.0.0.0/8", "10.255.255.255"));
  assert.ok(!contains("10.0.0.0/8", "11.0.0.0"));
  assert.ok(contains("10.0.0.9/32", "10.0.0.9") && !contains("10.0.0.9/32", "10.0.0.8"));
  assert.ok(contains("0.0.0.0/0", "255.255.255.255"));
  assert.ok(contains("10.0.0.128/25", "10.0.0.200") && !contains("10.0.0.128/25", "10.0.0.127"));
});

test("a route is to pods where all that it leads to is in their network", () => {
  const pods = network("172.30.0.0/16");
  for (const inner of ["172.30.7.0/24", "172.30.7.4", "172.30.0.0/16"])
    assert.ok(isWithin(network(inner), pods), inner);
  for (const other of ["172.31.0.0/24", "172.0.0.0/8", "default", "via", "fd00::/8", "10.0.0.0/24"]) {
    assert.ok(!isWithin(network(other), pods), other);
  }
});

test("addresses of IPv6 are numbers and back, in the one spelling of RFC 5952", () => {
  for (const text of ["::", "::1", "fd00:64:3::11", "fe80::1:0:0:1", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8"]) {
    assert.equal(addressText(addressNumber(text), "ipv6"), text);
  }
  for (const [other, text] of [
    ["FD00:0:0:0::0011", "fd00::11"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
  ] as const)
    assert.equal(addressText(addressNumber(other), "ipv6"), text);
  assert.equal(addressNumber("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 2n ** 128n - 1n);
  for (const none of ["", "fe80::1%eth0", "10.0.0", "1:2:3", "default", "10.0.0.256"])
    assert.equal(addressNumber(none), -1n);
});

test("a network of one family holds nothing of the other", () => {
  const [pods4 = "", pods6 = ""] = eachOf("172.30.0.0/16,fd00:10:244::/56");
  assert.ok(contains(pods6, "fd00:10:244:ff::7") && !contains(pods6, "fd00:10:244:100::7"));
  assert.ok(contains("::/0", "fd00::1") && !contains("::/0", "10.0.0.1") && !contains("0.0.0.0/0", "fd00::1"));
  assert.ok(!overlaps(network("0.0.0.0/0"), network("::/0")));
  assert.ok(overlaps(network("fd00::/8"), network(pods6)) && !overlaps(network(pods4), network(pods6)));
  assert.ok(isWithin(network("fd00:10:244:1::/64"), network(pods6)) && !isWithin(network("fd00::/8"), network(pods6)));
});

test("an address has one spelling, and brackets before a port only where it has colons", () => {
  for (const [given, usual] of [
    ["FD00:64:3:0:0:0:0:1", "fd00:64:3::1"],
    ["10.0.0.1", "10.0.0.1"],
    ["api.example", "api.example"],
    ["fe80::1%eth0", "fe80::1%eth0"],
  ] as const)
    assert.equal(usualSpelling(given), usual);
  assert.deepEqual(
    ["10.0.0.1", "fd00::1", "@NODE_IP@"].map((host) => hostPort(host, 6443)),
    ["10.0.0.1:6443", "[fd00::1]:6443", "@NODE_IP@:6443"],
  );
});
