import assert from "node:assert/strict";
import { test } from "node:test";
import { proposal } from "../../../builder/config/explain.ts";

test("a near word is proposed, a far one is not", () => {
  assert.equal(proposal("nodePort", ["nodes", "nodePorts"]), "; did you mean `nodePorts`?");
  assert.equal(proposal("relaese", ["release", "name"]), "; did you mean `release`?");
  assert.equal(proposal("IP", ["ip"]), "; did you mean `ip`?");
  assert.equal(proposal("zebra", ["release", "name"]), "");
  assert.equal(proposal("x", []), "");
});

test("another version is no typing mistake, but a mistyped name with the same version is", () => {
  const known = ["distro", "kubernetes-1.6", "kubernetes-1.11", "kubernetes-1.36"];
  assert.equal(proposal("kubernetes-1.99", known), "");
  assert.equal(proposal("kubernets-1.36", known), "; did you mean `kubernetes-1.36`?");
  assert.equal(proposal("1.36", known), "; did you mean `kubernetes-1.36`?");
  assert.equal(proposal("kubernetes-1.36.3", known), "; did you mean `kubernetes-1.36`?");
  assert.equal(proposal("distor", known), "; did you mean `distro`?");
});
