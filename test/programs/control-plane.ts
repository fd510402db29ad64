/** etcd and the control plane of one rendered node, as its units would start them: real daemons in a network namespace, files below a folder. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { familyOf } from "#formats/address";
import { openPki } from "../../builder/pki/authority.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { type FixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { below, commandLine, contentOf, filesOf, textOf } from "../builders/placed-node.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { clusterFor, type Daemons } from "./kubernetes-daemons.ts";
import { requirePackages } from "./packages.ts";
import { type Rights, rightsOf } from "./rights.ts";

export interface ControlPlane {
  readonly cluster: FixtureCluster;
  readonly rendered: Rendered;
  /** Where the node's files are. */
  readonly root: string;
  /** For files of the test; goes with the rest. */
  readonly folder: string;
  readonly hosts: Hosts;
  /** Starts a daemon by its unit's command line. */
  readonly start: (name: string) => void;
  /** Output of kubectl with the node's admin.kubeconfig. */
  readonly kubectl: (...words: string[]) => string;
  /** Of whom `kubectl` asks as; brought when the control plane is given. */
  readonly rights: Rights;
  /** Output of a command on the node, whose folders are below `root`. */
  readonly run: (argv: readonly string[]) => string;
  /** Asks until the answer matches, for a minute; fails with the ends of the logs. */
  readonly eventually: (what: () => string | Promise<string>, pattern: RegExp) => Promise<void>;
  readonly logOf: (name: string) => string;
  readonly close: () => void;
}

export const address = "10.64.3.1";

/** Ready when it is given. `clusterYaml` is of one node, n1 at {@link address} or one of IPv6; `prepare` may put authorities into the PKI's folder. */
export async function startControlPlane(
  daemons: Daemons,
  clusterYaml: string,
  prepare?: (pki: string, cluster: FixtureCluster, folder: string) => Promise<void>,
): Promise<ControlPlane> {
  requirePackages("etcd-server", "etcd-client", "iptables", "conntrack");
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-plane-"));
  const root = join(folder, "n1");
  const running = new Map<string, ChildProcess>();
  const cluster = await clusterFor(daemons, clusterYaml, folder);
  const own = cluster.topology.nodes[0]?.ip ?? "";
  const hosts = makeHosts(`kp${process.pid}`, { n1: `${own}/${familyOf(own) === "ipv4" ? 24 : 64}` });
  const pki = join(folder, "pki");
  await prepare?.(pki, cluster, folder);
  const rendered = renderFixture(cluster, await openPki(pki, cluster.topology, new Date()));
  place(rendered, "n1", root);

  const logOf = (name: string): string => readFileSync(join(folder, `${name}.log`), "utf8");
  const run = (argv: readonly string[]): string => {
    const placed = argv.map((word) =>
      word.replace("=/etc/", `=${root}/etc/`).replace(/^\/usr\/local\/bin/, daemons.folder),
    );
    const [command = "", ...rest] = hosts.on("n1", placed);
    const { stdout, stderr } = spawnSync(command, rest, { encoding: "utf8" });
    return stdout + stderr;
  };
  // Not the home's cache: daemons of another version had this address before.
  const kubeconfig = `--kubeconfig=${root}/etc/kubernetes/admin.kubeconfig`;
  const client = [join(daemons.folder, "kubectl"), kubeconfig, `--cache-dir=${folder}/cache`];
  const plane: ControlPlane = {
    rights: rightsOf(rendered, root, folder, hosts.on("n1", client)),
    ...{ cluster, rendered, root, folder, hosts, run, logOf },
    start(name) {
      const [, ...words] = commandLine(textOf(rendered, "n1", `/etc/systemd/system/${name}.service`));
      const program = name === "etcd" ? "/usr/bin/etcd" : join(daemons.folder, name);
      const [command = "", ...rest] = hosts.on("n1", [program, ...below(root, words)]);
      const log = openSync(join(folder, `${name}.log`), "w");
      running.set(name, spawn(command, rest, { stdio: ["ignore", log, log] }));
    },
    kubectl: (...words) => run([...client, ...words]),
    async eventually(what, pattern) {
      let seen = "";
      for (let turn = 0; turn < 120; turn += 1) {
        seen = await what();
        if (pattern.test(seen)) return;
        await sleep(500);
      }
      const logs = [...running.keys()].map((name) => `== ${name}\n${logOf(name).split("\n").slice(-8).join("\n")}`);
      assert.match(seen, pattern, logs.join("\n"));
    },
    close() {
      for (const child of running.values()) child.kill("SIGKILL");
      hosts.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const name of ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]) plane.start(name);
  try {
    await plane.eventually(() => plane.kubectl("get", "--raw", "/readyz"), /^ok/);
    assert.match(plane.kubectl("get", "secrets", "-A"), /User "admin" cannot list/);
    await plane.rights.bring();
  } catch (failure) {
    plane.close();
    throw failure;
  }
  return plane;
}

/** What names our folders names them below the root. */
export function place(rendered: Rendered, node: string, root: string): void {
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  for (const directory of rendered.directories) mkdirSync(join(root, directory.path), { recursive: true });
  for (const file of filesOf(rendered, node)) {
    if (typeof file.content !== "string") continue;
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    const text = contentOf(file).replaceAll(/(?<![\w/])\/(?=(etc\/kubernetes|var\/lib\/kubelet)\b)/g, `${root}/`);
    // At once, as the installer does it: who reads it meanwhile has the older or the newer one.
    writeFileSync(join(root, `${file.path}.new`), text, { mode: Number.parseInt(file.mode, 8) });
    renameSync(join(root, `${file.path}.new`), join(root, file.path));
  }
}
