/** `profile: cis` judged by the real daemons of {@link kubernetesDaemons}: they start, and admit what they should and nothing else. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { kubeletFields } from "../machines/pods-in-containers.ts";
import { address, startControlPlane } from "../programs/control-plane.ts";
import { kubernetesDaemons } from "../programs/kubernetes-daemons.ts";

const daemons = await kubernetesDaemons();
const plane = await startControlPlane(
  daemons,
  `
name: hardened
profile: cis
nodes:
  - { name: n1, ip: ${address}, roles: [etcd, control-plane, worker] }
network: { plugin: flannel, proxyMode: iptables }
addons: [coredns]
kubelet: { ${kubeletFields(daemons)} }
`,
);
const { root, folder, rendered, start, kubectl, run, eventually, logOf } = plane;
const { kubernetes } = plane.cluster.manifest;

after(() => plane.close());

test("the control plane is healthy, as its health checks ask", async (t) => {
  t.diagnostic(`Kubernetes ${kubernetes ?? ""}`);
  for (const check of rendered.checks.filter(({ name }) => /^kube-(apiserver|controller|scheduler)/.test(name))) {
    await eventually(() => run(check.argv), new RegExp(check.matches ?? ""));
  }
});

test("nobody profiles the scheduler, not even its administrator", () => {
  const answer = kubectl("--server=https://127.0.0.1:10259", "get", "--raw", "/debug/pprof/cmdline");
  assert.match(answer, /NotFound|could not find|404/);
});

test("the API server takes the objects of the network, of DNS and of the smoke test without a word", () => {
  for (const object of rendered.objects.filter(({ via }) => via === "kubectl")) {
    const output = kubectl("apply", "-f", join(root, object.path ?? ""));
    assert.match(output, /created|unchanged|configured/, object.name);
    assert.doesNotMatch(output, /error|Error|[Ww]arning|invalid|strict decoding/, `${object.name}: ${output}`);
  }
  const smoke = kubectl("apply", "-f", `${root}/etc/kubernetes/kubeferry/smoke.yaml`);
  assert.doesNotMatch(smoke, /rror|arning/);
});

/** What the API server says of a pod, asked for by the service account that makes pods of DaemonSets. */
async function admitted(name: string, namespace: string, spec: object): Promise<string> {
  await eventually(
    () => kubectl("get", "serviceaccount", "default", "-n", namespace, "-o=name"),
    /^serviceaccount\/default/,
  );
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace }, spec }));
  const as = "--as=system:serviceaccount:kube-system:daemon-set-controller";
  const groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];
  const words = ["create", "--dry-run=server", "-f", path, as, ...groups.map((group) => `--as-group=${group}`)];
  return kubectl(...words);
}

const container = { name: "any", image: "registry.example/any:1" };
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

test("a privileged pod, one in the host's network and one of root are admitted in kube-system only", async () => {
  const specs = {
    privileged: { containers: [{ ...container, securityContext: { privileged: true } }] },
    network: { hostNetwork: true, containers: [{ ...container, securityContext: restricted }] },
    root: { containers: [{ ...container, securityContext: { ...restricted, runAsNonRoot: false, runAsUser: 0 } }] },
  };
  for (const [name, spec] of Object.entries(specs)) {
    assert.match(await admitted(name, "kube-system", spec), /created/, name);
    assert.match(await admitted(name, "default", spec), /[Ff]orbidden.*(PodSecurity|unable to validate)/, name);
  }
});

test("a restricted pod is admitted, and the pods of the smoke test are", async () => {
  const spec = { containers: [{ ...container, securityContext: restricted }] };
  assert.match(await admitted("restricted", "default", spec), /created/);
  const { template } = (
    JSON.parse(kubectl("get", "daemonset", "kubeferry-smoke", "-n", "default", "-o", "json")) as {
      spec: { template: { spec: object } };
    }
  ).spec;
  assert.match(await admitted("smoke", "default", template.spec), /created/);
});

test("the kubelet reads its configuration, and judges kernel values by it", async () => {
  start("kubelet");
  // What follows is that no runtime answers, or that this machine's kernel is not set as a node's is.
  await eventually(() => logOf("kubelet"), /container ?runtime|CRI|containerd\.sock|kernel flag/i);
  assert.doesNotMatch(logOf("kubelet"), /unknown f|strict decoding|failed to (load|validate) kubelet|invalid config/i);
});
