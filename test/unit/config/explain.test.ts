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
