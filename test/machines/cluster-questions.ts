/** What the tests ask a running cluster of, by kubectl on a master and by HTTP from every machine. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { hostPort } from "#formats/address";
import { eventually } from "./poll.ts";
import { nodePort, workloadFolder, workloadName } from "./workload.ts";
import type { Host } from "./host.ts";

const program = `/usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/admin.kubeconfig --cache-dir=${workloadFolder}/cache`;

/** Standard output; throws with kubectl's own words when it fails. A server that is too busy to answer is asked again. */
export async function kubectl(machine: Host, words: string): Promise<string> {
  for (let left = 10; ; left -= 1) {
    const { code, stdout, stderr } = await machine.exec(commandLine(words), { timeoutSeconds: 300 });
    if (code === 0) return stdout;
    const busy = /Unable to connect to the server|Client\.Timeout|etcdserver: |connection refused/.test(stderr);
    if (!busy || left === 0) throw new Error(`${machine.name}: kubectl ${words} ended with ${code}\n${stderr}`);
    await sleep(3000);
  }
}

function commandLine(words: string): [string, ...string[]] {
  return ["/bin/bash", "-c", `${program} --request-timeout=60s ${words}`];
}

/** Both outputs, however it ended. */
export async function tryKubectl(machine: Host, words: string): Promise<string> {
  const { stdout, stderr } = await machine.exec(commandLine(words));
  return stdout + stderr;
}

/** Waits until each of these nodes is Ready and has a serving certificate, by which the API server reaches its kubelet. */
export async function allReady(master: Host, names: readonly string[]): Promise<void> {
  await eventually(
    `Ready: ${names.join(", ")}`,
    () => tryKubectl(master, "get nodes --no-headers"),
    (said) => names.every((name) => new RegExp(`^${name}\\s+Ready(,\\S*)?\\s`, "m").test(said)),
  );
  for (const name of names) {
    await eventually(
      `the kubelet of ${name} answers the API server`,
      () => tryKubectl(master, `get --raw /api/v1/nodes/${name}/proxy/healthz`),
      (said) => said.trim() === "ok",
    );
  }
}

/** Waits until so many pods of the workload are ready, and no other is left. */
export async function podsReady(master: Host, count: number): Promise<void> {
  await eventually(
    `${count} pods are ready`,
    () => tryKubectl(master, `get pods -l app=${workloadName} --no-headers`),
    (said) => {
      const lines = said.split("\n").filter((line) => line !== "");
      return lines.length === count && lines.every((line) => /\s1\/1\s+Running\s/.test(line));
    },
  );
}

/** Waits until the workload answers on this address from this machine, with each of these nodes' pods at some time. */
export async function answers(machine: Host, address: string, from: readonly string[]): Promise<void> {
  const seen = new Set<string>();
  await eventually(
    `${address} answers ${machine.name} from ${from.join(", ")}`,
    async () => {
      // Which pod answers is chance: asked on at once, for as long as one does.
      for (let tries = 4 * from.length; tries > 0 && !from.every((name) => seen.has(name)); tries -= 1) {
        const said = await machine.exec(["curl", "-s", "-m", "5", `http://${address}/node`]);
        if (said.code !== 0) break;
        seen.add(said.stdout.trim());
      }
      return [...seen].join(" ");
    },
    () => from.every((name) => seen.has(name)),
  );
  assert.deepEqual([...seen].toSorted(), [...from].toSorted());
}

/** Node ports of these nodes from this machine, each with the pods of all of them. */
export async function everyNodePort(
  machine: Host,
  workers: readonly { readonly name: string; readonly ip: string }[],
): Promise<void> {
  for (const { ip } of workers)
    await answers(
      machine,
      hostPort(ip, nodePort),
      workers.map(({ name }) => name),
    );
}

/** Waits until `./install status` finds nothing wrong: a cluster that has just come back has work to do. */
export async function healthy(machine: Host, installer: string): Promise<void> {
  await eventually(
    `${machine.name} is healthy`,
    async () => {
      const { code, stdout, stderr } = await machine.exec([installer, "status"], { timeoutSeconds: 900 });
      return code === 0 ? "healthy" : `${stdout}\n${stderr}`;
    },
    (said) => said === "healthy",
  );
}
