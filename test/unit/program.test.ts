/** How `./install` takes a wrong call: at once, before it reads the bundle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runInstall } from "../programs/command.ts";

test("./install without arguments shows its help and ends with 2", async () => {
  const ran = await runInstall([]);
  assert.equal(ran.code, 2);
  assert.match(ran.err, /^Usage: \.\/install/);
  assert.match(ran.err, /--role worker --ip/);
});

test("a role that is missing or unknown is told before the bundle is opened", async () => {
  const bundle = ["--bundle", "/nonexistent/bundle.tar"];
  assert.match((await runInstall([...bundle, "--ip", "10.0.0.1"])).err, /--role is missing/);
  const unknown = await runInstall([...bundle, "--role", "boss", "--ip", "10.0.0.1"]);
  assert.equal(unknown.code, 3);
  assert.match(unknown.err, /ROLE_UNKNOWN/);
  const right = await runInstall([...bundle, "--role", "worker", "--ip", "10.0.0.1"]);
  assert.match(right.err, /there is no such bundle/);
});

test("what is left of a failed installation is chosen by --no-restore", async () => {
  assert.match((await runInstall(["apply", "--help"])).out, /--no-restore/);
  assert.equal((await runInstall(["--role", "worker", "--keep-going"])).code, 2);
});
