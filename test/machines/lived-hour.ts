/** What an hour of work leaves on the nodes of a cluster, brought about in minutes. */
import assert from "node:assert/strict";
import type { Machine } from "../../scripts/vm/machine.ts";
import { allReady, kubectl, podsReady, tryKubectl } from "./cluster-questions.ts";
import type { RunningNode } from "./running-cluster.ts";
import { eventually } from "./poll.ts";
import { workloadName } from "./workload.ts";

const folders = "/etc/kubernetes /var/lib/kubelet/pki";

/**
 * Root uses kubectl, a pod is deleted and comes again, another's program crashes and is started again, and each kubelet asks
 * for new certificates as when the old ones end. Ends when all is Ready again. `unnamed`: workers of `workers: subnet:`.
 */
export async function livedHour(
  master: Machine,
  workers: readonly RunningNode[],
  unnamed: readonly string[] = [],
): Promise<void> {
  const names = workers.map(({ name }) => name);
  await master.run("HOME=/root /usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/admin.kubeconfig get nodes,pods -A");
  const pods = (await kubectl(master, `get pods -l app=${workloadName} -o name`)).trim().split("\n");
  const [first = "", last = first] = [pods[0], pods.at(-1)];
  assert.match(await kubectl(master, `exec ${last} -- /busybox cat /site/config/greeting`), /hello/);
  await tryKubectl(master, `exec ${last} -- /busybox kill -9 1`); // The kernel lets nobody kill a container's first process from within.
  await kubectl(master, `delete ${first} --wait=false`);
  for (const { name, machine } of workers) {
    await renewKubelet(machine, unnamed.includes(name) ? () => approveByHand(master, name) : undefined);
  }
  await allReady(master, names);
  await podsReady(master, names.length);
}

/** The kubelet finds its certificates gone and asks for others; those of before stay where it keeps them, as after any rotation. */
async function renewKubelet(machine: Machine, approve?: () => Promise<void>): Promise<void> {
  const dated = `find ${folders} -name 'kubelet-*-20*.pem' 2> /dev/null | sort`;
  const before = await machine.run(dated);
  assert.notEqual(before, "", "the kubelet has certificates that it was issued");
  await machine.run(
    `systemctl stop kubelet; find ${folders} \\( -name 'kubelet-*-current.pem' -o -name kubelet.kubeconfig \\) -delete 2> /dev/null; systemctl start kubelet`,
  );
  await approve?.();
  await eventually(
    `the kubelet of ${machine.name} has new certificates`,
    () => machine.run(dated),
    (said) => said.split("\n").length >= before.split("\n").length + 2,
  );
}

/** Whoever has the token that all such workers share may ask for the name of one that is there: a person judges that. */
async function approveByHand(master: Machine, node: string): Promise<void> {
  const left = "journalctl -u kubeferry-approve --no-pager | grep -oE 'csr-[a-z0-9]+ is left: .*' | tail -n 1";
  const said = await eventually(
    `the request of ${node} is left to people`,
    () => master.run(`${left} || true`),
    (text) => text.includes(node),
  );
  const [request = ""] = said.split(" ");
  await kubectl(master, `certificate approve ${request}`);
}
