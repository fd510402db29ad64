/** CNI plugins run with the rendered configuration: a namespace that stands for a pod gets an address of its node's pods. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { type Hosts, makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";
import { textOf } from "../builders/placed-node.ts";

const plugins = "/usr/lib/cni";
const folder = mkdtempSync(join(tmpdir(), "kubeferry-cni-"));
const pods: string[] = [];
let hosts: Hosts;
let rendered: Rendered;

before(async () => {
  requirePackages("containernetworking-plugins", "iproute2", "iptables", "iputils-ping");
  hosts = makeHosts(`kc${process.pid}`, { n2: "10.64.3.2/24", n3: "10.64.3.3/24" });
  const text = readFileSync(join(import.meta.dirname, "../golden/clusters/1.36-static-routes/cluster.yaml"), "utf8");
  rendered = renderFixture(await fixtureCluster(text));
});

after(() => {
  for (const pod of pods) execFileSync("ip", ["netns", "del", pod]);
  hosts.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface List {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly Record<string, unknown>[];
}

/** What a runtime does for a pod: every plugin of the list in turn, each with the result of the one before. */
function addPod(node: string, name: string): { ips: { address: string }[] } {
  const pod = `kc${process.pid}-${name}`;
  execFileSync("ip", ["netns", "add", pod]);
  pods.push(pod);
  const list = JSON.parse(textOf(rendered, node, "/etc/cni/net.d/10-bridge.conflist")) as List;
  let result: unknown;
  for (const plugin of list.plugins) {
    const ipam = plugin["ipam"] as Record<string, unknown> | undefined;
    const input = {
      ...plugin,
      ...(ipam === undefined ? {} : { ipam: { ...ipam, dataDir: join(folder, node) } }),
      name: list.name,
      cniVersion: list.cniVersion,
      ...(result === undefined ? {} : { prevResult: result }),
    };
    const [command = "", ...rest] = hosts.on(node, [join(plugins, String(plugin["type"]))]);
    const output = execFileSync(command, rest, {
      input: JSON.stringify(input),
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: name,
        CNI_NETNS: `/run/netns/${pod}`,
        CNI_IFNAME: "eth0",
        CNI_PATH: plugins,
      },
    });
    result = JSON.parse(output);
  }
  return result as { ips: { address: string }[] };
}

function onHost(node: string, ...argv: string[]): string {
  const [command = "", ...rest] = hosts.on(node, argv);
  return execFileSync(command, rest, { encoding: "utf8" });
}

test("a pod gets an address of its node's range, and pods of two nodes reach each other by the rendered routes", async (t) => {
  const [first] = addPod("n2", "a").ips;
  const [second] = addPod("n3", "b").ips;
  assert.match(first?.address ?? "", /^172\.30\.0\.\d+\/24$/);
  assert.match(second?.address ?? "", /^172\.30\.1\.\d+\/24$/);

  for (const node of ["n2", "n3"]) {
    onHost(node, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    const unit = textOf(rendered, node, "/etc/systemd/system/kubeferry-routes.service");
    for (const [, words = ""] of unit.matchAll(/^ExecStart=-?\/sbin\/(.*)$/gm)) onHost(node, ...words.split(" "));
  }
  const target = second?.address.split("/")[0] ?? "";
  const pinged = execFileSync("ip", ["netns", "exec", `kc${process.pid}-a`, "ping", "-c1", "-W5", target], {
    encoding: "utf8",
  });
  assert.match(pinged, /1 received/);
  // The other pod sees the pod itself, and not its node.
  const answer = 'require("net").createServer((s) => s.end(s.remoteAddress)).listen(8080, "0.0.0.0")';
  const server = spawn("ip", ["netns", "exec", `kc${process.pid}-b`, process.execPath, "-e", answer]);
  t.after(() => server.kill("SIGKILL"));
  let seen = "";
  for (let turn = 0; turn < 100 && seen === ""; turn += 1) {
    const argv = ["netns", "exec", `kc${process.pid}-a`, "bash", "-c", `cat </dev/tcp/${target}/8080`];
    seen = spawnSync("ip", argv, { encoding: "utf8" }).stdout;
    if (seen === "") await sleep(100);
  }
  assert.equal(seen, first?.address.split("/")[0]);
});

test("the loopback configuration brings up a pod's lo", () => {
  const config = textOf(rendered, "n2", "/etc/cni/net.d/99-loopback.conf");
  const pod = `kc${process.pid}-a`;
  execFileSync(join(plugins, "loopback"), {
    input: config,
    env: {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: "a",
      CNI_NETNS: `/run/netns/${pod}`,
      CNI_IFNAME: "lo",
      CNI_PATH: plugins,
    },
  });
  assert.match(execFileSync("ip", ["-n", pod, "link", "show", "lo"], { encoding: "utf8" }), /[<,]UP[,>]/);
});
