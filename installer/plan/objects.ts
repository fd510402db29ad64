/** What is brought about in the cluster, each as soon as what it is asked of runs and before what waits for it. */
import type { BundleIndex, ObjectEntry } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { adminKubeconfig } from "../certificates/kubeconfig.ts";
import { statePath } from "../journal/state.ts";
import { goal, idsOf } from "../resources/catalogue.ts";
import { identitiesIn, keyOf } from "../resources/manifest.ts";
import type { ObjectId } from "../resources/object-id.ts";
import type { Phase } from "../resources/resource.ts";
import type { NodeContents, ReadContents } from "./contents.ts";
import { chosen, type PlanInput } from "./input.ts";

interface Stage {
  readonly name: string;
  readonly via: readonly ObjectEntry["via"][];
  /** The phase comes after the last one that starts any of these. */
  readonly after: readonly string[];
}

/** flanneld waits for its key, a kubelet for its token, and whatever the administrator asks for his rights: so not all at the end. */
const stages: readonly Stage[] = [
  { name: "keys", via: ["etcd2", "etcd3"], after: ["etcd"] },
  { name: "rights", via: ["grant"], after: ["kube-apiserver"] },
  { name: "objects", via: ["kubectl"], after: ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] },
  { name: "labels", via: ["label"], after: ["kubelet"] },
];

/** kubectl keeps a cache in its home folder, which undo would not find again: there is no writing here. */
const nowhere = { HOME: "/proc" };

/** The phases with those for objects among them; a stage whose daemons another role starts comes last. */
export function withObjects(phases: readonly Phase[], input: PlanInput): Phase[] {
  const entries = chosen(input.index.objects, input.selection);
  const result = [...phases];
  for (const { name, via, after } of stages) {
    const own = entries.filter((entry) => via.includes(entry.via));
    const goals = own.map((entry) => goal("object", idOf(entry, input)));
    if (goals.length === 0) continue;
    const at = result.findLastIndex((phase) => after.some((unit) => starts(phase, `${unit}.service`)));
    result.splice(at < 0 ? result.length : at + 1, 0, { name, goals, gates: [] });
  }
  return result;
}

/**
 * Every object that the bundle brings about, on whatever node: by {@link keyOf}, or by its key in etcd, with the path of its
 * manifest. What another node brings about by now is still wanted, although this one no longer does.
 */
export async function objectKeys(
  { objects }: BundleIndex,
  { files, memory }: NodeContents,
  readPlain: ReadContents,
): Promise<Map<string, string>> {
  const paths = new Set(objects.flatMap(({ via, path }) => (via === "kubectl" || via === "grant" ? [path] : [])));
  const keys = objects.flatMap(({ key, path = "" }) => (key === undefined ? [] : [[key, path] as const]));
  const manifests = files.filter(({ entry }) => paths.has(entry.path));
  const plain = await readPlain(
    new Set(manifests.flatMap(({ entry, digest }) => (memory.has(digest) || entry.sensitive ? [] : [digest]))),
  );
  const named = manifests.flatMap(({ entry, digest }) => {
    const text = memory.get(digest) ?? plain.get(digest) ?? "";
    return (identitiesIn(Buffer.from(text).toString("utf8")) ?? []).map((one) => [keyOf(one), entry.path] as const);
  });
  return new Map([...keys, ...named]);
}

function starts({ goals }: Phase, unit: string): boolean {
  return idsOf("unit", goals).some(({ name }) => name === unit);
}

function idOf(entry: ObjectEntry, input: PlanInput): ObjectId {
  const { name, via, path, key, value } = entry;
  const shared = { name, scratch: `${statePath}/object` };
  if (via === "label") {
    if (key === undefined) throw incomplete(entry);
    return { ...shared, ...kubectl(input), via, node: name, key, value: value ?? "" };
  }
  if (via === "kubectl" || via === "grant") {
    const file = input.files.find((one) => one.entry.path === path);
    const key = input.files.find((one) => one.entry.path.endsWith("/ca-key.pem"))?.entry.path;
    if (path === undefined || file === undefined) throw incomplete(entry);
    const manifest = { ...shared, ...kubectl(input), path, digest: file.digest };
    if (via === "kubectl") return { ...manifest, via };
    if (key === undefined) throw incomplete(entry);
    return { ...manifest, via, authority: { certificate: key.replace("-key.pem", ".pem"), key } };
  }
  if (key === undefined || value === undefined) throw incomplete(entry);
  return { ...shared, ...etcdctl(via, input), via, key, value };
}

function kubectl({ files }: PlanInput): Pick<ObjectId, "client" | "environment"> {
  const program =
    files.find(({ entry }) => entry.path.endsWith("/bin/kubectl"))?.entry.path ?? "/usr/local/bin/kubectl";
  return { client: [program, `--kubeconfig=${adminKubeconfig}`], environment: nowhere };
}

/** As the member's health check asks it: the same endpoint, the same certificate; the old API has other names for them. */
function etcdctl(via: "etcd2" | "etcd3", input: PlanInput): Pick<ObjectId, "client" | "environment"> {
  const check = chosen(input.index.checks, input.selection).find(({ argv }) => argv.includes("endpoint"));
  const words = check?.argv.slice(0, check.argv.indexOf("endpoint")) ?? ["etcdctl"];
  if (via === "etcd3") {
    const times = ["--dial-timeout=5s", "--command-timeout=10s"];
    return { client: [...words, ...times], environment: { ETCDCTL_API: "3" } };
  }
  const old = words.map((word) => word.replace(/^--(cacert|cert|key)=/, (_, flag: string) => oldFlags[flag] ?? ""));
  return { client: [...old, "--timeout=5s", "--total-timeout=10s"], environment: { ETCDCTL_API: "2" } };
}

const oldFlags: Readonly<Record<string, string>> = { cacert: "--ca-file=", cert: "--cert-file=", key: "--key-file=" };

function incomplete({ name, via }: ObjectEntry): ExpectedError {
  return new ExpectedError("FORMAT_INVALID", `the bundle does not say all of object ${name} (${via})`, {
    hint: "build the bundle again; this is a mistake in its release",
  });
}
