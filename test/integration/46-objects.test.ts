/** Objects in a running cluster: keys in a real etcd, manifests and labels through a real kubectl (behind it a stand-in). */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type BundleIndex, digestOf } from "#bundle";
import type { Pki } from "../../builder/components/credentials.ts";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import type { Effect } from "../../installer/host/effect.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { apply, begin, inspectPlan, recordAnew, resumePlan } from "../../installer/journal/apply.ts";
import { fileJournal, type Header } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo, type UndoReport } from "../../installer/journal/undo.ts";
import { goal, idsOf } from "../../installer/resources/catalogue.ts";
import type { ObjectId } from "../../installer/resources/object-id.ts";
import { mark } from "../../installer/resources/object-kubectl.ts";
import { formerObjects } from "../../installer/plan/former-objects.ts";
import { identitiesIn, keyOf } from "../../installer/resources/manifest.ts";
import type { Goal, OtherNodes } from "../../installer/resources/resource.ts";
import type { NodeFile } from "../../installer/plan/input.ts";
import { objectKeys, withObjects } from "../../installer/plan/objects.ts";
import { type ApiStandIn, startApiStandIn } from "../fakes/api-stand-in.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { requireKubectl } from "../programs/kubectl.ts";
import { requirePackages } from "../programs/packages.ts";
import { filesOf, placeNode } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-objects-"));
const now = (): Date => new Date("2026-11-21T00:00:00Z");
const header = { made: [] as string[] } as unknown as Header;
const host = createLocalHost({
  root: "/",
  contents: { stage: join(folder, "stage"), before: join(folder, "before") },
});
let kubectl = "";
const running = new Set<ChildProcess>();

before(() => {
  requirePackages("etcd-server", "etcd-client");
  kubectl = requireKubectl(folder);
});
after(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

interface Placed {
  readonly rendered: Rendered;
  readonly pki: Pki;
  readonly root: string;
}

async function place(name: string, text = clusterText(name)): Promise<Placed> {
  const cluster: FixtureCluster = await fixtureCluster(text);
  const pki = await openPki(join(folder, `${name}.pki`), cluster.topology, new Date());
  const rendered = renderFixture(cluster, pki);
  const root = mkdtempSync(join(folder, `${name}-`));
  placeNode(rendered, "n1", root);
  return { rendered, pki, root };
}

function clusterText(name: string): string {
  return readFileSync(join(import.meta.dirname, "../golden/clusters", name, "cluster.yaml"), "utf8");
}

/** The objects that a plan for n1 has, with what lies below `root` and listens on `port` instead of the node's own. */
function planned({ rendered, root }: Placed, port: number): ObjectId[] {
  const node = rendered.nodes.find(({ name }) => name === "n1");
  if (node === undefined) throw new Error("no n1");
  const files = filesOf(rendered, "n1").flatMap(({ content, ...entry }) => {
    if (typeof content !== "string") return [];
    const size = Buffer.byteLength(content);
    return [{ entry: { ...entry, digest: digestOf(content), size, tokens: [] }, digest: digestOf(content), size }];
  });
  const selection = {
    profile: node,
    roles: node.roles,
    platform: "linux/amd64",
    name: "n1",
    ip: "",
    iface: null,
  } as const;
  const index = { objects: rendered.objects, checks: rendered.checks } as unknown as BundleIndex;
  const phases = withObjects([], { index, selection, files, live: true, owner: null });
  return phases
    .flatMap(({ goals }) => idsOf("object", goals))
    .map((spec) => ({
      ...spec,
      scratch: join(folder, "object"),
      ...("path" in spec ? { path: join(root, spec.path) } : {}),
      ...("authority" in spec
        ? { authority: { certificate: join(root, spec.authority.certificate), key: join(root, spec.authority.key) } }
        : {}),
      client: spec.client.flatMap((word) => {
        if (word.endsWith("/kubectl")) return [kubectl, `--server=https://127.0.0.1:${port}`];
        if (word.endsWith("/etcdctl")) return ["etcdctl"];
        return [word.replace("127.0.0.1:2379", `127.0.0.1:${port}`).replace(/(?<==)(?=\/etc\/)/, root)];
      }),
    }));
}

interface Run {
  readonly effects: readonly Effect[];
  readonly deferred: readonly string[];
}

/** A journal of its own, with what `./install` and `./install undo` do. `stop`: the power goes before this effect. */
class Journey {
  readonly #journal = fileJournal(join(mkdtempSync(join(folder, "journal-")), "journal"));

  async install(
    specs: readonly ObjectId[],
    stop = Number.POSITIVE_INFINITY,
    pause?: () => Promise<void>,
  ): Promise<Run> {
    const goals = specs.map((spec) => goal("object", spec));
    return await this.#perform(goals, stop, pause);
  }

  /** With what the manifests had in earlier runs and have no more. */
  async upgrade(specs: readonly ObjectId[]): Promise<Run> {
    const goals = specs.map((spec) => goal("object", spec));
    const paths = specs.flatMap((spec) => (spec.via === "kubectl" ? [spec.path] : []));
    const objects = new Map(
      paths.flatMap((path) =>
        (identitiesIn(readFileSync(path, "utf8")) ?? []).map((one) => [keyOf(one), path] as const),
      ),
    );
    const former = formerObjects(transactions(this.#journal.read()), { goals, objects });
    return await this.#perform([...goals, ...former]);
  }

  async #perform(goals: readonly Goal[], stop = Number.POSITIVE_INFINITY, pause?: () => Promise<void>): Promise<Run> {
    const effects: Effect[] = [];
    const deferred: string[] = [];
    const plan = { phases: [{ name: "objects", goals, gates: [] }] };
    const open = transactions(this.#journal.read()).find(({ state }) => state === "open");
    const changes = open === undefined ? await inspectPlan(host, plan) : await resumePlan(host, open);
    const transaction = open ?? begin(this.#journal, header, plan, changes, now().toISOString());
    recordAnew(this.#journal, transaction, changes);
    await apply({
      host,
      journal: this.#journal,
      transaction,
      changes,
      onEffect: (effect) => effects.push(effect),
      onDeferred: (what, why) => deferred.push(`${what}: ${why}`),
      ...(pause === undefined ? {} : { pause }),
      gate: async () => {},
      interrupted: () => effects.length >= stop,
      now,
    });
    return { effects, deferred };
  }

  /** The newest first; of `count`, or of all. `others`: with whom the cluster goes on. */
  async undo(count = Number.POSITIVE_INFINITY, others?: OtherNodes): Promise<UndoReport[]> {
    const reports: UndoReport[] = [];
    const present = transactions(this.#journal.read()).filter(({ state }) => state !== "gone");
    for (const transaction of present.toReversed().slice(0, count)) {
      const rest = { onEffect: () => {}, deleteData: false, others, now };
      reports.push(await undo({ host, journal: this.#journal, transaction, ...rest }));
    }
    assert.deepEqual(
      reports.flatMap(({ problems }) => problems),
      [],
    );
    return reports;
  }

  text(): string {
    return JSON.stringify(this.#journal.read());
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A member of its own with the rendered certificates; both APIs. */
async function startEtcd({ root }: Placed, pki: string, port: number): Promise<() => Promise<void>> {
  const data = mkdtempSync(join(folder, "etcd-"));
  const peer = await freePort();
  const tls = (prefix: string, name: string): string[] => [
    `--${prefix}cert-file=${root}${pki}/${name}.pem`,
    `--${prefix}key-file=${root}${pki}/${name}-key.pem`,
    `--${prefix}trusted-ca-file=${root}${pki}/ca.pem`,
    `--${prefix}client-cert-auth=true`,
  ];
  const argv = [
    `--data-dir=${data}`,
    `--listen-client-urls=https://127.0.0.1:${port}`,
    `--advertise-client-urls=https://127.0.0.1:${port}`,
    `--listen-peer-urls=https://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=https://127.0.0.1:${peer}`,
    `--initial-cluster=default=https://127.0.0.1:${peer}`,
    ...tls("", "etcd"),
    ...tls("peer-", "etcd-peer"),
    "--enable-v2=true",
  ];
  const log = openSync(join(data, "log"), "w");
  const child = spawn("etcd", argv, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ETCD_UNSUPPORTED_ARCH: "arm64" },
  });
  running.add(child);
  return async () => {
    running.delete(child);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  };
}

async function etcdctl(spec: ObjectId, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await host.query([...spec.client, ...words], { environment: { ...spec.environment } });
  return (stdout + stderr).trim();
}

async function eventually(look: () => Promise<string>, pattern: RegExp): Promise<void> {
  let seen = "";
  for (let turn = 0; turn < 60 && !pattern.test(seen); turn += 1) {
    seen = await look();
    if (!pattern.test(seen)) await sleep(250);
  }
  assert.match(seen, pattern);
}

const network = '{"Network":"172.30.0.0/16","SubnetLen":24,"Backend":{"Type":"vxlan"}}';

for (const [via, name, text] of [
  ["etcd2", "1.6-docker-flannel", clusterText("1.6-docker-flannel")],
  ["etcd3", "1.36-flannel-etcd", `${clusterText("1.36-single-node")}network: { plugin: flannel-etcd }\n`],
] as const) {
  test(`flannel's key through ${via}: left until etcd answers, put once, kept when it is another's, undone exactly`, async () => {
    const placed = await place(name, text);
    const port = await freePort();
    const specs = planned(placed, port).filter((spec) => spec.via === via);
    const [spec] = specs;
    assert.ok(spec?.via === via && spec.key === "/kubernetes/network/config" && spec.value === network);
    const others = via === "etcd2" ? ["set", "/kubernetes/other", "x"] : ["put", "/kubernetes/other", "x"];
    const all = via === "etcd2" ? ["ls", "-r", "-p", "/"] : ["get", "/", "--prefix"];
    const take = via === "etcd2" ? ["rm", "-r", "/kubernetes"] : ["del", "/", "--prefix"];

    const early = new Journey();
    const { effects, deferred } = await early.install(specs);
    assert.deepEqual(effects, []);
    assert.match(deferred.join(), /^key \/kubernetes\/network\/config in etcd: .*(unavailable|deadline|refused)/);

    const stop = await startEtcd(placed, via === "etcd2" ? "/etc/etcd/ssl" : "/etc/kubernetes/pki/etcd", port);
    const health = { ...spec, environment: { ETCDCTL_API: "3" } };
    await eventually(() => etcdctl({ ...health, client: v3Client(spec) }, "endpoint", "health"), /is healthy/);

    // The same command again does what was left, and then there is nothing more to do; undo takes it back.
    const first = await early.install(specs);
    assert.deepEqual(first.deferred, []);
    assert.match(await etcdctl(spec, "get", spec.key), /"Network":"172\.30\.0\.0\/16"/);
    assert.deepEqual(await early.install(specs), { effects: [], deferred: [] });
    await early.undo();
    assert.equal(await etcdctl(spec, ...all), "");

    // The power goes right after the key was put, before that was recorded.
    const cut = new Journey();
    await assert.rejects(cut.install(specs, via === "etcd2" ? 1 : 2), /stopped between two changes/);
    assert.match(await etcdctl(spec, "get", spec.key), /Network/);
    await cut.install(specs);
    await cut.undo();
    assert.equal(await etcdctl(spec, ...all), "");

    // What others have beside it, and what somebody made of it since, stays.
    await etcdctl(spec, ...others);
    const beside = await etcdctl(spec, ...all);
    const second = new Journey();
    await second.install(specs);
    await second.undo();
    assert.equal(await etcdctl(spec, ...all), beside);
    const third = new Journey();
    await third.install(specs);
    await etcdctl(spec, via === "etcd2" ? "set" : "put", spec.key, '{"Network":"10.9.0.0/16"}');
    await third.undo();
    assert.match(await etcdctl(spec, "get", spec.key), /10\.9/);

    // Another's network is no network of ours to write over.
    await assert.rejects(new Journey().install(specs), (error: { found?: string; message: string }) => {
      assert.match(error.message, /not what is wanted/);
      assert.match(error.found ?? "", /10\.9\.0\.0/);
      return true;
    });
    assert.match(await etcdctl(spec, "get", spec.key), /10\.9/);

    // An etcd that is no more holds nothing of ours.
    await etcdctl(spec, ...take);
    const last = new Journey();
    await last.install(specs);
    await stop();
    await last.undo();
  });
}

function v3Client(spec: ObjectId): string[] {
  const names: Record<string, string> = {
    "--ca-file=": "--cacert=",
    "--cert-file=": "--cert=",
    "--key-file=": "--key=",
  };
  return spec.client
    .filter((word) => !/timeout/.test(word))
    .map((word) => word.replace(/^--(ca|cert|key)-file=/, (flag) => names[flag] ?? flag));
}

async function standIn({ rendered, pki, root }: Placed, t: TestContext, unbound?: true): Promise<ApiStandIn> {
  const certificates = rendered.certificates.find(({ path }) => path.endsWith("/kube-apiserver.pem"));
  const certificate = readFileSync(join(root, certificates?.path ?? ""), "utf8");
  const key = readFileSync(join(root, (certificates?.path ?? "").replace(".pem", "-key.pem")), "utf8");
  const authority = pki.authorities.find(({ name }) => name === "kubernetes")?.certificate ?? "";
  const api = await startApiStandIn({ certificate, key, authority, ...(unbound ? { unbound } : {}) });
  t.after(() => api.close());
  return api;
}

/** kubectl's kubeconfig is where the plan says; here it is below the root. */
function atRoot(specs: readonly ObjectId[], { root }: Placed): ObjectId[] {
  return specs.map((spec) => ({
    ...spec,
    client: spec.client.map((word) => word.replace("--kubeconfig=/etc", `--kubeconfig=${root}/etc`)),
  }));
}

/** Without what the API server writes itself. */
function picture({ objects }: ApiStandIn): unknown {
  return [...objects]
    .map(([key, { metadata, ...rest }]) => {
      const { uid: _, resourceVersion: __, creationTimestamp: ___, ...own } = metadata;
      return [key, { ...rest, metadata: own }] as const;
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

test("every manifest of a cluster: left until the API answers, applied once, told from what was there, undone exactly", async (t) => {
  const placed = await place("1.36-single-node");
  const port = await freePort();
  const unreachable = atRoot(planned(placed, port), placed).filter(isManifest);
  const early = await new Journey().install(unreachable);
  assert.deepEqual(early.effects, []);
  assert.equal(early.deferred.length, unreachable.length);
  assert.match(early.deferred[0] ?? "", /^objects of administrators: .*refused/);

  const api = await standIn(placed, t, true);
  const specs = atRoot(planned(placed, api.port), placed).filter(isManifest);
  const ungranted = await new Journey().install(specs.slice(1));
  assert.match(ungranted.deferred[0] ?? "", /^objects of rbac: .*forbidden/);
  assert.deepEqual(
    specs.map(({ name }) => name),
    ["administrators", "rbac", "bootstrap-tokens", "flannel", "coredns", "metrics-server"],
  );
  // Of what comes, the administrator has two things already, one of them otherwise.
  const own = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "coredns", namespace: "kube-system" } };
  api.put({ ...own, data: { Corefile: "mine", extra: "mine" } });
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-flannel", labels: { mine: "yes" } } });
  const before = picture(api);

  const journey = new Journey();
  const { effects } = await journey.install(specs);
  assert.deepEqual(await inspectAll(specs), []);
  assert.match(JSON.stringify(api.get("configmaps", "coredns", "kube-system")?.["data"]), /kubernetes cluster\.local/);
  for (const [key, { metadata }] of api.objects) {
    const isOurs = !/^namespaces\. \/(default|kube-system)$/.test(key);
    assert.equal(isOurs, /^[0-9a-f]{64}$/.test(metadata.annotations?.[mark] ?? ""), key);
  }
  const token = placed.pki.tokens.get("n1")?.secret ?? "none";
  assert.match(readFileSync(specs[2] && "path" in specs[2] ? specs[2].path : "", "utf8"), new RegExp(token));
  assert.doesNotMatch(JSON.stringify(effects) + journey.text(), new RegExp(token));

  await journey.undo();
  assert.deepEqual(picture(api), before);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("object")),
    [],
  );
  await api.close();
});

test("where etcd changes its leader the API server is asked again: by the look, by what is brought and by what is taken back", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const [rbac] = atRoot(planned(placed, api.port), placed).filter(({ via }) => via === "kubectl");
  assert.ok(rbac !== undefined);
  const before = picture(api);
  const passing = [
    "etcdserver: leader changed",
    "etcdserver: request timed out, possibly due to previous leader failure",
  ];
  const after = (answers: number): (string | null)[] => [...Array.from({ length: answers }, () => null), ...passing];
  const journey = new Journey();
  api.faults.push(...after(0));
  assert.deepEqual((await journey.install([rbac])).deferred, []);
  assert.deepEqual([api.faults, await inspectAll([rbac])], [[], []]);
  api.faults.push(...after(0));
  await journey.undo();
  assert.deepEqual([api.faults, picture(api)], [[], before]);

  const looked = identitiesIn(readFileSync("path" in rbac ? rbac.path : "", "utf8"))?.length ?? 0;
  api.faults.push(...after(looked + 1));
  await journey.install([rbac]);
  assert.deepEqual([api.faults, await inspectAll([rbac])], [[], []]);
  api.faults.push(...after(looked + 1));
  await journey.undo();
  assert.deepEqual([api.faults, picture(api)], [[], before]);

  // What does not pass by itself is told at once.
  api.faults.push(...after(looked).slice(0, -passing.length), "etcdserver: mvcc: database space exceeded");
  await assert.rejects(new Journey().install([rbac]), /database space exceeded/);
});

function isManifest({ via }: ObjectId): boolean {
  return via === "grant" || via === "kubectl";
}

async function inspectAll(specs: readonly ObjectId[]): Promise<unknown[]> {
  const goals = specs.map((spec) => goal("object", spec));
  return inspectPlan(host, { phases: [{ name: "objects", goals, gates: [] }] });
}

test("undo on one of several masters leaves what the others go on with: DNS, network, rights and all else", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const specs = atRoot(planned(placed, api.port), placed).filter(({ via }) => via === "kubectl");
  const journey = new Journey();
  await journey.install(specs);
  const living = picture(api);
  await journey.undo(undefined, { etcd: [], master: ["n2"] });
  assert.deepEqual(picture(api), living);
  await api.close();
});

test("what another master brings about by now is wanted, so that the one that did it before takes nothing away", async () => {
  const cluster = await fixtureCluster(clusterText("1.16-local-proxy"));
  const pki = await openPki(join(folder, "several.pki"), cluster.topology, new Date());
  const rendered = renderFixture(cluster, pki);
  const index = { objects: rendered.objects } as unknown as BundleIndex;
  const keysOf = async (node: string): Promise<string[]> => {
    const texts = filesOf(rendered, node).flatMap(({ content, ...entry }) =>
      typeof content === "string" ? [{ entry, content, digest: digestOf(content) }] : [],
    );
    const memory = new Map(texts.map(({ content, digest }) => [digest, Buffer.from(content)]));
    const files = texts.map(({ entry, digest }) => ({ entry, digest, size: 0 })) as unknown as NodeFile[];
    return [...(await objectKeys(index, { files, memory }, async () => new Map())).keys()];
  };
  const [first, second] = rendered.nodes.filter(({ roles }) => roles.includes("master"));
  const keys = await keysOf(second?.name ?? "");
  assert.ok(keys.includes("Deployment.apps kube-system/coredns"), keys.join());
  assert.deepEqual(keys, await keysOf(first?.name ?? ""));
});

test("a newer manifest over an older one: what it changes comes back, what it adds goes, what was lost is made again", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const [base] = atRoot(planned(placed, api.port), placed).filter(({ name }) => name === "rbac");
  assert.ok(base?.via === "kubectl");
  const path = join(placed.root, "manifest.yaml");
  const older = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "1"\n  z: "1"\n`;
  const newer = `${older.replace('x: "1"', 'x: "2"').replace('  z: "1"\n', "")}---\n${older.replace("name: a", "name: b")}`;
  const spec = (text: string): ObjectId => {
    writeFileSync(path, text);
    return { ...base, name: "manifest", path, digest: digestOf(text) };
  };
  const first = new Journey();
  await first.install([spec(older)]);
  const before = picture(api);
  const second = new Journey();
  await second.install([spec(newer)]);
  assert.deepEqual(api.get("configmaps", "a", "default")?.["data"], { x: "2" });
  assert.deepEqual(api.get("configmaps", "b", "default")?.["data"], { x: "1", z: "1" });

  api.objects.delete("configmaps. default/b");
  const mended = new Journey();
  assert.equal((await mended.install([spec(newer)])).effects.length, 2);
  assert.notEqual(api.get("configmaps", "b", "default"), undefined);
  await mended.undo();
  assert.equal(api.get("configmaps", "b", "default"), undefined);
  assert.deepEqual(api.get("configmaps", "a", "default")?.["data"], { x: "2" });

  await second.undo();
  assert.deepEqual(picture(api), before);

  // The file is still the older one while an upgrade is planned: it is looked at again when it is in place.
  writeFileSync(path, older);
  assert.match(JSON.stringify(await inspectAll([{ ...base, path, digest: digestOf(newer) }])), /is not in place yet/);

  await api.close();
  // The cluster is gone, and what it held with it: undo has nothing to complain of.
  await first.undo();
});

test("what a newer manifest no longer has goes, or is again what it was before ours, and comes back with rollback", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const [base] = atRoot(planned(placed, api.port), placed).filter(({ name }) => name === "rbac");
  assert.ok(base?.via === "kubectl");
  const path = join(placed.root, "shrinking.yaml");
  const spec = (...documents: string[]): ObjectId => {
    const text = documents.join("---\n");
    writeFileSync(path, text);
    return { ...base, name: "shrinking", path, digest: digestOf(text) };
  };
  const map = (name: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  x: "1"\n`;
  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: old\n  namespace: kube-system\n`;
  api.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "theirs", namespace: "default" },
    data: { x: "own" },
  });
  const untouched = picture(api);
  const data = (name: string): unknown => api.get("configmaps", name, "default")?.["data"];

  const older = (): ObjectId => spec(map("kept"), map("dropped"), map("theirs"), deployment);

  const journey = new Journey();
  await journey.install([older()]);
  const installed = picture(api);
  assert.deepEqual(data("theirs"), { x: "1" });
  const newer = spec(map("kept"));
  await journey.upgrade([newer]);
  assert.deepEqual([data("kept"), data("dropped"), data("theirs")], [{ x: "1" }, undefined, { x: "own" }]);
  assert.equal(api.get("deployments", "old", "kube-system"), undefined);
  assert.deepEqual((await journey.upgrade([newer])).effects, [], "once gone, nothing is left to do");

  await journey.undo(2);
  assert.deepEqual(picture(api), installed);

  // One that somebody made anew under its name is his.
  api.objects.delete("configmaps. default/dropped");
  api.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "dropped", namespace: "default" },
    data: { x: "anew" },
  });
  await journey.upgrade([spec(map("kept"))]);
  assert.deepEqual(data("dropped"), { x: "anew" });
  api.objects.delete("configmaps. default/dropped");
  await journey.undo(1);
  older();
  await journey.undo();
  assert.deepEqual(picture(api), untouched);
  await api.close();
});

test("manifests of the operator's own are applied after ours, whatever their form, and undone", async (t) => {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "login", namespace: "kube-system" } };
  const map = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "plant", namespace: "default" },
    data: { a: "1" },
  };
  const own = join(folder, "plant.json");
  writeFileSync(own, JSON.stringify({ apiVersion: "v1", kind: "List", items: [secret, map] }));
  const placed = await place("1.36-single-node", `${clusterText("1.36-single-node")}manifests: [${own}]\n`);
  const api = await standIn(placed, t);
  const before = picture(api);
  const specs = atRoot(planned(placed, api.port), placed).filter(({ via }) => via === "kubectl");
  assert.equal(specs.at(-1)?.name, "manifests/plant");
  const file = filesOf(placed.rendered, "n1").find(({ path }) => path.endsWith("/manifests/plant.yaml"));
  assert.deepEqual([file?.mode, file?.sensitive], ["0600", true], "it holds a Secret");
  const journey = new Journey();
  await journey.install(specs.slice(-1));
  assert.ok(api.get("secrets", "login", "kube-system") !== undefined);
  assert.equal(api.get("configmaps", "plant", "default")?.metadata.name, "plant");
  assert.deepEqual(await inspectAll(specs.slice(-1)), []);
  await journey.undo();
  assert.deepEqual(picture(api), before);
});

test("a kubectl that cannot ask for what may be missing, as that of 1.6, is asked for one object at a time", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const old = join(folder, "kubectl-1.6");
  const script = `#!/bin/bash
for word; do [[ $word == --ignore-not-found=true && " $* " == *" get "* ]] && { echo "Error: unknown flag: --ignore-not-found" >&2; exit 1; }; done
exec ${kubectl} "$@"
`;
  writeFileSync(old, script, { mode: 0o755 });
  const specs = atRoot(planned(placed, api.port), placed)
    .filter(({ name }) => name === "coredns" || name === "rbac")
    .map((spec) => ({ ...spec, client: spec.client.map((word) => (word === kubectl ? old : word)) }));
  api.put({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "coredns", namespace: "kube-system" } });
  const before = picture(api);
  const journey = new Journey();
  await journey.install(specs);
  assert.ok(api.get("deployments", "coredns", "kube-system") !== undefined);
  assert.deepEqual(await inspectAll(specs), []);
  await journey.undo();
  assert.deepEqual(picture(api), before);
});

test("a master's label waits for the node to join, and undo gives back what the label was", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const specs = atRoot(planned(placed, api.port), placed).filter(({ via }) => via === "label");
  const key = "node-role.kubernetes.io/control-plane";
  const early = await new Journey().install(specs);
  assert.deepEqual(early, { effects: [], deferred: [`label ${key} of n1: n1 has not joined yet`] });
  const journey = new Journey();
  let pauses = 0;
  const joining = async (): Promise<void> => {
    pauses += 1;
    if (pauses === 2) api.put({ apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { zone: "a" } } });
  };
  assert.deepEqual((await journey.install(specs, undefined, joining)).deferred, []);
  assert.equal(pauses, 2);
  assert.deepEqual(api.get("nodes", "n1")?.metadata.labels, { zone: "a", [key]: "" });
  assert.deepEqual(await inspectAll(specs), []);
  await journey.undo();
  assert.deepEqual(api.get("nodes", "n1")?.metadata.labels, { zone: "a" });
  const again = new Journey();
  await again.install(specs);
  api.objects.delete("nodes. /n1");
  await again.undo();
  await api.close();
});

test("kubectl leaves no cache behind, and a kubeconfig of a worker brings nothing about", async (t) => {
  const placed = await place("1.36-single-node");
  const api = await standIn(placed, t);
  const [spec] = atRoot(planned(placed, api.port), placed).filter(({ name }) => name === "rbac");
  assert.ok(spec !== undefined);
  const worker = spec.client.map((word) => word.replace("admin.kubeconfig", "kube-proxy.kubeconfig"));
  const { deferred } = await new Journey().install([{ ...spec, client: worker }]);
  assert.match(deferred.join(), /forbidden: no binding/);
  await new Journey().install([spec]);
  // Where it would be with a home folder that is not known.
  assert.ok(!readdirSync(process.cwd()).includes(".kube"));
  await api.close();
});
