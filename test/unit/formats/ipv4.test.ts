import assert from "node:assert/strict";
import { test } from "node:test";
import { addressNumber, addressText, contains, isWithin, network, overlaps } from "#formats/ipv4";

test("addresses are unsigned numbers and back", () => {
  for (const text of ["0.0.0.0", "10.0.0.1", "128.0.0.0", "255.255.255.255"]) {
    assert.equal(addressText(addressNumber(text)), text);
  }
  assert.equal(addressNumber("255.255.255.255"), 2 ** 32 - 1);
});

test("a network is the addresses that share its prefix, from /0 to /32", () => {
  assert.deepEqual(network("10.0.7.9/16"), {
    first: addressNumber("10.0.0.0"),
    last: addressNumber("10.0.255.255"),
    prefix: 16,
  });
  assert.deepEqual(network("200.1.2.3/32"), {
    first: addressNumber("200.1.2.3"),
    last: addressNumber("200.1.2.3"),
    prefix: 32,
  });
  assert.deepEqual(network("1.2.3.4/0"), { first: 0, last: 2 ** 32 - 1, prefix: 0 });
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
