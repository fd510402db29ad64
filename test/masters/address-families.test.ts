/**
 * Whole clusters whose nodes, pods and services have IPv6 alone, and both families: three hosts, each member of etcd, master and
 * worker, on a network that has nothing else. KUBEFERRY_KUBERNETES names a folder of 1.23 or newer, with flanneld
 * (test/machines/real-kubernetes.ts says what is in it).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Family, familyOf, hostPort } from "#formats/address";
import { buildBundle, installer, keyFile } from "../machines/bundle.ts";
import {
  allReady,
  answers,
  everyNodePort,
  healthy,
  kubectl,
  podsReady,
  tryKubectl,
} from "../machines/cluster-questions.ts";
import { must, undo } from "../machines/commands.ts";
import { type Container, type Containers, startContainers } from "../machines/container.ts";
import { containerdFields, kubeletFields } from "../machines/pods-in-containers.ts";
import { eventually } from "../machines/poll.ts";
import { clusterYaml } from "../machines/real-cluster.ts";
import { realKubernetes } from "../machines/real-kubernetes.ts";
import { captureState, type State } from "../machines/state.ts";
import { assertUndone, leftByContainer, leftByHaproxy, tellVersions } from "../machines/undone.ts";
import { workload, workloadFolder, workloadName } from "../machines/workload.ts";

const real = await realKubernetes();
const names = ["n1", "n2", "n3"];
const kubelet = kubeletFields(real);
const more = `api: { endpoint: local-proxy }
containerd: { ${containerdFields(real)} }
${kubelet === "" ? "" : `kubelet: { ${kubelet} }`}
`;

const ranges: Readonly<Record<Family, { readonly pods: string; readonly services: string }>> = {
  ipv4: { pods: "172.30.0.0/16", services: "10.254.0.0/16" },
  ipv6: { pods: "fd00:172:30::/56", services: "fd00:10:254::/112" },
};

/** The address of a node in each of these families. */
function addressesOf(name: string, families: readonly Family[]): string[] {
  const number = name.slice(1);
  return families.map((family) => (family === "ipv4" ? `10.0.0.1${number}` : `fd00:64:3::${number}`));
}

/** Asks a pod for its node's name. busybox is linked statically, and what looks names up for its wget is not there. */
function asking(ip: string): string {
  return `printf "GET /node HTTP/1.0\\r\\n\\r\\n" | /busybox nc -w 5 ${ip} 8080`;
}

function cluster(families: readonly Family[]): string {
  const list = (words: readonly string[]): string => `[${words.map((word) => `"${word}"`).join(", ")}]`;
  const nodes = names.map((name) => ({
    name,
    ip: list(addressesOf(name, families)),
    roles: "etcd, control-plane, worker",
  }));
  const of = (what: "pods" | "services"): string => `${what}: ${list(families.map((family) => ranges[family][what]))}`;
  const network = `${of("pods")}, ${of("services")}`;
  return clusterYaml(real, { name: "families", nodes, packages: ["haproxy"], network, more });
}

for (const families of [["ipv6"], ["ipv4", "ipv6"]] as const) {
  describe(families.join(" and "), () => {
    let containers: Containers;
    const states = new Map<string, State>();
    after(() => containers?.[Symbol.asyncDispose]());

    let days = 0;
    /** A test that begins where the one before ended. */
    function day(number: number): void {
      assert.equal(days, number - 1, "the day before went wrong");
    }

    function first(): Container {
      const [one] = containers.all;
      if (one === undefined) throw new Error("no n1");
      return one;
    }

    /** Waits until a line of shell in a pod says what it should. */
    async function inPod(pod: string, line: string, isSo: (said: string) => boolean, what: string): Promise<void> {
      const words = `exec -i ${pod} -- /busybox sh -c '${line}'`;
      await eventually(what, async () => (await tryKubectl(first(), words)).trim(), isSo);
    }

    const ask = async (what: string): Promise<string> => (await kubectl(first(), what)).trim();

    test("three masters are installed at once, and every node is Ready and as installed", async (t) => {
      day(1);
      const bundle = await buildBundle(cluster(families), null, real.options);
      const prefixed = (ip: string): string => `${ip}/${familyOf(ip) === "ipv4" ? 24 : 64}`;
      containers = await startContainers({
        addresses: Object.fromEntries(names.map((name) => [name, addressesOf(name, families).map(prefixed)])),
        sticks: { "/mnt": join(bundle.folder, "bundle") },
        pods: true,
      });
      for (const one of containers.all) {
        await one.run(`umask 077; cat > ${keyFile}`, { input: readFileSync(bundle.keys, "utf8") });
        states.set(one.name, await captureState(one));
      }
      await Promise.all(
        containers.all.map((one) => {
          const [ip = ""] = addressesOf(one.name, families);
          return must(one, [installer, "--role", "etcd,master,worker", "--ip", ip, "--key", keyFile, "--yes"]);
        }),
      );
      await tellVersions(first(), t);
      await allReady(first(), names);
      for (const one of containers.all) {
        await healthy(one, installer);
        await must(one, [installer, "audit"]);
      }
      days = 1;
    });

    test("each node has its addresses and a range of pods, in the order of cluster.yaml", async () => {
      day(2);
      for (const name of names) {
        const addresses = await ask(
          `get node ${name} -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'`,
        );
        assert.equal(addresses, addressesOf(name, families).join(" "));
        const pods = JSON.parse(await ask(`get node ${name} -o jsonpath={.spec.podCIDRs}`)) as string[];
        assert.deepEqual(pods.map(familyOf), families);
      }
      days = 2;
    });

    test("pods answer on every node's port and on the service's addresses, from every host", async () => {
      day(3);
      await first().run(`mkdir -p ${workloadFolder}`);
      await kubectl(first(), "apply -f - <<'EOF'\n" + workload(names.length) + "EOF\n");
      const policy = JSON.stringify({ spec: { ipFamilyPolicy: "PreferDualStack" } });
      await kubectl(first(), `patch service ${workloadName} --patch '${policy}'`);
      await podsReady(first(), names.length);
      const services = JSON.parse(await ask(`get service ${workloadName} -o jsonpath={.spec.clusterIPs}`)) as string[];
      assert.deepEqual(services.map(familyOf), families);
      for (const one of containers.all) {
        for (const [at] of families.entries()) {
          const nodes = names.map((name) => ({ name, ip: addressesOf(name, families)[at] ?? "" }));
          await everyNodePort(one, nodes);
        }
        for (const address of services) await answers(one, hostPort(address, 80), names);
      }
      days = 3;
    });

    test("pods reach each other on other nodes in each family, and find services by name", async () => {
      day(4);
      const listed = await ask(
        `get pods -l app=${workloadName} -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIPs[*].ip}{"\\n"}{end}'`,
      );
      const pods = listed.split("\n").map((line) => line.split(" "));
      assert.equal(pods.length, names.length);
      const services = JSON.parse(await ask(`get service ${workloadName} -o jsonpath={.spec.clusterIPs}`)) as string[];
      for (const [name = "", node, ...own] of pods) {
        assert.deepEqual(own.map(familyOf), families, node);
        for (const [, other, ...ips] of pods)
          for (const ip of ips)
            await inPod(
              name,
              asking(ip),
              (said) => said.split("\n").at(-1) === other,
              `${node} asks ${other} at ${ip}`,
            );
        const question = `/busybox nslookup ${workloadName}.default.svc.cluster.local`;
        await inPod(name, question, (said) => services.every((ip) => said.includes(ip)), `${node} asks the DNS`);
      }
      await must(first(), [installer, "smoke"]);
      days = 4;
    });

    test("all three are undone without a trace", async () => {
      day(5);
      for (const one of containers.all.toReversed()) {
        await must(one, undo);
        await assertUndone(one, states.get(one.name), [leftByContainer, ...leftByHaproxy]);
      }
    });
  });
}
