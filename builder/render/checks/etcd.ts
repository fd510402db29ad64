/** Health of etcd, and of what flannel keeps in it. */
import { etcdApiOfFlannel, type NodeContext, runsFlanneld } from "../context.ts";
import { flannelPrefix } from "../daemons/flanneld.ts";
import { script, bin, journal, literally, type Row, warning, withinQuorum } from "./row.ts";

const version3 = { ETCDCTL_API: "3" };
const own = ["https://127.0.0.1:2379"];

/** etcdctl with the member's own certificate; each of its APIs has other flags for the same. */
function client(c: NodeContext, endpoints: readonly string[], api = "3"): string[] {
  const [ca, cert, key] = api === "2" ? ["ca-file", "cert-file", "key-file"] : ["cacert", "cert", "key"];
  return [
    bin(c, "etcdctl"),
    `--endpoints=${endpoints.join(",")}`,
    `--${ca}=${c.paths.etcdPki}/ca.pem`,
    `--${cert}=${c.paths.etcdPki}/etcd.pem`,
    `--${key}=${c.paths.etcdPki}/etcd-key.pem`,
  ];
}

/** Workers with an address of their own: those that come and go are known to nobody before. */
const knownWorkers = (c: NodeContext): string[] =>
  c.topology.workers.filter(({ subnet }) => subnet === null).map(({ ip }) => ip);

export const etcdRows: readonly Row[] = [
  {
    name: "etcd is healthy",
    unit: "etcd.service",
    roles: ["etcd"],
    argv: (c) => [...client(c, own), "endpoint", "health"],
    environment: () => version3,
    matches: "is healthy: successfully committed proposal",
    timeoutSeconds: 60,
    severity: withinQuorum,
    hint: journal("etcd"),
  },
  {
    name: "etcd has one leader over all members",
    roles: ["etcd"],
    argv: (c) => script("one-leader", ...client(c, c.topology.etcd.clientUrls)),
    environment: () => version3,
    timeoutSeconds: 30,
    severity: withinQuorum,
    hint: `on the member that does not answer: ${journal("etcd")}`,
  },
  {
    name: "flannel's network is in etcd",
    roles: ["etcd"],
    when: runsFlanneld,
    argv: (c) => [
      ...client(c, own, etcdApiOfFlannel(c)),
      "get",
      ...(etcdApiOfFlannel(c) === "3" ? ["--print-value-only"] : []),
      `${flannelPrefix}/config`,
    ],
    environment: (c) => ({ ETCDCTL_API: etcdApiOfFlannel(c) }),
    matches: (c) => `"Network": ?"${literally(c.topology.network.pods)}"`,
    timeoutSeconds: 30,
    severity: withinQuorum,
    hint: "on the first member: ./install --role etcd --ip IP; it puts the key",
  },
  {
    name: "every worker has a subnet of flannel's in etcd",
    roles: ["etcd"],
    when: (c) => runsFlanneld(c) && knownWorkers(c).length > 0,
    argv: (c) => {
      const etcdctl = client(c, own, etcdApiOfFlannel(c));
      const words = [etcdApiOfFlannel(c), `${flannelPrefix}/subnets`, String(etcdctl.length)];
      return script("every-subnet", ...words, ...etcdctl, ...knownWorkers(c));
    },
    environment: (c) => ({ ETCDCTL_API: etcdApiOfFlannel(c) }),
    timeoutSeconds: 60,
    severity: warning,
    hint: `on that worker: ${journal("flanneld")}; wanted there: Lease acquired`,
  },
];
