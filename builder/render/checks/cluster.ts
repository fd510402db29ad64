/** The cluster as a master sees it when all nodes are there: until then these only warn. */
import { flannelNamespace, type NodeContext } from "../context.ts";
import { ask, script, daemons, journal, type Row, warning } from "./row.ts";

const readiness =
  '{{range .items}}{{$name := .metadata.name}}{{range .status.conditions}}{{if eq .type "Ready"}}' +
  '{{if eq .status "True"}}+{{else}}-{{end}}{{$name}} {{end}}{{end}}{{end}}';

const addon = (name: string) => (c: NodeContext) => daemons(c) && c.topology.addons.includes(name);
const plugin = (name: string) => (c: NodeContext) => daemons(c) && c.topology.network.plugin === name;

interface Workload {
  readonly name: string;
  readonly kind: "deployment" | "daemonset";
  readonly namespace?: (context: NodeContext) => string;
  readonly when: (context: NodeContext) => boolean;
}

/** What objects.ts brings about and runs as pods. */
const workloads: readonly Workload[] = [
  {
    name: "kube-flannel-ds",
    kind: "daemonset",
    namespace: flannelNamespace,
    when: plugin("flannel"),
  },
  { name: "calico-node", kind: "daemonset", when: plugin("calico") },
  { name: "calico-kube-controllers", kind: "deployment", when: plugin("calico") },
  { name: "coredns", kind: "deployment", when: addon("coredns") },
  { name: "kube-dns", kind: "deployment", when: addon("kube-dns") },
  { name: "metrics-server", kind: "deployment", when: addon("metrics-server") },
  { name: "kubernetes-dashboard", kind: "deployment", when: addon("dashboard") },
  { name: "heapster", kind: "deployment", when: addon("heapster") },
];

const counts = {
  deployment: "{{.status.availableReplicas}} of {{.spec.replicas}}",
  daemonset: "{{.status.numberAvailable}} of {{.status.desiredNumberScheduled}}",
} as const;

export const clusterRows: readonly Row[] = [
  {
    name: "every node is Ready",
    roles: ["master"],
    when: daemons,
    argv: (c) => {
      const question = ask(c, "get", "nodes", `-o=go-template=${readiness}`);
      const wanted = c.topology.workers.filter(({ subnet }) => subnet === null).map(({ hostname }) => hostname);
      return script("all-ready", String(question.length), ...question, ...wanted);
    },
    timeoutSeconds: 30,
    severity: warning,
    hint: `kubectl get nodes; on that node: ./install status; ${journal("kubelet")}`,
  },
  ...workloads.map(({ name, kind, namespace = () => "kube-system", when }): Row => ({
    name: `${name} is available`,
    roles: ["master"],
    when,
    argv: (c) => ask(c, `--namespace=${namespace(c)}`, "get", kind, name, `-o=go-template=${counts[kind]}`),
    matches: "^([1-9]\\d*) of \\1$",
    timeoutSeconds: 30,
    severity: warning,
    hint: (c) => `kubectl -n ${namespace(c)} describe ${kind} ${name}`,
  })),
  {
    name: "the metrics API answers",
    roles: ["master"],
    when: addon("metrics-server"),
    argv: (c) => ask(c, "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"),
    matches: "NodeMetricsList",
    timeoutSeconds: 30,
    severity: warning,
    hint: "kubectl describe apiservice v1beta1.metrics.k8s.io; ./install approve",
  },
];
