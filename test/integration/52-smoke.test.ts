/**
 * `./install smoke` as an operator runs it, through a real kubectl. The API server is a stand-in and plays the
 * controllers; pods, kube-proxy and the service are real HTTP servers on addresses of loopback.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPki } from "../../builder/pki/authority.ts";
import { type ApiObject, type ApiStandIn, startApiStandIn } from "../fakes/api-stand-in.ts";
import { type Ended, equipMaster, leadTo, runInstaller, startInstaller } from "../programs/as-master.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { requireKubectl } from "../programs/kubectl.ts";
import { placeNode } from "../builders/placed-node.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-smoke-"));
/** Its address is this host's own, so that it is a node. */
const nodes = [
  { name: "n1", address: "127.0.0.1", pod: "127.47.1.1" },
  { name: "n2", address: "127.47.0.2", pod: "127.47.1.2" },
] as const;
const clusterIp = "127.47.2.1";
const nodePort = 30747;
const root = join(folder, "n1");
let material: { certificate: string; key: string; authority: string };
let kubectl = "";

before(async () => {
  kubectl = requireKubectl(folder);
  const cluster = await fixtureCluster(`name: smoke
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane, worker] }
  - { name: n2, ip: 10.64.3.2, roles: [worker] }
`);
  const pki = await openPki(join(folder, "pki"), cluster.topology, new Date());
  // The pods' network of the stand-in is one of loopback.
  const pods = { ...cluster.topology, network: { ...cluster.topology.network, pods: ["127.47.1.0/24"] } };
  placeNode(renderFixture({ ...cluster, topology: pods }, pki), "n1", root);
  equipMaster(root, kubectl, 1);
  const read = (name: string): string => readFileSync(join(root, "etc/kubernetes/pki", name), "utf8");
  material = {
    certificate: read("kube-apiserver.pem"),
    key: read("kube-apiserver-key.pem"),
    authority: pki.authorities.find(({ name }) => name === "kubernetes")?.certificate ?? "",
  };
});
after(() => rmSync(folder, { recursive: true, force: true }));

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Wish {
  /** Changes what the controllers bring about for a node: its pod, or null for none. */
  readonly pod?: (pod: ApiObject, node: string) => ApiObject | null;
  readonly node?: (node: ApiObject) => ApiObject;
  readonly port?: number;
  readonly log?: (pod: string) => string | null;
  readonly afterChange?: (api: ApiStandIn) => void;
}

const condition = (type: string, isSo: boolean): unknown => ({ type, status: isSo ? "True" : "False" });

/** A cluster of two nodes; leads the master's kubeconfig to it. */
async function cluster(wish: Wish = {}): Promise<ApiStandIn> {
  const react = (api: ApiStandIn): void => {
    wish.afterChange?.(api);
    const set = api.get("daemonsets", "kubeferry-smoke", "default") as { spec?: { template: ApiObject } } | undefined;
    for (const { name, pod } of nodes) {
      const key = `pods. default/kubeferry-smoke-${name}`;
      if (set?.spec === undefined) api.objects.delete(key);
      else if (!api.objects.has(key)) makePod(api, set.spec.template, name, pod, wish);
    }
    const service = api.get("services", "kubeferry-smoke", "default") as { spec: Record<string, unknown> } | undefined;
    if (service === undefined) return;
    service.spec = { ...service.spec, clusterIP: clusterIp, ports: [{ port: 80, nodePort: wish.port ?? nodePort }] };
  };
  const api = await startApiStandIn({ ...material, react, log: wish.log ?? (() => "[INFO] plugin/reload\n") });
  open.push(() => api.close());
  for (const { name, address } of nodes) {
    const addresses = [{ type: "InternalIP", address }];
    const status = { addresses, conditions: [condition("Ready", true)] };
    const node: ApiObject = { apiVersion: "v1", kind: "Node", metadata: { name }, spec: {}, status };
    api.put(wish.node?.(node) ?? node);
  }
  leadTo(root, api.port);
  return api;
}

function makePod(api: ApiStandIn, template: ApiObject, node: string, podIP: string, wish: Wish): void {
  const spec = { ...(template["spec"] as object), nodeName: node };
  const metadata = { ...template.metadata, name: `kubeferry-smoke-${node}`, namespace: "default" };
  const status = { podIP, conditions: [condition("Ready", true)] };
  const pod: ApiObject = { apiVersion: "v1", kind: "Pod", metadata, spec, status };
  const wanted = wish.pod === undefined ? pod : wish.pod(pod, node);
  if (wanted !== null) api.put(wanted);
}

/** Answers as coredns does at /health; counts how often. */
async function serve(address: string, port: number, status: () => number = () => 200): Promise<{ asked: number }> {
  const count = { asked: 0 };
  const server: Server = createServer((request, response) => {
    count.asked += 1;
    response.writeHead(request.url === "/health" ? status() : 404);
    response.end("OK");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, resolve);
  });
  open.push(() => new Promise((resolve) => server.close(resolve)));
  return count;
}

const places = [
  ...nodes.map(({ pod }) => [pod, 8080] as const),
  [clusterIp, 80] as const,
  ...nodes.map(({ address }) => [address, nodePort] as const),
];

/** Everything answers, but what is at `without`. */
async function serveAll(...without: string[]): Promise<{ asked: number }[]> {
  return Promise.all(
    places.filter(([address]) => !without.includes(address)).map(([address, port]) => serve(address, port)),
  );
}

function left(api: ApiStandIn): string[] {
  return [...api.objects.keys()].filter((key) => key.includes("kubeferry-smoke"));
}

interface Told {
  readonly type: string;
  readonly check?: string;
  readonly severity?: string;
  readonly message?: string;
  readonly expected?: string;
  readonly found?: string;
  readonly hint?: string;
}

function errorsOf({ stdout }: Ended): Told[] {
  const records = stdout.split("\n").filter((line) => line !== "");
  return records
    .map((line) => JSON.parse(line) as Told)
    .filter(({ type, severity }) => type === "finding" && severity === "error");
}

test("a pod on every node answers on every address, each is told, and nothing is left", async () => {
  const api = await cluster();
  const counts = await serveAll();
  const before = [...api.objects.keys()];
  const { code, stdout, stderr } = await runInstaller(root, "smoke");
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /smoke +a pod on n1, n2\n/);
  for (const line of [
    /ok +pod +n1: ready, at 127\.47\.1\.1/,
    /ok +kubelet +n2: the API server gets its pod's log/,
    /ok +node port +30747 is in 30000-32767/,
    /ok +pod address +the pod on n2 \(http:\/\/127\.47\.1\.2:8080\/health\) answers/,
    /ok +service address +the service \(http:\/\/127\.47\.2\.1:80\/health\) answers, 4 times/,
    /ok +node port +the service's port on n2 \(http:\/\/127\.47\.0\.2:30747\/health\) answers, 4 times/,
  ])
    assert.match(stdout, line);
  assert.deepEqual(
    counts.map(({ asked }) => asked),
    [1, 1, 4, 4, 4],
  );
  assert.deepEqual([...api.objects.keys()], before);
});

test("--dry-run tells what would be run and changes nothing; --keep leaves what was made, and the next run takes it away", async () => {
  const api = await cluster();
  await serveAll();
  const dry = await runInstaller(root, "smoke", "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /would run .* apply -f \/etc\/kubernetes\/kubeferry\/smoke\.yaml\n/);
  assert.deepEqual(api.changes, []);

  const kept = await runInstaller(root, "smoke", "--keep");
  assert.equal(kept.code, 0, kept.stderr);
  assert.match(kept.stdout, /To remove it: kubectl delete -f \/etc\/kubernetes\/kubeferry\/smoke\.yaml/);
  assert.equal(left(api).length, 5);
  assert.equal((await runInstaller(root, "smoke")).code, 0);
  assert.deepEqual(left(api), []);
});

test("a node that does not answer for the others, a pod that is not reached, a kubelet without a certificate: each with what to do", async () => {
  const api = await cluster({ log: (pod) => (pod.endsWith("n2") ? null : "fine\n") });
  await serveAll("127.47.0.2", "127.47.1.2");
  const ended = await runInstaller(root, "smoke", "--json", "--timeout", "1");
  assert.equal(ended.code, 9, ended.stderr);
  const errors = errorsOf(ended);
  assert.deepEqual(
    errors.map(({ check }) => check),
    ["kubelet", "pod address", "node port"],
  );
  const [log, pod, port] = errors;
  assert.match(log?.found ?? "", /the kubelet of kubeferry-smoke-n2 is not reached/);
  assert.match(log?.hint ?? "", /^\.\/install approve/);
  assert.match(pod?.found ?? "", /ECONNREFUSED 127\.47\.1\.2:8080/);
  assert.match(port?.message ?? "", /port on n2 \(http:\/\/127\.47\.0\.2:30747\/health\) does not answer/);
  assert.equal(port?.expected, "HTTP 200");
  assert.match(port?.found ?? "", /^3 times .*ECONNREFUSED 127\.47\.0\.2:30747$/);
  assert.match(port?.hint ?? "", /^on n2: journalctl -u kube-proxy/);
  assert.match(ended.stderr, /error UNHEALTHY: 3 found/);
  assert.deepEqual(left(api), []);
});

test("one way of several that is broken is found, and one that comes late is waited for", async () => {
  await cluster();
  await serveAll("127.47.0.2", "127.47.2.1");
  let turn = 0;
  await serve("127.47.0.2", nodePort, () => ((turn += 1) % 2 === 0 ? 503 : 200));
  let late = 0;
  await serve("127.47.2.1", 80, () => ((late += 1) < 3 ? 503 : 200));
  const ended = await runInstaller(root, "smoke", "--json", "--timeout", "3");
  assert.equal(ended.code, 9);
  const errors = errorsOf(ended);
  assert.deepEqual(
    errors.map(({ message }) => message),
    ["the service's port on n2 (http://127.47.0.2:30747/health) does not answer"],
  );
  assert.equal(errors[0]?.found, "2 times HTTP 503");
});

test("pods that never become ready are told with their reason, the others are asked all the same, and all is removed", async () => {
  const api = await cluster({
    pod: (pod, node) => {
      if (node === "n1") return pod;
      const waiting = { reason: "ErrImageNeverPull", message: "the image is not present" };
      return {
        ...pod,
        status: { conditions: [condition("Ready", false)], containerStatuses: [{ state: { waiting } }] },
      };
    },
  });
  await serveAll();
  const ended = await runInstaller(root, "smoke", "--json", "--timeout", "2");
  assert.equal(ended.code, 9);
  const [error, ...more] = errorsOf(ended);
  assert.deepEqual(more, []);
  assert.equal(error?.message, "n2: its pod is not ready");
  assert.equal(error?.found, "ErrImageNeverPull: the image is not present");
  assert.match(error?.hint ?? "", /^on n2: ctr -n k8s\.io images ls.*coredns/);
  assert.match(ended.stdout, /the pod on n1 .* answers/);
  assert.deepEqual(left(api), []);
});

test("a node that is not Ready, one without a pod, one that is cordoned, a pod of no network, a port out of range", async () => {
  const unready = (node: ApiObject): ApiObject =>
    node.metadata.name === "n1"
      ? node
      : { ...node, status: { conditions: [{ type: "Ready", status: "Unknown", message: "Kubelet stopped" }] } };
  await cluster({ node: unready });
  await serveAll();
  const [sick] = errorsOf(await runInstaller(root, "smoke", "--json", "--timeout", "1"));
  assert.match(sick?.found ?? "", /not Ready: Kubelet stopped/);
  assert.match(sick?.hint ?? "", /^kubectl describe node n2/);

  await cluster({ pod: (pod, node) => (node === "n2" ? null : pod) });
  const [none] = errorsOf(await runInstaller(root, "smoke", "--json", "--timeout", "1"));
  assert.equal(none?.found, "no pod was made for it");

  const cordoned = (node: ApiObject): ApiObject =>
    node.metadata.name === "n2" ? { ...node, spec: { unschedulable: true } } : node;
  await cluster({ node: cordoned, pod: (pod, node) => (node === "n2" ? null : pod) });
  const fine = await runInstaller(root, "smoke");
  assert.equal(fine.code, 0, fine.stderr);
  assert.match(fine.stdout, /warning +pod +n2 is cordoned.*\n.*next: kubectl uncordon n2/);

  const elsewhere = (pod: ApiObject, node: string): ApiObject =>
    node === "n1" ? pod : { ...pod, status: { podIP: "127.48.0.1", conditions: [condition("Ready", true)] } };
  await cluster({ pod: elsewhere, port: 80 });
  const strange = errorsOf(await runInstaller(root, "smoke", "--json", "--timeout", "1"));
  const told = strange.map(({ message, found }) => `${message}: ${found}`);
  assert.ok(told.includes("n2: its pod has no address of the pods' network: 127.48.0.1"), told.join("\n"));
  assert.ok(told.includes("the service's port is none of the range: 80"), told.join("\n"));
});

test("a master that is no node asks the nodes' ports only, and says so", async () => {
  const isElsewhere = (node: ApiObject): ApiObject => {
    const address = node.metadata.name === "n1" ? "127.47.0.1" : "127.47.0.2";
    return {
      ...node,
      status: { addresses: [{ type: "InternalIP", address }], conditions: [condition("Ready", true)] },
    };
  };
  await cluster({ node: isElsewhere });
  await serve("127.47.0.1", nodePort);
  await serve("127.47.0.2", nodePort);
  const { code, stdout, stderr } = await runInstaller(root, "smoke");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /service address +not tried, nor the pods' own addresses/);
  assert.doesNotMatch(stdout, /pod address/);
});

test("Ctrl-C while the pods are awaited: exit 130, and nothing is left", async () => {
  const api = await cluster({ pod: () => null });
  const { child, ended } = startInstaller(root, "smoke");
  for (let turn = 0; turn < 200 && left(api).length < 3; turn += 1) await sleep(50);
  assert.equal(left(api).length, 3);
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  assert.equal(code, 130);
  assert.match(stdout, /Removing what was made/);
  assert.deepEqual(left(api), []);
});

test("an API that goes away: exit 9, and how to remove what it still holds; one that is not there: exit 9, one that refuses: exit 9", async () => {
  const api = await cluster({
    pod: () => null,
    afterChange: (running) => {
      if (running.get("services", "kubeferry-smoke", "default") !== undefined) setImmediate(() => void running.close());
    },
  });
  const gone = await runInstaller(root, "smoke");
  assert.equal(gone.code, 9, gone.stdout + gone.stderr);
  assert.match(
    gone.stderr,
    /still in the cluster; to remove it: kubectl delete -f \/etc\/kubernetes\/kubeferry\/smoke/,
  );
  assert.equal(left(api).length, 3);
  const down = await runInstaller(root, "smoke");
  assert.equal(down.code, 9);
  assert.match(down.stderr, /the cluster does not answer: .*refused/);

  const without = await cluster();
  without.objects.delete("namespaces. /default");
  const refused = await runInstaller(root, "smoke");
  assert.equal(refused.code, 9, refused.stderr);
  assert.match(refused.stderr, /the cluster refused the test: .*namespaces "default" not found/);
  assert.deepEqual(left(without), []);
});

test("no node, no image that could answer, no master, no number of seconds", async () => {
  const api = await cluster();
  for (const { name } of nodes) api.objects.delete(`nodes. /${name}`);
  const none = await runInstaller(root, "smoke");
  assert.equal(none.code, 9);
  assert.match(none.stderr, /no node takes pods/);
  assert.deepEqual(api.changes, []);

  const bare = mkdtempSync(join(folder, "bare-"));
  placeNode(renderFixture(await fixtureCluster(noAddons)), "n1", bare);
  equipMaster(bare, kubectl, api.port);
  const imageless = await runInstaller(bare, "smoke");
  assert.equal(imageless.code, 2);
  assert.match(
    imageless.stderr,
    /no image that could answer[\s\S]*expected: addons: \[coredns\][\s\S]*next: kubeferry build/,
  );

  const worker = mkdtempSync(join(folder, "worker-"));
  placeNode(renderFixture(await fixtureCluster(noAddons)), "n2", worker);
  mkdirSync(join(worker, "usr/local/bin"), { recursive: true });

  const { code, stderr } = await runInstaller(worker, "smoke");
  assert.equal(code, 2, stderr);
  assert.match(stderr, /no master of a cluster/);
  assert.equal((await runInstaller(root, "smoke", "--timeout", "soon")).code, 2);
});

const noAddons = `name: bare
release: kubernetes-1.36
nodes:
  - { name: n1, ip: 10.64.3.1, roles: [etcd, control-plane] }
  - { name: n2, ip: 10.64.3.2, roles: [worker] }
addons: []
`;
