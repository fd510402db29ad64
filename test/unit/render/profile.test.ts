import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { doubtOf, readFlagTable } from "../../../builder/config/flag-table.ts";
import { kernelDefaults } from "../../../builder/config/kernel-defaults.ts";
import type { Rendered } from "../../../builder/render/node-file.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { commandLine, filesOf, textOf } from "../../builders/placed-node.ts";

const minors = Array.from({ length: 21 }, (_, index) => 16 + index);

function hardened(minor: number, plugin?: string): Promise<FixtureCluster> {
  // The release of 1.20 is that of its guide, which has neither.
  const own = minor === 20 ? "network: { plugin: static-routes }\naddons: []" : "";
  return fixtureCluster(`
name: hardened
release: kubernetes-1.${minor}
profile: cis
nodes: [{ name: n1, ip: 10.64.3.1, roles: [etcd, master, worker] }]
${plugin === undefined ? own : `network: { plugin: ${plugin} }`}
`);
}

const unit = (rendered: Rendered, daemon: string): string[] =>
  commandLine(textOf(rendered, "n1", `/etc/systemd/system/${daemon}.service`));
const config = (rendered: Rendered, name: string): Record<string, unknown> =>
  parse(textOf(rendered, "n1", `/etc/kubernetes/${name}.yaml`)) as Record<string, unknown>;
const plugins = (rendered: Rendered): string[] =>
  /--enable-admission-plugins=(\S+)/.exec(unit(rendered, "kube-apiserver").join(" "))?.[1]?.split(",") ?? [];

test("with profile cis every minor is given flags that it has, and pods are judged by what it has for it", async () => {
  const table = readFlagTable();
  for (const minor of minors) {
    const cluster = await hardened(minor);
    const rendered = renderFixture(cluster);
    for (const daemon of ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"]) {
      const flags = unit(rendered, daemon).flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
      assert.equal(new Set(flags).size, flags.length, `${daemon} of 1.${minor} is given no flag twice`);
      assert.deepEqual(
        flags.flatMap((flag) => doubtOf(table, daemon, flag, cluster.manifest)?.message ?? []),
        [],
      );
    }
    const settings = config(rendered, "admission")["plugins"] as { name: string }[];
    const bySetting = settings.some(({ name }) => name === "PodSecurity");
    assert.equal(bySetting, minor >= 23, `1.${minor}`);
    assert.equal(plugins(rendered).includes("PodSecurityPolicy"), minor < 23, `1.${minor}`);
    assert.equal(
      rendered.objects.some(({ name }) => name === "pod-security-policy"),
      minor < 23,
    );
    assert.equal(plugins(rendered).includes("DenyServiceExternalIPs"), minor >= 21, `1.${minor}`);
    assert.equal(config(rendered, "kubelet-config")["seccompDefault"], minor >= 25 ? true : undefined, `1.${minor}`);
  }
});

test("root alone reads what is rendered for daemons; what logins read stays readable", async () => {
  const rendered = renderFixture(await hardened(36));
  const open = filesOf(rendered, "n1").filter(
    ({ mode, origin, path }) => mode !== "0600" && origin.from === "template" && !path.includes("/kubeferry/"),
  );
  assert.deepEqual(
    open.map(({ path }) => path),
    ["/etc/profile.d/kubeferry.sh"],
  );
});

test("the kernel values that the kubelet insists on are set, where else a larger one may stay", async () => {
  const policies = async (profile: string): Promise<string[]> => {
    const cluster = await fixtureCluster(`
name: any
release: kubernetes-1.36
${profile}
nodes: [{ name: n1, ip: 10.64.3.1, roles: [etcd, master, worker] }]
`);
    const { sysctls } = renderFixture(cluster).host;
    return [...kernelDefaults].map(([key, value]) => {
      const entry = sysctls.find((entry) => entry.key === key);
      assert.equal(entry?.value, value, key);
      return entry?.policy ?? "";
    });
  };
  assert.deepEqual(new Set(await policies("profile: cis")), new Set(["set"]));
  assert.ok((await policies("")).includes("raise"));
});

test("policies of pods are for the namespaces of the cluster's own pods, that of flannel among them", async () => {
  const text = textOf(
    renderFixture(await hardened(22, "flannel")),
    "n1",
    "/etc/kubernetes/kubeferry/pod-security-policy.yaml",
  );
  assert.deepEqual(
    [...text.matchAll(/^ {2}namespace: (.*)$/gm)].map(([, name]) => name),
    ["kube-system", "kube-flannel"],
  );
});

test("what cluster.yaml says comes before the profile", async () => {
  const text = `
name: hardened
release: kubernetes-1.36
profile: cis
flags: { kube-apiserver: { audit-log-maxbackup: 40 } }
kubelet: { podPidsLimit: 8192 }
nodes: [{ name: n1, ip: 10.64.3.1, roles: [etcd, master, worker] }]
`;
  const rendered = renderFixture(await fixtureCluster(text));
  assert.ok(unit(rendered, "kube-apiserver").includes("--audit-log-maxbackup=40"));
  assert.equal(config(rendered, "kubelet-config")["podPidsLimit"], 8192);
});
