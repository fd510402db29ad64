/** The closure check over what is really rendered: every reviewed cluster is complete, and lacks nothing unnoticed. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { wantedComponents, wantedImages } from "../../../../builder/config/wanted.ts";
import { nameInRuntime } from "../../../../builder/config/image-name.ts";
import type { LockedArtifact } from "../../../../builder/lock/lock.ts";
import { checkClosure, type ClosureInput } from "../../../../builder/pack/closure/closure.ts";
import { type FixtureCluster, fixtureCluster, renderFixture } from "../../../builders/fixture-cluster.ts";
import { elfFile } from "./elf-file.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-releases-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "program");
writeFileSync(program, elfFile({ machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2", needed: ["libc.so.6"] }));
const clusters = join(import.meta.dirname, "../../../golden/clusters");

/** Read by a program at a place that it knows by itself, or by the operator: no file names them. */
const unnamed =
  /^\/etc\/(docker\/daemon\.json|crictl\.yaml|cni\/net\.d\/.*|profile\.d\/.*|.*\/99-kubeferry\.conf|.*admin\.kubeconfig|.*\/smoke\.yaml|.*\/(cluster|token-owners)\.json)$|^\/root\//;
/** The admin's certificate authority, where only people use it, and the scheduler's certificate before it had --tls flags. */
const alsoUnnamed: Readonly<Record<string, RegExp>> = {
  distro: /\/pki\/ca\.pem$/,
  "1.11-vip": /\/kube-scheduler(-key)?\.pem$/,
};

for (const name of readdirSync(clusters)) {
  test(`${name} is complete, and each file that is taken out is named`, async () => {
    const cluster = await fixtureCluster(readFileSync(join(clusters, name, "cluster.yaml"), "utf8"));
    const complete = inputOf(cluster);
    assert.deepEqual(errorsOf(complete), []);
    const whole = withoutPods(complete);
    const needed = new Set(whole.rendered.files.map(({ path }) => path).filter((path) => !mayLack(name, path)));
    for (const path of needed) {
      const files = whole.rendered.files.filter((file) => file.path !== path);
      const found = errorsOf({ ...whole, rendered: { ...whole.rendered, files } });
      assert.ok(
        found.some(({ expected = "none", message }) => path.endsWith(expected) || message.includes(path)),
        `${path} is missed by nobody: ${JSON.stringify(found.map(({ message }) => message))}`,
      );
    }
  });
}

test("each image of each cluster, left out, is named with the manifest or configuration that names it", async () => {
  let count = 0;
  for (const name of readdirSync(clusters)) {
    const whole = inputOf(await fixtureCluster(readFileSync(join(clusters, name, "cluster.yaml"), "utf8")));
    for (const image of whole.images) {
      const found = errorsOf({ ...whole, images: whole.images.filter((one) => one !== image) });
      // Some are only used by what a person may start later; those that a file names must be missed.
      const texts = whole.rendered.files.map(({ content }) => (typeof content === "string" ? content : ""));
      if (!texts.some((text) => text.includes(image.name.replace("docker.io/", "")))) continue;
      count += 1;
      assert.ok(
        found.some(({ check, expected = "" }) => check === "image" && nameInRuntime(expected) === image.name),
        `${name}: ${image.name}`,
      );
    }
  }
  assert.ok(count >= 10, String(count));
});

function mayLack(cluster: string, path: string): boolean {
  // A whole archive of plugins is carried; only those that a network names are needed.
  return unnamed.test(path) || path.startsWith("/opt/cni/bin/") || (alsoUnnamed[cluster]?.test(path) ?? false);
}

/** The pods' manifests emptied: what they name is the next test's, and reading them a hundred times takes long. */
function withoutPods(input: ClosureInput): ClosureInput {
  const files = input.rendered.files.map((file) =>
    file.path.includes("/kubeferry/") ? { ...file, content: "" } : file,
  );
  return { ...input, rendered: { ...input.rendered, files } };
}

function errorsOf(input: ClosureInput): ReturnType<typeof checkClosure> {
  return checkClosure(input).filter(({ severity }) => severity === "error");
}

function inputOf(cluster: FixtureCluster): ClosureInput {
  const { manifest, topology } = cluster;
  const artifacts = wantedComponents(manifest, topology).flatMap((component) =>
    component.artifacts
      .filter(({ platform }) => platform === "linux/amd64")
      .map(({ platform, from, files }): LockedArtifact => ({
        component: component.name,
        version: "1",
        platform,
        from,
        resolved: from,
        mirrors: [],
        digest: `sha256:${"0".repeat(64)}`,
        size: null,
        pinnedBy: "release",
        files,
      })),
  );
  return {
    rendered: renderFixture(cluster),
    platforms: ["linux/amd64"],
    images: wantedImages(manifest, topology, ["linux/amd64"]).map(({ name, roles }) => ({
      name: nameInRuntime(name),
      digest: "sha256:0",
      path: "/image.tar",
      for: { roles },
    })),
    packages: [],
    artifacts,
    // What these clusters' hosts are told to have: the VIP's and the local proxy's programs are the distribution's.
    vouched: ["/usr/sbin/haproxy", "/usr/sbin/keepalived"],
    store: { path: () => program },
  };
}
