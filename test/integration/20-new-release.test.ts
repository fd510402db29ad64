/** A new minor of Kubernetes is one file, a new patch release one line: shown in a copy of this project that has nothing else new. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { digestOf } from "#bundle";
import { recordsOf } from "../programs/json-lines.ts";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-new-release-"));
const copy = join(folder, "copy");
const mirror = join(folder, "mirror");
const programs = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubeadm", "kubectl"];
const etcd = join(folder, "etcd-stand-in");

/** What stands in for a program of Kubernetes here. */
const standIn = (program: string, version: string): string => `#!/bin/sh\n# not ${program} ${version}\nexit 64\n`;

before(() => {
  for (const part of ["builder", "installer", "manifests", "package.json"]) {
    cpSync(join(project, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(project, "node_modules"), join(copy, "node_modules"));
  writeFileSync(etcd, standIn("etcd", "3.7.0"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function kubeferry(...argv: string[]): string {
  const argument = [join(copy, "builder/main.ts"), ...argv];
  const { status, stdout, stderr } = spawnSync(process.execPath, argument, { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${argv.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** What upstream publishes of a version; `sums`: with a checksum file beside each. */
function publish(version: string, sums: boolean): void {
  for (const program of programs) {
    const path = join(mirror, `dl.k8s.io/release/v${version}/bin/linux/amd64/${program}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, standIn(program, version));
    if (sums) writeFileSync(`${path}.sha256`, digestOf(standIn(program, version)));
  }
}

function pinLine(version: string): string {
  const digests = programs.map((program) => `${program}: sha256:${digestOf(standIn(program, version))}`);
  return `"${version}": { source: a test, digests: { linux/amd64: { ${digests.join(", ")} } } }\n`;
}

/** `lock` and `render` of a control plane; the version of Kubernetes in the lock, with the digest of its API server. */
function taken(release: string, render: boolean): { version: string; digest: string; unit: string } {
  const place = join(folder, `cluster-${release}`);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  const config = join(place, "cluster.yaml");
  writeFileSync(
    config,
    `name: plant-7\nrelease: ${release}\nnodes:\n  - { name: n1, ip: 10.0.0.11, roles: [etcd, master] }\naddons: []\n`,
  );
  const from = ["--offline", "--mirror", mirror, "--cache", join(folder, "store")];
  kubeferry("lock", config, ...from);
  const lock = parse(readFileSync(join(place, "cluster.lock"), "utf8")) as {
    artifacts: { component: string; version: string; digest: string }[];
  };
  const found = lock.artifacts.find(({ component }) => component === "kube-apiserver");
  if (render) kubeferry("render", config, ...from, "-o", join(place, "rendered"));
  const [unit = ""] = globSync(join(place, "rendered/*/etc/systemd/system/kube-apiserver.service"));
  return {
    version: found?.version ?? "",
    digest: found?.digest ?? "",
    unit: render ? readFileSync(unit, "utf8") : "",
  };
}

function listed(...release: string[]): (string | null)[] {
  const records = recordsOf(kubeferry("releases", ...release, "--json"), 0);
  return records.flatMap((one) => (one.type === "release" ? [`${one.release} ${one.kubernetes}`] : []));
}

const digestIn = (version: string): string => `sha256:${digestOf(standIn("kube-apiserver", version))}`;

test("a new minor is one file: releases, lock and render take it", () => {
  publish("1.37.0", true);
  writeFileSync(
    join(copy, "manifests/series/1.37.yaml"),
    `like: kubernetes-1.36
kubernetes: 1.37.0
components:
  - name: etcd
    version: 3.7.0
    roles: [etcd]
    artifacts:
      - { platform: linux/amd64, from: "file:${etcd}", digest: "sha256:${digestOf(readFileSync(etcd))}", files: { .: etcd } }
`,
  );
  assert.ok(listed().includes("kubernetes-1.37 1.37.0"));
  const { version, digest, unit } = taken("kubernetes-1.37", true);
  assert.deepEqual([version, digest], ["1.37.0", digestIn("1.37.0")]);
  assert.match(unit, /ExecStart=\S*kube-apiserver/);
  const steps = recordsOf(kubeferry("plan-upgrade", "--from", "1.36", "--to", "1.37", "--json"), 0);
  assert.ok(steps.some((one) => one.type === "step" && one.to === "1.37"));
});

test("a new patch release is one line, of a minor that is a series and of one with a manifest of its own", () => {
  const pins = join(copy, "manifests/pins/kubernetes.yaml");
  publish("1.37.1", false);
  appendFileSync(pins, pinLine("1.37.1"));
  const next = taken("kubernetes-1.37", true);
  assert.deepEqual([next.version, next.digest], ["1.37.1", digestIn("1.37.1")]);

  appendFileSync(pins, pinLine("1.36.99"));
  const own = taken("kubernetes-1.36", false);
  assert.deepEqual([own.version, own.digest], ["1.36.99", digestIn("1.36.99")]);
  appendFileSync(pins, pinLine("1.20.99"));
  const names = ["1.37", "1.37.0", "1.36", "1.36.3", "1.20", "1.20.99"].map((version) => `kubernetes-${version}`);
  assert.deepEqual(listed(...names), [
    "kubernetes-1.37 1.37.1",
    "kubernetes-1.37.0 1.37.0",
    "kubernetes-1.36 1.36.99",
    // Nobody who asked for the one before gets another.
    "kubernetes-1.36.3 1.36.3",
    // Of the distribution's programs, which no pin of upstream's is.
    "kubernetes-1.20 1.20.2",
    "kubernetes-1.20.99 1.20.99",
  ]);
});
