import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Digest, digestOf, type PackageEntry, type Platform, type Role } from "#bundle";
import { isExpected } from "#cli/errors";
import { checkClosure, type ClosureInput, requireComplete } from "../../../../builder/pack/closure/closure.ts";
import type { NodeFile } from "../../../../builder/render/node-file.ts";
import { elfFile } from "./elf-file.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-closure-"));
after(() => rmSync(folder, { recursive: true }));
const store = { path: (digest: string) => join(folder, digest) };
const silent = { warn() {}, record() {} };

function binary(name: string, bytes = program(), path = `/usr/local/bin/${name}`): NodeFile {
  const digest: Digest = digestOf(bytes);
  writeFileSync(store.path(digest), bytes);
  return file(path, { digest, size: bytes.length }, "0755");
}

function program(needed = ["libc.so.6"], machine = 62): Buffer {
  return elfFile({ machine, interpreter: "/lib64/ld-linux-x86-64.so.2", needed });
}

function file(path: string, content: NodeFile["content"], mode = "0644", roles: Role[] = ["worker"]): NodeFile {
  const origin = { from: "template", template: "test" } as const;
  return { path, mode, owner: "0:0", content, sensitive: false, for: { roles }, origin };
}

const unitText = `[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/containerd \\
  --config /etc/containerd/config.toml
`;
const conflist = '{"plugins": [{"type": "bridge", "ipam": {"type": "host-local"}}, {"type": "portmap"}]}';
const addon = `kind: Deployment
spec: {template: {spec: {containers: [{name: c, image: coredns/coredns:1.11.1}]}}}
---
kind: CustomResourceDefinition
spec: {schema: {properties: {image: {type: string}}}}
`;

function cluster(): ClosureInput & { rendered: { files: NodeFile[] } } {
  const image = (name: string) => ({ name, digest: "sha256:0", path: "/x", for: { roles: ["worker" as const] } });
  return {
    platforms: ["linux/amd64"],
    images: [image("registry.k8s.io/pause:3.10"), image("docker.io/coredns/coredns:1.11.1")],
    packages: [],
    store,
    rendered: {
      nodes: [{ name: "w1", ip: "10.0.0.1", subnet: null, roles: ["worker"], iface: null }],
      directories: [{ path: "/var/lib/containerd", mode: "0711", owner: "0:0", for: { roles: ["worker"] } }],
      units: [
        {
          name: "containerd.service",
          links: ["multi-user.target.wants/containerd.service"],
          start: 10,
          noBlock: false,
          restartOn: ["/etc/containerd/config.toml"],
          for: { roles: ["worker"] },
        },
      ],
      host: {
        modules: [],
        sysctls: [],
        swap: "keep",
        selinux: "keep",
        firewall: { mode: "keep", ports: [] },
        hosts: [],
        hostname: false,
        stopServices: [],
      },
      checks: [
        {
          name: "containerd answers",
          argv: ["/usr/local/bin/ctr", "version"],
          environment: {},
          timeoutSeconds: 5,
          severity: "error",
          hint: "journalctl -u containerd",
          for: { roles: ["worker"] },
        },
      ],
      objects: [
        { name: "coredns", via: "kubectl", path: "/etc/kubernetes/addons/dns.yaml", for: { roles: ["worker"] } },
      ],
      certificates: [],
      written: [],
      pods: { kubelet: null, containerd: null, docker: null, for: { roles: ["worker"] } },
      files: [
        binary("containerd", program(["libc.so.6", "libseccomp.so.2"])),
        binary("containerd-shim-runc-v2"),
        binary("runc"),
        binary("ctr"),
        binary("kubectl"),
        binary("bridge", program(), "/opt/cni/bin/bridge"),
        binary("host-local", program(), "/opt/cni/bin/host-local"),
        binary("portmap", program(), "/opt/cni/bin/portmap"),
        binary("loopback", program(), "/opt/cni/bin/loopback"),
        file("/etc/systemd/system/containerd.service", unitText),
        file(
          "/etc/containerd/config.toml",
          'sandbox_image = "registry.k8s.io/pause:3.10"\nconf = "/etc/containerd/extra.toml"',
        ),
        file("/etc/containerd/extra.toml", "# /etc/containerd/only-in-a-comment.toml\n"),
        file("/etc/cni/net.d/10-net.conflist", conflist),
        file("/etc/kubernetes/addons/dns.yaml", addon),
        file("/opt/kubeferry/hook.sh", "#!/bin/sh\nexit 0\n", "0755"),
      ],
    },
  };
}

function without(input: ClosureInput, path: string): ClosureInput {
  return { ...input, rendered: { ...input.rendered, files: input.rendered.files.filter((one) => one.path !== path) } };
}

test("a complete cluster has no finding", () => {
  assert.deepEqual(checkClosure(cluster()), []);
});

test("each needed file, taken out in turn, is named, and the build is refused", () => {
  const whole = cluster();
  // The network's configuration and the hook are named by no other file, as in real clusters.
  const named = whole.rendered.files.filter(({ path }) => !/conflist$|hook\.sh$/.test(path));
  assert.equal(named.length, 13);
  for (const { path } of named) {
    const findings = checkClosure(without(whole, path));
    assert.ok(
      findings.some(
        ({ expected, severity }) => severity === "error" && (expected === path || path.endsWith(`/${expected}`)),
      ),
      `${path}: ${JSON.stringify(findings)}`,
    );
    assert.throws(
      () => requireComplete(findings, silent),
      (error) => isExpected(error, "INCOMPLETE") && error.message.includes(path.split("/").at(-1) ?? ""),
    );
  }
});

test("an image that a manifest or the runtime's configuration names and the bundle lacks is named with its file", () => {
  const whole = cluster();
  for (const image of whole.images) {
    const [finding, ...more] = checkClosure({ ...whole, images: whole.images.filter((one) => one !== image) });
    assert.deepEqual(more, []);
    assert.equal(finding?.check, "image");
    assert.match(finding?.message ?? "", /coredns\/coredns:1.11.1 .*dns\.yaml|pause:3.10 .*config\.toml/);
    assert.match(finding?.hint ?? "", /images: of the release manifest/);
  }
});

test("a library outside the base is named with the binary that is linked with it", () => {
  const whole = cluster();
  whole.rendered.files.push(binary("odd", program(["libc.so.6", "libodd.so.7"])));
  const [finding, ...more] = checkClosure(whole);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [finding?.check, finding?.expected, finding?.where],
    ["library", "libodd.so.7", "/usr/local/bin/odd"],
  );
});

test("a library that a carried package brings is enough, and a likely one is a warning without it", () => {
  const whole = cluster();
  whole.rendered.files.push(binary("dockerd", program(["libc.so.6", "libdevmapper.so.1.02.1"])));
  const warnings = checkClosure(whole);
  assert.deepEqual(
    warnings.map(({ severity, expected }) => [severity, expected]),
    [["warning", "libdevmapper.so.1.02.1"]],
  );
  const told: string[] = [];
  requireComplete(warnings, { ...silent, warn: (text) => told.push(text) });
  assert.match(told.join("\n"), /add "libdevmapper1\.02\.1" to packages/);
  const carried: PackageEntry = {
    name: "libdevmapper1.02.1",
    version: "1",
    architecture: "amd64",
    format: "deb",
    distribution: "debian 12",
    path: "/p.deb",
    for: { roles: ["worker"] },
  };
  assert.deepEqual(checkClosure({ ...whole, packages: [carried] }), []);
});

test("programs that ask for a newer glibc than every host has are one warning, which names the newest", () => {
  const linked = (glibc: string): Buffer =>
    elfFile({ machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2", needed: ["libc.so.6"], glibc });
  const whole = cluster();
  whole.rendered.files.push(binary("old", linked("2.28")));
  assert.deepEqual(checkClosure(whole), []);
  const [older] = checkClosure({ ...whole, glibc: { "linux/amd64": "2.17" } });
  assert.equal(older?.expected, "glibc 2.28", "an installer that runs with an older one is for older hosts");
  whole.rendered.files.push(binary("ctr", linked("2.32")), binary("containerd", linked("2.34")));
  const [finding, ...more] = checkClosure(whole);
  assert.deepEqual(more, []);
  assert.deepEqual([finding?.severity, finding?.expected], ["warning", "glibc 2.34"]);
  assert.match(finding?.message ?? "", /^glibc 2\.34 or newer is needed by \S+\/containerd and 1 more on /);
});

test("a binary of another machine, or of a C library that the base lacks, is refused", () => {
  const whole = cluster();
  whole.rendered.files.push(binary("arm", program(["libc.so.6"], 183)));
  whole.rendered.files.push(binary("musl", elfFile({ machine: 62, interpreter: "/lib/ld-musl-x86_64.so.1" })));
  whole.rendered.files.push(file("/usr/local/bin/script", "#!/usr/bin/perl -w\n", "0755"));
  assert.deepEqual(
    checkClosure(whole).map(({ check, expected }) => [check, expected]),
    [
      ["platform", "/usr/local/bin/arm"],
      ["interpreter", "/lib/ld-musl-x86_64.so.1"],
      ["interpreter", "/usr/bin/perl"],
    ],
  );
});

test("a second platform is looked at by itself", () => {
  const platforms: Platform[] = ["linux/amd64", "linux/arm64"];
  const findings = checkClosure({ ...cluster(), platforms });
  assert.equal(findings.filter(({ check }) => check === "platform").length, 9);
  assert.ok(findings.every(({ message }) => message.includes("w1 (linux/arm64)")));
});

test("a program that is not executable is as good as missing", () => {
  const whole = cluster();
  const files = whole.rendered.files.map((one) => (one.path.endsWith("/ctr") ? { ...one, mode: "0644" } : one));
  const findings = checkClosure({ ...whole, rendered: { ...whole.rendered, files } });
  assert.deepEqual(
    findings.map(({ check, expected }) => [check, expected]),
    [["executable", "/usr/local/bin/ctr"]],
  );
});
