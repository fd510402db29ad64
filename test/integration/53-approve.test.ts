/**
 * `./install approve` as an operator or the timer runs it: through a real kubectl, with requests that openssl makes. The
 * API server is a stand-in; who asks, which a real one writes from the client's certificate, is what the test says.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import { approveAsTheyCome } from "../../installer/commands/approve-watch.ts";
import type { TokenOwners } from "../../installer/cluster/ask-cluster.ts";
import type { Context } from "../../installer/context.ts";
import { type ApiObject, type ApiStandIn, startApiStandIn } from "../fakes/api-stand-in.ts";
import { type Ended, equipMaster, leadTo, runInstaller, startInstaller } from "../programs/as-master.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { requireKubectl } from "../programs/kubectl.ts";
import { placeNode } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-approve-"));
let kubectl = "";
before(() => {
  kubectl = requireKubectl(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const late = `name: late
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: 10.64.3.2, roles: [worker] }
workers: { subnet: 10.64.4.0/24 }
`;
const old = `name: old
release: kubernetes-1.6
runtime: docker
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: 10.64.3.2, roles: [worker] }
`;

interface Master {
  readonly api: ApiStandIn;
  readonly root: string;
}

async function master(t: TestContext, text: string, react?: (api: ApiStandIn) => void): Promise<Master> {
  const cluster = await fixtureCluster(text);
  const pki = await openPki(mkdtempSync(join(folder, "pki-")), cluster.topology, new Date());
  const rendered = renderFixture(cluster, pki);
  const root = mkdtempSync(join(folder, "n1-"));
  placeNode(rendered, "n1", root);
  const path = rendered.certificates.find(({ path: one }) => one.endsWith("/kube-apiserver.pem"))?.path ?? "";
  const read = (name: string): string => readFileSync(join(root, name), "utf8");
  const api = await startApiStandIn({
    certificate: read(path),
    key: read(path.replace(".pem", "-key.pem")),
    authority: pki.authorities.find(({ name }) => name === "kubernetes")?.certificate ?? "",
    ...(react === undefined ? {} : { react }),
  });
  t.after(() => api.close());
  equipMaster(root, kubectl, api.port);
  return { api, root };
}

/** A request as openssl makes it for a key of its own. */
function pem(subject: string, alternative: string | null): string {
  const words = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject];
  const names = alternative === null ? [] : ["-addext", `subjectAltName=${alternative}`];
  return execFileSync("openssl", [...words, "-keyout", "/dev/null", ...names], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

interface Wish {
  readonly node: string;
  /** Null: a client certificate. */
  readonly names: string | null;
  readonly username?: string;
  readonly groups?: readonly string[];
  readonly subject?: string;
  readonly text?: string;
  readonly usages?: readonly string[];
  readonly signerName?: string;
  readonly status?: Record<string, unknown>;
}

const servingUsages = ["digital signature", "server auth"];
const clientUsages = ["digital signature", "key encipherment", "client auth"];

function ask(api: ApiStandIn, name: string, wish: Wish): void {
  const { node, names, subject = `/O=system:nodes/CN=system:node:${node}`, text = pem(subject, names) } = wish;
  const serving = names !== null;
  const spec = {
    request: Buffer.from(text).toString("base64"),
    username: wish.username ?? `system:node:${node}`,
    groups: wish.groups ?? ["system:nodes", "system:authenticated"],
    signerName: wish.signerName ?? `kubernetes.io/${serving ? "kubelet-serving" : "kube-apiserver-client-kubelet"}`,
    usages: wish.usages ?? (serving ? servingUsages : clientUsages),
  };
  api.put({
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec,
    status: wish.status ?? {},
  });
}

function approved(api: ApiStandIn): string[] {
  const requests = [...api.objects.values()].filter(({ kind }) => kind === "CertificateSigningRequest");
  const is = ({ status }: ApiObject): boolean =>
    (status as { conditions?: { type: string; status?: string }[] }).conditions?.some(
      ({ type }) => type === "Approved",
    ) ?? false;
  return requests.filter(is).map(({ metadata }) => metadata.name);
}

interface Told {
  readonly type: string;
  readonly name?: string;
  readonly approved?: boolean;
  readonly node?: string;
  readonly why?: string;
}

function requestsOf({ stdout }: Ended): Map<string, Told> {
  const records = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Told);
  return new Map(records.filter(({ type }) => type === "request").map((record) => [record.name ?? "", record]));
}

const good = ["csr-n1", "csr-n2", "csr-w7"];
const left: Readonly<Record<string, readonly [Wish, RegExp]>> = {
  "csr-more": [{ node: "n2", names: "DNS:n2,DNS:n1,IP:10.64.3.2" }, /its names are "n2", "n1", expected "n2"/],
  "csr-other-ip": [
    { node: "n2", names: "DNS:n2,IP:10.64.3.1" },
    /addresses are "10\.64\.3\.1", expected "10\.64\.3\.2"/,
  ],
  "csr-for-other": [
    { node: "n1", names: "DNS:n1,IP:10.64.3.1", username: "system:node:n2" },
    /system:node:n2 asks for the certificate of n1/,
  ],
  "csr-outside": [{ node: "w8", names: "DNS:w8,IP:10.99.0.8" }, /expected one in 10\.64\.4\.0\/24/],
  "csr-taken": [{ node: "w9", names: "DNS:w9,IP:10.64.4.6" }, /10\.64\.4\.6 is the address of w6/],
  "csr-masters": [
    { node: "n2", names: null, subject: "/O=system:masters/CN=admin" },
    /its common name is "admin", not one system:node:NAME/,
  ],
  "csr-client": [
    { node: "n2", names: null, username: "system:node:n1" },
    /system:node:n1 asks for the certificate of n2/,
  ],
  "csr-signer": [
    { node: "n2", names: "DNS:n2,IP:10.64.3.2", signerName: "kubernetes.io/legacy-unknown" },
    /its signer and usages are no kubelet's: kubernetes\.io\/legacy-unknown/,
  ],
  "csr-email": [{ node: "n2", names: "DNS:n2,IP:10.64.3.2,email:a@b.c" }, /it asks for/],
  "csr-torn": [{ node: "n2", names: "", text: "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n" }, /cannot be read/],
};

function askAll(api: ApiStandIn): void {
  const addresses = [{ type: "InternalIP", address: "10.64.4.6" }];
  api.put({ apiVersion: "v1", kind: "Node", metadata: { name: "w6" }, status: { addresses } });
  ask(api, "csr-n1", { node: "n1", names: "DNS:n1,IP:10.64.3.1" });
  ask(api, "csr-n2", { node: "n2", names: "IP:10.64.3.2,DNS:n2", usages: ["key encipherment", ...servingUsages] });
  ask(api, "csr-w7", { node: "w7", names: "DNS:w7,IP:10.64.4.7" });
  for (const [name, [wish]] of Object.entries(left)) ask(api, name, wish);
  const denied = { conditions: [{ type: "Denied", status: "True" }] };
  ask(api, "csr-denied", { node: "n2", names: "DNS:n2,IP:10.64.3.2", status: denied });
}

test("what a known node may have is approved, all else is left and told with why and what to do, and a second run has nothing to do", async (t) => {
  const { api, root } = await master(t, late);
  askAll(api);
  const dry = await runInstaller(root, "approve", "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  for (const name of good) assert.match(dry.stdout, new RegExp(`would approve +${name}: serving certificate of`));
  assert.equal(api.changes.length, 0);
  assert.deepEqual(approved(api), []);

  const ended = await runInstaller(root, "approve", "--json");
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(approved(api), good);
  const told = requestsOf(ended);
  assert.deepEqual([...told.keys()].toSorted(), [...good, ...Object.keys(left)].toSorted());
  for (const name of good)
    assert.deepEqual(
      { ...told.get(name), node: "" },
      { type: "request", name, approved: true, approve: true, node: "", use: "serving" },
    );
  for (const [name, [, why]] of Object.entries(left)) {
    assert.equal(told.get(name)?.approved, false);
    assert.match(told.get(name)?.why ?? "", why);
    assert.match(ended.stderr, new RegExp(`next: kubectl describe csr ${name}; kubectl certificate approve ${name} `));
  }
  const changed = api.changes.map((change) => change.replace(/^.*\/certificatesigningrequests\//, ""));
  assert.deepEqual(
    changed,
    good.map((name) => `${name}/approval`),
  );

  const again = await runInstaller(root, "approve");
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /approve +10 requests wait, 0 of them/);
  assert.equal(api.changes.length, good.length);
});

for (const [generation, text] of [
  ["1.6", old],
  ["1.36", late],
] as const) {
  test(`a token of ${generation} asks for its own node's first certificate and gets no other`, async (t) => {
    const { api, root } = await master(t, text);
    const owners = readFileSync(join(root, "etc/kubernetes/kubeferry/token-owners.json"), "utf8");
    const [token = ""] = Object.entries(JSON.parse(owners) as TokenOwners).find(([, owner]) => owner === "n2") ?? [];
    assert.match(token, /^[a-z0-9]{6}$/);
    const bootstrap = { username: `system:bootstrap:${token}`, groups: ["system:bootstrappers"] };
    api.put({ apiVersion: "v1", kind: "Node", metadata: { name: "n1" } });
    for (const node of ["n1", "n2", "n3"]) ask(api, `csr-${node}`, { node, names: null, ...bootstrap });
    const { code, stdout, stderr } = await runInstaller(root, "approve");
    assert.equal(code, 0, stderr);
    assert.deepEqual(approved(api), ["csr-n2"]);
    assert.match(stdout, /approved +csr-n2: client certificate of n2/);
    for (const other of ["n1", "n3"])
      assert.match(
        stderr,
        new RegExp(`csr-${other} is left: the bootstrap token of n2 asks for the certificate of ${other}`),
      );
  });
}

test("a request that the cluster refuses to have approved: exit 9 with its name, and the others are approved all the same", async (t) => {
  // Somebody deletes the second while the first is being approved.
  const { api, root } = await master(t, late, (running) => {
    running.objects.delete("certificatesigningrequests.certificates.k8s.io /csr-n2");
  });
  askAll(api);
  const { code, stderr } = await runInstaller(root, "approve");
  assert.equal(code, 9);
  assert.match(stderr, /error UNHEALTHY: the cluster refused: csr-n2: .*not found/i);
  assert.deepEqual(approved(api), ["csr-n1", "csr-w7"]);
});

test("an API that is down: exit 9; who is no administrator: exit 9; a host that is no master: exit 2", async (t) => {
  const { api, root } = await master(t, late);
  askAll(api);
  const before = JSON.stringify([...api.objects]);
  const kubeconfig = join(root, "etc/kubernetes/admin.kubeconfig");
  const worker = readFileSync(join(root, "etc/kubernetes/kube-proxy.kubeconfig"), "utf8");
  const admin = readFileSync(kubeconfig, "utf8");
  writeFileSync(kubeconfig, worker.replace(/server: \S+/, `server: https://127.0.0.1:${api.port}`));
  const forbidden = await runInstaller(root, "approve");
  assert.equal(forbidden.code, 9);
  assert.match(forbidden.stderr, /the cluster does not answer: .*no binding/);
  writeFileSync(kubeconfig, admin);
  await api.close();
  const down = await runInstaller(root, "approve");
  assert.equal(down.code, 9);
  assert.match(down.stderr, /error UNHEALTHY: the cluster does not answer: .*refused[\s\S]*next: \.\/install status/);
  assert.equal(JSON.stringify([...api.objects]), before);

  const cluster = await fixtureCluster(late);
  const other = mkdtempSync(join(folder, "n2-"));
  placeNode(renderFixture(cluster), "n2", other);
  mkdirSync(join(other, "usr/local/bin"), { recursive: true });
  const nowhere = await runInstaller(other, "approve");
  assert.equal(nowhere.code, 2);
  assert.match(
    nowhere.stderr,
    /error USAGE: this host is no master[\s\S]*where: \/etc\/kubernetes\/kubeferry\/cluster\.json/,
  );
});

/** Waits in vain no longer than the test may take. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await sleep(50);
}

const patient = { timeout: 300_000 };

test(
  "--watch approves what waits, and each request as it comes, and starts nothing for what it left",
  patient,
  async (t) => {
    const { api, root } = await master(t, late);
    askAll(api);
    const { child, ended } = startInstaller(root, "approve", "--watch");
    t.after(() => child.kill("SIGKILL"));
    await until(() => approved(api).length === good.length);
    ask(api, "csr-w5", { node: "w5", names: "DNS:w5,IP:10.64.4.5" });
    await until(() => approved(api).includes("csr-w5"));
    ask(api, "csr-strange", { node: "w4", names: "DNS:w4,IP:10.99.0.4" });
    ask(api, "csr-w3", { node: "w3", names: "DNS:w3,IP:10.64.4.3" });
    await until(() => approved(api).includes("csr-w3"));
    // Though more than ten still wait for somebody's decision.
    await until(() => api.watching === 1);
    child.kill("SIGTERM");
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(approved(api), [...good, "csr-w5", "csr-w3"]);
    assert.match(stderr, /csr-strange is left: its addresses are "10\.99\.0\.4"/);
  },
);

test("--watch outlives an API server that goes, tells it once, and goes on when it is back", patient, async (t) => {
  const { api, root } = await master(t, late);
  const kubeconfig = join(root, "etc/kubernetes/admin.kubeconfig");
  const place = { client: [kubectl, `--kubeconfig=${kubeconfig}`], folder: join(root, "etc/kubernetes/kubeferry") };
  const pressed = new AbortController();
  const told: string[] = [];
  const reporter = { record() {}, info() {}, stage() {}, warn: (text: string): unknown => told.push(text) };
  t.after(() => pressed.abort());
  const context = { reporter, now: () => new Date(), signal: pressed.signal, executable: null } as unknown as Context;
  leadTo(root, 9);
  ask(api, "csr-n1", { node: "n1", names: "DNS:n1,IP:10.64.3.1" });
  const running = approveAsTheyCome({ ...place, kubeconfig, pauseMs: 20 }, context);
  await until(() => told.length > 0);
  await sleep(200);
  assert.deepEqual(told, ["the cluster does not answer: connect ECONNREFUSED 127.0.0.1:9; it is asked again"]);
  leadTo(root, api.port);
  await until(() => approved(api).includes("csr-n1"));
  pressed.abort();
  await running;
});

test("--watch is for masters, and is no trial", async (t) => {
  const { root } = await master(t, late);
  const trial = await runInstaller(root, "approve", "--watch", "--dry-run");
  assert.equal(trial.code, 2);
  rmSync(join(root, "etc/kubernetes/kubeferry/cluster.json"));
  assert.equal((await runInstaller(root, "approve", "--watch")).code, 2);
});
