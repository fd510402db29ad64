/** What the smoke test wants to know of a cluster's answers. Pure. */
import { error, type Finding, ok, warning } from "#cli/finding";
import { contains, eachOf, familyOf } from "#formats/address";

export const smokeName = "kubeferry-smoke";

export interface NodeItem {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

export interface PodItem {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly image: string;
      readonly readinessProbe?: { readonly httpGet?: { readonly path?: string; readonly port?: number } };
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    /** Since 1.16: that one, and in dual stack one of the other family. */
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

export interface ServiceItem {
  readonly spec: {
    readonly clusterIP?: string;
    /** Since 1.20. */
    readonly clusterIPs?: readonly string[];
    readonly ports: readonly { readonly port: number; readonly nodePort?: number }[];
  };
}

/** A node that takes pods, and the pod of the test on it. */
export interface SmokeTarget {
  readonly node: string;
  readonly addresses: readonly string[];
  readonly pod: PodItem | null;
  /** Null: the pod is ready; else what keeps it. */
  readonly lacks: { readonly found: string; readonly hint: string } | null;
}

/** One question: an address that has to answer each of `tries`. */
export interface Question {
  readonly check: string;
  readonly what: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly tries: number;
  readonly hint: string;
}

const keep = "./install smoke --keep";

/** Every node that takes pods, in the cluster's order. */
export function targetsOf(nodes: readonly NodeItem[], pods: readonly PodItem[]): SmokeTarget[] {
  return nodes.filter(takesPods).map((node) => {
    const { name } = node.metadata;
    const pod = pods.find(({ spec, metadata }) => spec.nodeName === name && metadata.deletionTimestamp === undefined);
    const internal = node.status?.addresses?.filter(({ type }) => type === "InternalIP") ?? [];
    return {
      node: name,
      addresses: internal.map(({ address }) => address),
      pod: pod ?? null,
      lacks: lackOf(node, pod),
    };
  });
}

export function takesPods({ spec }: NodeItem): boolean {
  return spec?.unschedulable !== true;
}

function lackOf({ metadata: { name }, status }: NodeItem, pod: PodItem | undefined): SmokeTarget["lacks"] {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status !== "True") {
    const found = `the node is not Ready: ${ready?.message ?? "it says nothing"}`;
    return { found, hint: `kubectl describe node ${name}; on ${name}: journalctl -u kubelet -n 50 --no-pager` };
  }
  if (pod === undefined) {
    const hint = `${keep}; kubectl describe daemonset ${smokeName}`;
    return { found: "no pod was made for it", hint };
  }
  if (pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) return null;
  const waiting = pod.status?.containerStatuses?.map(({ state }) => state?.waiting).find((one) => one !== undefined);
  const why = [waiting?.reason, waiting?.message].filter((word) => word !== undefined).join(": ");
  const hint = /Image/.test(waiting?.reason ?? "")
    ? `on ${name}: ctr -n k8s.io images ls, or docker images; expected there: ${pod.spec.containers[0]?.image ?? ""}`
    : `${keep}; kubectl describe pod -l app=${smokeName}`;
  return { found: why === "" ? `its pod ${pod.metadata.name} is not ready` : why, hint };
}

/** One finding for each node: is its pod ready, and has it an address of each of the pods' networks (joined by a comma)? */
export function podFindings(places: readonly SmokeTarget[], network: string): Finding[] {
  return places.map(({ node, pod, lacks }): Finding => {
    const check = "pod";
    if (lacks !== null) {
      const { found, hint } = lacks;
      return error(check, `${node}: its pod is not ready`, { expected: "ready", found, hint });
    }
    const found = addressesOf(pod).join(" and ") || "none";
    const lacking = eachOf(network).filter((range) => !addressesOf(pod).some((ip) => contains(range, ip)));
    if (lacking.length === 0) return ok(check, `${node}: ready, at ${found}`);
    const message = `${node}: its pod has no address of the pods' network`;
    return error(check, message, { expected: lacking.join(","), found, hint: `on ${node}: ls /etc/cni/net.d` });
  });
}

function addressesOf(pod: PodItem | null): readonly string[] {
  const { podIP, podIPs = podIP === undefined ? [] : [{ ip: podIP }] } = pod?.status ?? {};
  return podIPs.map(({ ip }) => ip);
}

export function cordonedFinding({ metadata: { name } }: NodeItem): Finding {
  const message = `${name} is cordoned: it is not tried`;
  return warning("pod", message, { hint: `kubectl uncordon ${name}` });
}

export const notNodeFinding: Finding = ok(
  "service address",
  "not tried, nor the pods' own addresses: this master is no node and has no kube-proxy",
);

/** `said`: why there is no log; null where there is one. */
export function logFinding(node: string, said: string | null): Finding {
  const check = "kubelet";
  if (said === null) return ok(check, `${node}: the API server gets its pod's log`);
  const message = `${node}: the API server does not get its pod's log`;
  return error(check, message, { found: said, hint: "./install approve; kubectl get csr" });
}

/** Pods that are told to go, and have not gone. */
export function lingeringFinding(names: readonly string[]): Finding {
  const message = "pods of the test are still ending";
  const hint = `kubectl get pods -l app=${smokeName} -o wide`;
  return warning("removal", message, { found: names.join(", "), hint });
}

/** Whether the service's port on the nodes is one of those that were set aside for it. */
export function portFinding(service: ServiceItem, range: { readonly first: number; readonly last: number }): Finding {
  const port = service.spec.ports[0]?.nodePort ?? 0;
  const expected = `${range.first}-${range.last}`;
  const check = "node port";
  if (port >= range.first && port <= range.last) return ok(check, `${port} is in ${expected}`);
  const hint = "systemctl cat kube-apiserver | grep node-port";
  const message = "the service's port is none of the range";
  return error(check, message, { expected, found: String(port), hint });
}

/**
 * All that is asked. Pods and the service's address only where this host is a node itself: without kube-proxy and the
 * pods' network they cannot answer it. Each port is asked so often that every pod has its turn, and with it the way from
 * every node to every other.
 */
export function questionsOf(places: readonly SmokeTarget[], service: ServiceItem, isNode: boolean): Question[] {
  const ready = places.filter(({ lacks }) => lacks === null);
  const probe = ready[0]?.pod?.spec.containers[0]?.readinessProbe?.httpGet;
  const [ports] = service.spec.ports;
  if (probe === undefined || ports === undefined) return [];
  const path = probe.path ?? "/";
  const tries = Math.min(20, 2 * ready.length);
  const proxy = "journalctl -u kube-proxy -n 50 --no-pager";
  const { clusterIP = "", clusterIPs = [clusterIP] } = service.spec;
  const inside = ready.flatMap(({ node, pod }) =>
    addressesOf(pod).map((address): Question => {
      const hint = `ip route get ${address}; on ${node}: ip route; ./install status`;
      return {
        check: "pod address",
        what: `the pod on ${node}`,
        address,
        port: probe.port ?? 80,
        path,
        tries: 1,
        hint,
      };
    }),
  );
  const services = clusterIPs.map((address): Question => ({
    check: "service address",
    what: "the service",
    address,
    port: ports.port,
    path,
    tries,
    hint: `${proxy}; ./install status`,
  }));
  // kube-proxy forwards from an address of a node in those families that the service has.
  const families = new Set(clusterIPs.map(familyOf));
  const outside = places.flatMap(({ node, addresses }) =>
    addresses
      .filter((address) => families.has(familyOf(address)))
      .map((address): Question => ({
        check: "node port",
        what: `the service's port on ${node}`,
        address,
        port: ports.nodePort ?? 0,
        path,
        tries,
        hint: `on ${node}: ${proxy}; ./install status`,
      })),
  );
  return [...(isNode ? [...inside, ...services] : []), ...outside];
}

/** `failures`: what was said instead of an answer, one for each try that failed; after some it was not asked again. */
export function answerFinding(question: Question, failures: readonly string[]): Finding {
  const { check, what, address, port, path, tries, hint } = question;
  const host = familyOf(address) === "ipv6" ? `[${address}]` : address;
  const where = `${what} (http://${host}:${port}${path})`;
  if (failures.length === 0) return ok(check, `${where} answers${tries === 1 ? "" : `, ${tries} times`}`);
  const found = [...new Set(failures)].join("; ");
  const rate = failures.length === 1 ? "" : `${failures.length} times `;
  const message = `${where} does not answer`;
  return error(check, message, { expected: "HTTP 200", found: `${rate}${found}`, hint });
}
