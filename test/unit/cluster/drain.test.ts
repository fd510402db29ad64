import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpectedError } from "#cli/errors";
import type { Reporter } from "#cli/reporter";
import type { Api } from "../../../installer/cluster/ask-api.ts";
import { drainBy, movable } from "../../../installer/cluster/drain.ts";

type Pod = Parameters<typeof movable>[0][number];

function pod(name: string, more: Partial<Pod["metadata"]> = {}, phase = "Running"): Pod {
  return { metadata: { name, namespace: "default", uid: name, ...more }, status: { phase } };
}

const owner = (kind: string): Partial<Pod["metadata"]> => ({ ownerReferences: [{ kind, controller: true }] });

/** `refuses`: so often a budget holds a pod back. A pod that was evicted is there for one more look. */
function cluster(pods: readonly Pod[], options: { refuses?: number; version?: string; ends?: boolean } = {}) {
  const { version = "v1", ends = true } = options;
  let refuses = options.refuses ?? 0;
  const said: string[] = [];
  let ending = new Set<string>();
  let left = [...pods];
  const api: Api = {
    async get<T>(path: string): Promise<T> {
      if (path === "/api/v1") return { resources: [{ name: "pods/eviction", version }] } as T;
      const items = left;
      if (ends) left = left.filter(({ metadata }) => !ending.has(metadata.name));
      return { items } as T;
    },
    async send(method, path, body) {
      said.push(`${method} ${path} ${JSON.stringify(body ?? null)}`);
      const [, name = ""] = /pods\/([^/]+)\/eviction$/.exec(path) ?? [];
      if (name !== "" && refuses > 0) {
        refuses -= 1;
        return { status: 429, text: '{"message": "would violate the budget"}' };
      }
      if (name !== "") ending = new Set([...ending, name]);
      return { status: 201, text: "{}" };
    },
    watch: () => assert.fail("nothing is watched"),
  };
  return { api, said };
}

const lines: string[] = [];
const reporter = {
  info: (text: string) => void lines.push(text),
  warn: () => {},
  stage: () => {},
} as unknown as Reporter;
const context = { reporter, signal: new AbortController().signal };
const options = { node: "n2", dryRun: false, mayDelete: true, tries: 5, seconds: 0 };

test("pods of daemon sets, of files, and those that have ended are not moved", () => {
  const mirror = pod("static", { annotations: { "kubernetes.io/config.mirror": "x" } });
  const pods = [
    pod("bare"),
    pod("web", owner("ReplicaSet")),
    pod("net", owner("DaemonSet")),
    mirror,
    pod("job", {}, "Succeeded"),
  ];
  assert.deepEqual(
    movable(pods).map(({ metadata }) => metadata.name),
    ["bare", "web"],
  );
});

test("the node is cordoned first, each pod evicted once, and the Node deleted when all are gone", async () => {
  const { api, said } = cluster([pod("a"), pod("b"), pod("net", owner("DaemonSet"))], { version: "v1beta1" });
  await drainBy(api, options, context);
  const eviction = (name: string): string =>
    `POST /api/v1/namespaces/default/pods/${name}/eviction {"apiVersion":"policy/v1beta1","kind":"Eviction","metadata":{"name":"${name}","namespace":"default"}}`;
  assert.deepEqual(said, [
    'PATCH /api/v1/nodes/n2 {"spec":{"unschedulable":true}}',
    eviction("a"),
    eviction("b"),
    "DELETE /api/v1/nodes/n2 null",
  ]);
});

test("a budget is asked again; a pod that stays ends it with a name, and the Node is not deleted", async () => {
  const patient = cluster([pod("a")], { refuses: 2 });
  await drainBy(patient.api, options, context);
  assert.equal(patient.said.filter((line) => line.includes("eviction")).length, 3);
  for (const [held, reason] of [
    [cluster([pod("a")], { refuses: 99 }), /would violate the budget/],
    [cluster([pod("a")], { ends: false }), /have not/],
  ] as const) {
    await assert.rejects(drainBy(held.api, options, context), (error) => {
      assert.ok(error instanceof ExpectedError);
      assert.match(error.message, /n2 is not drained, and nothing was taken back: default\/a stay/);
      assert.match(error.found ?? "", reason);
      return true;
    });
    assert.ok(!held.said.some((line) => line.startsWith("DELETE")));
  }
});

test("a dry run asks and changes nothing; a worker leaves the Node to an administrator, and says so", async () => {
  const dry = cluster([pod("a")]);
  lines.length = 0;
  await drainBy(dry.api, { ...options, dryRun: true }, context);
  assert.deepEqual([dry.said, lines], [[], ["  evict     default/a"]]);
  const worker = cluster([]);
  await drainBy(worker.api, { ...options, mayDelete: false }, context);
  assert.deepEqual(worker.said.length, 1);
  assert.match(lines.at(-1) ?? "", /kubectl delete node n2/);
});
