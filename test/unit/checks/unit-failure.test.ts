import assert from "node:assert/strict";
import { test } from "node:test";
import { createReporter } from "#cli/reporter";
import { likelyCause, tellUnitFailure } from "../../../installer/checks/unit-failure.ts";
import { FakeHost } from "../../fakes/fake-host.ts";

/** What daemons really write when they do not start. */
const words: Readonly<Record<string, RegExp>> = {
  'invalid value "much" for flag -quota-backend-bytes: parse error': /value of its unit/,
  'Error: unknown flag: --container-runtime"': /does not know a flag/,
  "listen tcp 10.0.0.11:2380: bind: address already in use": /has its port/,
  "x509: certificate has expired or is not yet valid: current time 2020-01-01": /clock/,
  'rejected connection: remote error: tls: bad certificate"': /another CA/,
  "cluster cannot be downgraded (current version: 3.4.23 is lower than determined cluster version: 3.5)": /etcd's data/,
  "running with swap on is not supported, please disable swap": /swap is on/,
  "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found": /later C library/,
  "write /var/lib/etcd/member/wal/0.tmp: no space left on device": /full/,
  "open /etc/kubernetes/pki/ca.pem: permission denied": /may not do/,
  "open /etc/kubernetes/kubelet.yaml: no such file or directory": /is missing/,
  "dial tcp 10.0.0.12:2379: connect: connection refused": /does not answer/,
};

test("what daemons write is told with its usual cause and a command", () => {
  for (const [line, cause] of Object.entries(words)) {
    const likely = likelyCause(`started\n${line}\n`, "one.service");
    assert.match(likely?.cause ?? "nothing", cause, line);
    assert.notEqual(likely?.next, "");
  }
  assert.equal(likelyCause("ready to serve client requests", "one.service"), null);
});

const usage = Array.from({ length: 20 }, (_, line) => `  --option-${line}`).join("\n");
const journals: Readonly<Record<string, string>> = {
  "one.service": "one\nbind: address already in use\n",
  "usage.service": `Starting usage.service - a run before
listen tcp: bind: address already in use
one.service: Failed with result 'exit-code'.
Failed to start
Starting usage.service - the last run
invalid value "much" for flag -quota: parse error
${usage}
Failed to start
Starting usage.service - begun again
`,
};

test("a unit's last lines are shown, and the cause where it is known", async () => {
  const said: string[] = [];
  const out = { write: (text: string) => said.push(text) > 0 };
  const reporter = createReporter({ out, err: out });
  class Journal extends FakeHost {
    override query(argv: readonly string[]): ReturnType<FakeHost["query"]> {
      const stdout = argv[0] === "journalctl" ? (journals[argv[2] ?? ""] ?? "") : "";
      return Promise.resolve({ code: 0, stdout, stderr: "" });
    }
  }
  await tellUnitFailure(new Journal(), "one.service", reporter);
  assert.match(said.join(""), / {2}\| one\n {2}\| bind: address already in use\n/);
  assert.match(said.join(""), /another process has its port/);
  assert.match(said.join(""), /next: ss -lntup/);
  said.length = 0;
  await tellUnitFailure(new Journal(), "usage.service", reporter);
  assert.match(said.join(""), /invalid value "much" for flag -quota/, "though its usage came after it");
  assert.match(said.join(""), /a value of its unit/);
  assert.doesNotMatch(said.join(""), /in use/, "an earlier run's");
  said.length = 0;
  await tellUnitFailure(new Journal(), "two.service", reporter);
  assert.equal(said.join(""), "");
});
