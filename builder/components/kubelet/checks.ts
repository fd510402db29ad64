/** Health of the kubelet, its certificates and its node. */
import { apiServerOfHosts } from "../../config/topology.ts";
import {
  answers200,
  anyApi,
  ask,
  httpGet,
  journal,
  listening,
  ofCluster,
  onApi,
  script,
  throughFlannel,
  warning,
  withinQuorum,
} from "../check.ts";
import type { CheckRow } from "../component.ts";
import { has, isAtLeast, type NodeContext, runsDocker, runsFlanneld, usesLocalProxy } from "../context.ts";

/** Where the kubelet puts what it was issued: 1.6 does not rotate. */
const clientCertificate = (c: NodeContext): string =>
  `${c.paths.kubeletPki}/kubelet-client${isAtLeast(c, "1.11") ? "-current.pem" : ".crt"}`;
const ready = '{{range .status.conditions}}{{if eq .type "Ready"}}{{.status}}: {{.message}}{{end}}{{end}}';
const readiness =
  '{{range .items}}{{$name := .metadata.name}}{{range .status.conditions}}{{if eq .type "Ready"}}' +
  '{{if eq .status "True"}}+{{else}}-{{end}}{{$name}} {{end}}{{end}}{{end}}';

export const kubeletChecks: readonly CheckRow[] = [
  {
    name: "the API is reached",
    at: 46,
    when: (c) => !has(c, "master") && !usesLocalProxy(c),
    argv: (c) => {
      const { host = "", port = 0 } = apiServerOfHosts(c.topology) ?? {};
      return listening(host, port);
    },
    timeoutSeconds: 20,
    awaits: anyApi,
    hint: "on a master: ./install status; and is its port open from here?",
  },
  {
    name: "kubelet is healthy",
    unit: "kubelet.service",
    argv: () => httpGet(10248, "/healthz"),
    matches: answers200,
    timeoutSeconds: 120,
    severity: withinQuorum,
    awaits: throughFlannel,
    hint: `${journal("kubelet")}; on a master: kubectl get csr`,
  },
  {
    name: "the kubelet has its client certificate",
    argv: (c) => script(["kubelet/file-exists.sh"], clientCertificate(c)),
    timeoutSeconds: 20,
    ...onApi,
    hint: `on a master: kubectl get csr; ./install approve; here: ${journal("kubelet")}`,
  },
  {
    name: "the kubelet has its serving certificate",
    // 1.6 signs its own.
    since: "1.11",
    argv: (c) => script(["kubelet/file-exists.sh"], `${c.paths.kubeletPki}/kubelet-server-current.pem`),
    timeoutSeconds: 20,
    // kubeferry-approve on the masters approves it as soon as it is asked for; until then only logs and exec do not work.
    severity: warning,
    hint: "on a master: ./install approve",
  },
  {
    name: "the pods' network is configured",
    when: (c) => !(runsDocker(c) && runsFlanneld(c)),
    argv: (c) => script(["kubelet/cni.sh"], c.paths.cniConfig),
    timeoutSeconds: 20,
    severity: warning,
    hint: "on a master: kubectl get pods --all-namespaces -o wide; the network's own pod on this node writes it",
  },
  {
    name: "the node is Ready",
    // Workers have no kubectl.
    when: (c) => has(c, "master"),
    argv: (c) => ask(c, "get", "node", c.node.hostname, `-o=go-template=${ready}`),
    matches: "^True",
    severity: withinQuorum,
    hint: (c) => `kubectl describe node ${c.node.hostname}; ${journal("kubelet")}`,
  },
  {
    ...ofCluster,
    name: "every node is Ready",
    argv: (c) => {
      const question = ask(c, "get", "nodes", `-o=go-template=${readiness}`);
      const wanted = c.topology.workers.filter(({ subnet }) => subnet === null).map(({ hostname }) => hostname);
      return script(["kubelet/all-ready.sh"], String(question.length), ...question, ...wanted);
    },
    hint: `kubectl get nodes; on that node: ./install status; ${journal("kubelet")}`,
  },
];
