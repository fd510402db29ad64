/** What runs beside the cluster's pods: containers that the kubelet knows nothing of, and pods that no API server ordered. */
import { join } from "node:path";
import { messageOf } from "#cli/errors";
import { type Finding, warning } from "#cli/finding";
import type { HostReader } from "../host/host.ts";
import type { FileId } from "../resources/file.ts";
import type { UnitId } from "../resources/unit.ts";
import { drift } from "./drift-finding.ts";

const podUid = "io.kubernetes.pod.uid";
const socket = "/run/containerd/containerd.sock";

/** A container of the runtime that the kubelet uses. */
interface Container {
  readonly id: string;
  /** Of the pod that its labels name; empty: they name none. */
  readonly uid: string;
  readonly running: boolean;
}

/** [] where no kubelet of ours is installed. */
export async function podDrift(
  host: HostReader,
  files: readonly FileId[],
  units: readonly UnitId[],
): Promise<Finding[]> {
  const kubelet = units.find(({ name }) => name === "kubelet.service");
  if (!host.live || kubelet === undefined) return [];
  const unit = (await host.read(kubelet.file)) ?? "";
  const folder = join(optionOf(unit, "root-dir") ?? "/var/lib/kubelet", "pods");
  return [
    ...(await staticPods(host, unit, files)),
    ...(await orderedByNobody(host, folder)),
    ...(await foreignContainers(host, folder, files, units)),
  ];
}

function optionOf(unit: string, option: string): string | null {
  return new RegExp(`--${option}[= ]"?([^\\s"\\\\]+)`).exec(unit)?.[1] ?? null;
}

/** Manifests in the folder from which the kubelet runs pods of its own accord, where its configuration names one. */
async function staticPods(host: HostReader, unit: string, files: readonly FileId[]): Promise<Finding[]> {
  const config = optionOf(unit, "config");
  const text = config === null ? "" : ((await host.read(config)) ?? "");
  const named = optionOf(unit, "pod-manifest-path") ?? /^"?\s*"?staticPodPath"?:\s*"?([^\s",]+)/m.exec(text)?.[1];
  if (named === undefined) return [];
  const known = new Set(files.map(({ path }) => path));
  const paths = (await host.list(named)).map((name) => join(named, name)).filter((path) => !known.has(path));
  return paths.map((path) => drift("extra", path, "is a static pod that is not of this installation", `cat ${path}`));
}

/** The API server gives a pod a UUID; one of a file or URL has the 32 digits of a hash. */
async function orderedByNobody(host: HostReader, folder: string): Promise<Finding[]> {
  const uids = (await host.list(folder)).filter((name) => /^[0-9a-f]{32}$/.test(name));
  if (uids.length === 0) return [];
  const logs = await host.list("/var/log/pods");
  return uids.map((uid) => {
    const [namespace, name] = logs.find((entry) => entry.endsWith(`_${uid}`))?.split("_") ?? [];
    const what = name === undefined ? uid : `${namespace}/${name}`;
    return drift("extra", what, "is a static pod that is not of this installation", `ls ${folder}/${uid}`);
  });
}

async function foreignContainers(
  host: HostReader,
  folder: string,
  files: readonly FileId[],
  units: readonly UnitId[],
): Promise<Finding[]> {
  const program = (name: string): string => files.find(({ path }) => path.endsWith(`/${name}`))?.path ?? name;
  const docker = units.some(({ name }) => name === "docker.service");
  try {
    const containers = docker
      ? await ofDocker(host, program("docker"))
      : await ofContainerd(host, program("ctr"), await host.list(folder));
    // Looked at after the containers: a pod has its folder before its first container, and until its last has ended.
    const pods = new Set(await host.list(folder));
    return containers.flatMap(({ id, uid, running }): Finding[] => {
      const hint = docker ? `docker inspect ${id}` : `ctr -n k8s.io containers info ${id}`;
      const what = `container ${id.slice(0, 20)}`;
      if (uid === "") {
        const found = drift("extra", what, "is of no pod", hint);
        // docker is everybody's; containerd's namespace k8s.io is the kubelet's alone.
        return [docker ? { ...found, severity: "warning" } : found];
      }
      return !running || pods.has(uid) ? [] : [drift("extra", what, `says it is of a pod unknown here: ${uid}`, hint)];
    });
  } catch (error) {
    const message = `the runtime's containers could not be looked at: ${messageOf(error)}`;
    return [warning("extra", message)];
  }
}

/** Only those that are of none of `pods`. */
async function ofContainerd(host: HostReader, ctr: string, pods: readonly string[]): Promise<Container[]> {
  const command = [ctr, "--address", socket, "--namespace", "k8s.io"];
  const list = async (filters: readonly string[]): Promise<string[]> =>
    (await answer(host, [...command, "containers", "list", "--quiet", ...filters]))
      .split("\n")
      .filter((line) => line !== "");
  const all = await list([]);
  const known = pods.length === 0 ? [] : await list(pods.map((uid) => `labels."${podUid}"==${uid}`));
  const foreign = all.filter((id) => !known.includes(id));
  if (foreign.length === 0) return [];
  const tasks = await answer(host, [...command, "tasks", "list"]);
  const containers: Container[] = [];
  for (const id of foreign) {
    const { code, stdout } = await host.query([...command, "containers", "info", id]);
    // It ended meanwhile.
    if (code !== 0) continue;
    const { Labels: labels } = JSON.parse(stdout) as { Labels?: Readonly<Record<string, string>> | null };
    const running = new RegExp(`^${id}\\s+\\d+\\s+RUNNING`, "m").test(tasks);
    containers.push({ id, uid: labels?.[podUid] ?? "", running });
  }
  return containers;
}

async function ofDocker(host: HostReader, docker: string): Promise<Container[]> {
  const format = `{{.ID}} {{.Label "${podUid}"}}`;
  const list = async (...words: readonly string[]): Promise<string[]> =>
    (await answer(host, [docker, "ps", "--no-trunc", "--format", format, ...words])).split("\n");
  const running = new Set(await list());
  return (await list("--all")).flatMap((line) => {
    const [id = "", uid = ""] = line.split(" ");
    return id === "" ? [] : [{ id, uid, running: running.has(line) }];
  });
}

async function answer(host: HostReader, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.query(argv, { timeoutSeconds: 60, outputLimit: 8 << 20 });
  if (code === 0) return stdout;
  throw new Error(`${argv.join(" ").slice(0, 200)}: code ${code}: ${stderr.trim().slice(0, 300)}`);
}
