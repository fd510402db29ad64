/**
 * A real node of `profile: cis` with everything that an operator can set of the daemons and bring along: it is Ready, runs the
 * pods that the profile admits, and has each setting in force, not only in a file; and undo leaves nothing of it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isSince } from "#formats/version";
import { cached } from "../../scripts/vm/cache.ts";
import { imageTags } from "../../scripts/kubernetes/images.ts";
import { command } from "../../scripts/vm/command.ts";
import { makeOwnCa } from "../builders/own-ca.ts";
import { type BuiltBundle, buildBundle, installer, keyFile } from "../machines/bundle.ts";
import { allReady, answers, healthy, kubectl, tryKubectl } from "../machines/cluster-questions.ts";
import { install, must, undo } from "../machines/commands.ts";
import { type Container, type Containers, startContainers } from "../machines/container.ts";
import { containerdFields, kubeletFields } from "../machines/pods-in-containers.ts";
import { eventually } from "../machines/poll.ts";
import { clusterYaml } from "../machines/real-cluster.ts";
import { realKubernetes } from "../machines/real-kubernetes.ts";
import { captureState, type State } from "../machines/state.ts";
import { assertUndone, leftByContainer, tellVersions } from "../machines/undone.ts";
import { startRegistry } from "../servers/registry.ts";

const ip = "10.0.0.11";
const roles = "etcd,master,worker";
const registryPort = 5443;
const user = { name: "puller", password: "air:gap 1" };
const real = await realKubernetes();

/** As Pod Security's level restricted asks. */
const securityContext = `
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
            runAsNonRoot: true
            runAsUser: 65532
            seccompProfile: { type: RuntimeDefault }`;
const manifests = `apiVersion: v1
kind: ConfigMap
metadata: { name: own, namespace: default }
data: { node: "from the operator's own ConfigMap" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: own, namespace: default }
spec:
  selector: { matchLabels: { app: own } }
  template:
    metadata: { labels: { app: own } }
    spec:
      containers:
        - name: own
          image: localhost/smoke:${imageTags.smoke}
          command: [/busybox, httpd, -f, -p, "8080", -h, /site]
          readinessProbe: { httpGet: { path: /node, port: 8080 } }
          securityContext:${securityContext}
          volumeMounts: [{ name: site, mountPath: /site, readOnly: true }]
      volumes: [{ name: site, configMap: { name: own } }]
---
apiVersion: v1
kind: Service
metadata: { name: own, namespace: default }
spec:
  selector: { app: own }
  ports: [{ port: 80, targetPort: 8080 }]
`;
const pulled = `apiVersion: v1
kind: Pod
metadata: { name: pulled, namespace: default }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: pulled
      image: registry.plant/team/web:1
      imagePullPolicy: Always
      securityContext:${securityContext.replaceAll("\n    ", "\n")}
`;

const refused = `apiVersion: apps/v1
kind: Deployment
metadata: { name: refused, namespace: default }
spec:
  selector: { matchLabels: { app: refused } }
  template:
    metadata: { labels: { app: refused } }
    spec: { hostNetwork: true, containers: [{ name: refused, image: "localhost/smoke:${imageTags.smoke}" }] }
`;

let days = 0;
/** A test that begins where the one before ended. */
function day(number: number): void {
  assert.equal(days, number - 1, "the day before went wrong");
}

/** What lies beside cluster.yaml: the same in every run. */
const own = await cached("hardened-files", { manifests, user }, async (folder) => {
  makeOwnCa(folder, 3650);
  writeFileSync(join(folder, "login"), `${user.name}:${user.password}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "plain"), "of the plant\n");
  writeFileSync(join(folder, "secret"), "of nobody else\n", { mode: 0o600 });
  writeFileSync(join(folder, "own.yaml"), manifests);
});

const more = `profile: cis
flags:
  kube-apiserver: { event-ttl: 2h0m0s, max-requests-inflight: "300" }
  kube-controller-manager: { concurrent-endpoint-syncs: "6" }
  kube-scheduler: { v: "3" }
  kubelet: { v: "3" }
  etcd: { max-snapshots: "7" }
kubelet: { maxPods: 60, podPidsLimit: 2048, containerLogMaxFiles: 4, ${kubeletFields(real)} }
kube-proxy: { clientConnection: { qps: 7 } }
kube-scheduler: { percentageOfNodesToScore: 60 }
containerd: { debug: { level: warn }, ${containerdFields(real)} }
registries:
  registry.plant: { mirrors: ["https://127.0.0.1:${registryPort}"] }
  "127.0.0.1:${registryPort}": { ca: ${own}/ca.pem, credentials: ${own}/login }
files:
  - { path: /etc/plant/plain, source: ${own}/plain, roles: [worker] }
  - { path: /etc/plant/secret, source: ${own}/secret, mode: "0400", owner: "65532:65532", secret: true }
manifests: [${own}/own.yaml]
`;

let containers: Containers;
let node: Container;
let state: State;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-hardened-"));

before(async () => {
  const lines = [{ name: "n1", ip, roles: "etcd, control-plane, worker" }];
  const bundle: BuiltBundle = await buildBundle(
    clusterYaml(real, { name: "hardened", nodes: lines, more }),
    null,
    real.options,
  );
  const sticks = { "/mnt": join(bundle.folder, "bundle") };
  containers = await startContainers({ addresses: { n1: `${ip}/24` }, sticks, pods: true });
  const [first] = containers.all;
  assert.ok(first !== undefined);
  node = first;
  await node.run(`umask 077; cat > ${keyFile}`, { input: readFileSync(bundle.keys, "utf8") });
  state = await captureState(node);
});

after(async () => {
  await containers?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function apply(objects: string): Promise<void> {
  const client = "/usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/admin.kubeconfig";
  await node.run(`${client} apply -f -`, { input: objects, environment: { HOME: "/proc" } });
}

test("it is installed, Ready and healthy, its pods reach each other, and its audit is clean", async (t) => {
  day(1);
  await must(node, install(roles, ip));
  await tellVersions(node, t);
  await allReady(node, ["n1"]);
  await healthy(node, installer);
  await must(node, [installer, "smoke"]);
  await must(node, [installer, "audit"]);
  days = 1;
});

test("every flag and field is in force", async () => {
  day(2);
  for (const [daemon, flag] of [
    ["kube-apiserver", "--event-ttl=2h0m0s"],
    ["kube-apiserver", "--max-requests-inflight=300"],
    ["kube-controller-manager", "--concurrent-endpoint-syncs=6"],
    ["kube-scheduler", "--v=3"],
    ["kubelet", "--v=3"],
    ["etcd", "--max-snapshots=7"],
  ] as const) {
    const words = await node.run(`tr '\\0' '\\n' < /proc/$(pidof ${daemon})/cmdline`);
    assert.ok(words.split("\n").includes(flag), `${daemon} ${flag}: ${words}`);
  }
  const said = JSON.parse(await kubectl(node, "get --raw /api/v1/nodes/n1/proxy/configz")) as {
    kubeletconfig: Record<string, unknown>;
  };
  for (const [field, value] of Object.entries({
    maxPods: 60,
    podPidsLimit: 2048,
    containerLogMaxFiles: 4,
    protectKernelDefaults: true,
    eventRecordQPS: 0,
    ...(isSince(real.version, "1.25") ? { seccompDefault: true } : {}),
  }))
    assert.deepEqual(said.kubeletconfig[field], value, field);
  assert.equal((await kubectl(node, "get node n1 -o jsonpath={.status.capacity.pods}")).trim(), "60");
  assert.match(await node.run("curl -s http://127.0.0.1:10249/configz"), /"QPS":7,/i);
  const dump = await node.run("/usr/local/bin/containerd config dump");
  for (const line of [/level = ["']warn["']/, /restrict_oom_score_adj = true/]) assert.match(dump, line);
  days = 2;
});

test("the operator's files lie there with their modes and owners", async () => {
  day(3);
  const said = await node.run("cd /etc/plant; stat -c '%n %a %u:%g' plain secret; cat plain secret");
  assert.equal(said, "plain 644 0:0\nsecret 400 65532:65532\nof the plant\nof nobody else\n");
  days = 3;
});

test("the operator's Deployment runs as the profile asks, and answers", async () => {
  day(4);
  const ready = "get deployment own -o jsonpath={.status.readyReplicas}";
  await eventually(
    "the Deployment is ready",
    () => tryKubectl(node, ready),
    (text) => text.trim() === "1",
  );
  const service = (await kubectl(node, "get service own -o jsonpath={.spec.clusterIP}")).trim();
  await answers(node, service, ["from the operator's own ConfigMap"]);
  const status = await kubectl(node, "exec deployment/own -- /busybox cat /proc/self/status");
  for (const line of [/^Uid:\s+65532\s/m, /^CapEff:\s+0+$/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m])
    assert.match(status, line);
  const limits = await node.run("find /sys/fs/cgroup -path '*kubepods*' -name pids.max -exec cat {} + | sort -u");
  assert.ok(limits.split("\n").includes("2048"), limits);
  await apply(refused);
  await eventually(
    "a pod in the host's network is refused",
    () => tryKubectl(node, "get events --field-selector reason=FailedCreate -o jsonpath={..message}"),
    (text) => /forbidden: (violates PodSecurity|PodSecurityPolicy: unable to (admit|validate))/.test(text),
  );
  await kubectl(node, "delete deployment refused");
  days = 4;
});

test("a pod's image comes from the registry inside the gap, with its CA and credentials", async (t) => {
  day(5);
  const on = (argv: readonly string[]): string[] => containers.on("n1", argv);
  const tls = { certificate: join(own, "tls.pem"), key: join(own, "tls.key") };
  const registry = await startRegistry(folder, { port: registryPort, on, tls, user });
  t.after(() => registry.stop());
  const login = [`--dest-creds=${user.name}:${user.password}`, "--dest-tls-verify=false"];
  const target = `docker://127.0.0.1:${registryPort}/team/web:1`;
  const [program = "", ...words] = on(["skopeo", "copy", "--all", ...login, real.smoke, target]);
  await command([program, ...words]);
  await apply(pulled);
  await eventually(
    "the pulled image runs",
    () => tryKubectl(node, "get pod pulled --no-headers"),
    (text) => /\s1\/1\s+Running\s/.test(text),
  );
  await kubectl(node, "delete pod pulled");
  days = 5;
});

test("its audit is still clean, and it is undone without a trace", async () => {
  day(6);
  await healthy(node, installer);
  await must(node, [installer, "audit"]);
  await must(node, undo);
  await assertUndone(node, state, [leftByContainer]);
  days = 6;
});
