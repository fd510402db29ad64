/** Preflight of a bundle over an older one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BundleIndex, digestOf, type Role } from "#bundle";
import { gate } from "../../../installer/transaction/gate.ts";
import { upgradeChecks } from "../../../installer/checks/upgrade.ts";
import type { Context } from "../../../installer/context.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import type { Transaction } from "../../../installer/journal/transaction.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import type { Goal, Plan } from "../../../installer/resources/resource.ts";
import { overOlder } from "../../../installer/plan/upgrade.ts";
import type { Selection } from "../../../installer/plan/select.ts";
import { FakeHost } from "../../fakes/fake-host.ts";
import { quiet } from "../../builders/sample-cluster.ts";

const owner = { uid: 0, gid: 0 };
const client = ["/usr/local/bin/etcdctl", "--endpoints=https://127.0.0.1:2379", "--cert=/etc/etcd.pem"];
const etcdCheck = {
  name: "etcd is healthy",
  unit: "etcd.service",
  argv: [...client, "endpoint", "health"],
  environment: { ETCDCTL_API: "3" },
  timeoutSeconds: 60,
  severity: "quorum" as const,
  hint: "journalctl -u etcd",
  for: { roles: ["etcd" as const] },
};

const file = (path: string, text: string): Goal =>
  goal("file", { path, mode: 0o644, owner, digest: digestOf(text), size: text.length, sensitive: false });
const etcdUnit = (version: string): Goal =>
  goal("unit", {
    name: "etcd.service",
    file: "/etc/systemd/system/etcd.service",
    links: [],
    start: true,
    noBlock: true,
    restartOn: [{ path: "/usr/local/bin/etcd", digest: digestOf(version) }],
  });

function installed(roles: Role[], goals: Goal[], header: Partial<Header> = {}): Transaction {
  const bundle = {
    payload: digestOf("older"),
    where: "/mnt",
    cluster: "c",
    release: "r",
    locked: "2026-11-21",
    kubernetes: "1.35.4",
    components: { etcd: "3.6.0" },
  };
  const node = { profile: "n1", name: "n1", ip: "10.0.0.11", iface: null };
  return {
    id: 1,
    at: "2026-11-21T00:00:00Z",
    header: { bundle, node, roles, checks: [etcdCheck], notes: [], made: [], alone: false, ...header } as Header,
    phases: [{ name: "place", goals, gates: [] }],
    changes: goals.map((entry, n) => ({ n, phase: "place", change: { ...entry, before: null, after: null } })),
    done: new Set(goals.map((_, n) => n)),
    undone: new Set(),
    state: "committed",
  };
}

const planOf = (...goals: Goal[]): Plan => ({ phases: [{ name: "start", goals, gates: [] }] });

interface Wish {
  readonly past: readonly Transaction[];
  readonly roles: readonly Role[];
  readonly plan?: Plan;
  readonly host?: FakeHost;
  readonly ip?: string;
  readonly ca?: string;
  readonly pods?: string;
  readonly server?: string | null;
}

async function findings(wish: Wish): Promise<string[]> {
  const origin = { from: "pki", name: "kubernetes CA" } as const;
  const ca = { path: "/etc/kubernetes/pki/ca.pem", digest: digestOf(wish.ca ?? "the CA"), origin };
  const index = {
    locked: "2026-11-21",
    cluster: { name: "c", podCidr: wish.pods ?? "172.30.0.0/16" },
    release: { name: "r", kubernetes: "1.36.3", components: { etcd: "3.6.1" } },
    files: [{ ...ca, for: { roles: ["etcd", "master", "worker"] } }],
    nodes: [{ name: "n1", roles: ["etcd", "master", "worker"] }],
  } as unknown as BundleIndex;
  const selection = {
    profile: { name: "n1" },
    roles: wish.roles,
    name: "n1",
    ip: wish.ip ?? "10.0.0.11",
    platform: "linux/amd64",
  } as unknown as Selection;
  const input = {
    host: wish.host ?? new FakeHost({ live: false }),
    bundle: { index, payloadDigest: digestOf("newer") },
    selection,
    plan: wish.plan ?? planOf(),
    past: wish.past,
  };
  const found = await upgradeChecks(input, async () => wish.server ?? null);
  return found.filter(({ severity }) => severity !== "ok").map(({ check, severity }) => `${check} ${severity}`);
}

test("nothing is asked where nothing older is installed for these roles", async () => {
  assert.deepEqual(await findings({ past: [], roles: ["worker"] }), []);
  assert.deepEqual(await findings({ past: [installed(["etcd"], [])], roles: ["worker"] }), []);
});

test("another node, and keys of another PKI folder, are refused by name", async () => {
  const past = [installed(["worker"], [file("/etc/kubernetes/pki/ca.pem", "the CA")])];
  assert.deepEqual(await findings({ past, roles: ["worker"] }), []);
  assert.deepEqual(await findings({ past, roles: ["worker"], ip: "10.0.0.12" }), ["same-node error"]);
  assert.deepEqual(await findings({ past, roles: ["worker"], ca: "another CA" }), ["same-keys error"]);
});

test("a cluster goes neither to dual stack, nor to IPv6, nor back", async () => {
  const both = "172.30.0.0/16,fd00:172:30::/56";
  const past = (pods: string) => [installed(["worker"], [goal("grown-interfaces", { docker: false, pods })])];
  const wish = { roles: ["worker"] as Role[] };
  assert.deepEqual(await findings({ ...wish, past: past("172.30.0.0/16"), pods: both }), ["networks error"]);
  assert.deepEqual(await findings({ ...wish, past: past(both) }), ["networks error"]);
  assert.deepEqual(await findings({ ...wish, past: past(both), pods: both }), []);
  assert.deepEqual(await findings({ ...wish, past: past("172.30.0.0/16") }), []);
  const six = "fd00:172:30::/56";
  assert.deepEqual(await findings({ ...wish, past: past("172.30.0.0/16"), pods: six }), ["networks error"]);
  assert.deepEqual(await findings({ ...wish, past: past(six), pods: six }), []);
});

test("a worker asks the API server, and is refused where that is older or silent", async () => {
  const host = new FakeHost();
  host.file("/etc/kubernetes/kube-proxy.kubeconfig", "server: https://10.0.0.11:6443\n");
  const past = [installed(["worker"], [file("/etc/kubernetes/kube-proxy.kubeconfig", "x")])];
  const ask = (server: string | null): Promise<string[]> => findings({ past, roles: ["worker"], host, server });
  assert.deepEqual(await ask("v1.36.3"), []);
  assert.deepEqual(await ask("v1.35.4"), ["kubelet-skew error"]);
  assert.deepEqual(await ask(null), ["kubelet-skew error"]);
});

test("etcd is restarted only while every other member is healthy", async () => {
  const asked: string[] = [];
  class Members extends FakeHost {
    code = 0;
    override async query(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
      if (argv[0] !== client[0]) return super.query(argv);
      asked.push(argv.slice(client.length).join(" "));
      return { code: this.code, stdout: "", stderr: "https://10.0.0.12:2379 is unhealthy: context deadline exceeded" };
    }
  }
  const host = new Members();
  const past = [installed(["etcd"], [etcdUnit("3.5.9")])];
  assert.deepEqual(await findings({ past, roles: ["etcd"], plan: planOf(etcdUnit("3.6.1")), host }), []);
  host.code = 1;
  assert.deepEqual(await findings({ past, roles: ["etcd"], plan: planOf(etcdUnit("3.6.1")), host }), [
    "etcd-members error",
  ]);
  assert.deepEqual(asked, ["endpoint health --cluster", "endpoint health --cluster"]);
  assert.deepEqual(await findings({ past, roles: ["etcd"], plan: planOf(etcdUnit("3.5.9")), host }), []);
});

test("a snapshot comes before anything else, by the installed client, and only where etcd changes", async () => {
  const past = [installed(["etcd"], [etcdUnit("3.5.9")])];
  const over = { past, payload: digestOf("newer"), roles: ["etcd"] as Role[], live: true };
  const now = new Date("2026-11-21T10:20:30.400Z");
  const plan = overOlder({ ...over, planned: planOf(etcdUnit("3.6.1")), now });
  assert.deepEqual(
    plan.phases.map(({ name }) => name),
    ["snapshot", "start"],
  );
  assert.deepEqual(plan.phases[0]?.hooks?.[0], {
    hook: "snapshot",
    unit: "etcd.service",
    path: "/var/lib/kubeferry/snapshots/etcd-20261121T102030Z.db",
    client,
    environment: { ETCDCTL_API: "3" },
  });
  const unchanged = overOlder({ ...over, planned: planOf(etcdUnit("3.5.9")), now });
  assert.deepEqual(
    unchanged.phases.map(({ name }) => name),
    ["start"],
  );
});

test("in an upgrade a member must be healthy with the others; in a first installation it may wait for them", async () => {
  const host = new FakeHost();
  const header = installed(["etcd"], []).header;
  const aborted = AbortSignal.timeout(60_000);
  const context = { reporter: quiet, signal: aborted } as unknown as Context;
  const run = (action: Header["action"]): Promise<void> =>
    gate(host, { ...header, ...(action === undefined ? {} : { action }) }, { ...context })("start", [etcdCheck.name]);
  await run(undefined);
  const stopped = { ...context, signal: AbortSignal.timeout(1500) };
  await assert.rejects(gate(host, { ...header, action: "upgrade" }, stopped)("start", [etcdCheck.name]));
});
