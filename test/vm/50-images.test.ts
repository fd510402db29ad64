/**
 * Container images in real runtimes: `./install` has containerd, or dockerd, import what the bundle carries. The image is
 * the one that the lock pins, and undo takes it out of the runtime's own books.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { cached } from "../../scripts/vm/cache.ts";
import type { Machine } from "../../scripts/vm/machine.ts";
import { type Lock, lockSchema } from "../../builder/lock/lock.ts";
import { writeLayout } from "../builders/image-layout.ts";
import { buildAnew } from "../builders/mirrored-bundle.ts";
import { type Registry, skopeo, startRegistry } from "../servers/registry.ts";
import { buildBundle, type BuiltBundle, insert, installer, mountBundle } from "../machines/bundle.ts";
import { install, must } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const name = "registry.example/team/hello:1.0";
const shared = { "base.txt": "a layer that both platforms share\n".repeat(100) };
const images = [
  { platform: "linux/amd64", layers: [shared, { hello: "amd64\n" }] },
  { platform: "linux/arm64", layers: [shared, { hello: "arm64\n" }] },
];
const undoButData = [installer, "undo", "--yes"] as const;

function clusterYaml(runtime: string, image: string): string {
  return `name: images
release: distro
runtime: ${runtime}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [worker] }
images:
  - ${image}
`;
}

const folder = mkdtempSync(join(tmpdir(), "kubeferry-vm-images-"));
let registry: Registry | undefined;
let layout = "";

before(async () => {
  const made = await cached("layout", images, async (into) => {
    writeLayout(join(into, "layout"), "1.0", images);
  });
  layout = join(made, "layout");
});
after(async () => {
  await registry?.stop();
  rmSync(folder, { recursive: true });
});

/** Of the node's platform: digests of manifest, configuration and layers, as the layout has them for the lock's digest. */
function lockedImage(bundle: BuiltBundle): { digest: string; config: string; blobs: string[] } {
  const lock: Lock = lockSchema.parse(parse(readFileSync(join(bundle.folder, "cluster.lock"), "utf8")));
  const found = lock.images.find((one) => one.name === name && one.platform === "linux/amd64");
  assert.ok(found !== undefined, "the lock names the image");
  const manifest = JSON.parse(readFileSync(join(layout, "blobs", found.digest.replace(":", "/")), "utf8")) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  const { config, layers } = manifest;
  return { digest: found.digest, config: config.digest, blobs: [config, ...layers].map(({ digest }) => digest) };
}

test("containerd gets a layout's image under the lock's digest, pinned; undo takes it out of containerd's books", async () => {
  const bundle = await buildBundle(clusterYaml("containerd", `{ name: "${name}", from: "oci:${layout}:1.0" }`));
  const wanted = lockedImage(bundle);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const fresh = await captureState(machine);
  const ctr = (words: string): Promise<string> => machine.run(`/usr/local/bin/ctr -n k8s.io ${words}`);

  assert.match(
    await must(machine, [...install("worker"), "--dry-run"]),
    /images import \/var\/lib\/kubeferry\/images\//,
  );
  await must(machine, install("worker"));
  const line = (await ctr(`images ls name==${name}`)).split("\n")[1] ?? "";
  assert.equal(line.split(/\s+/)[2], wanted.digest);
  assert.match(line, /io\.cri-containerd\.pinned=pinned/);
  const content = await ctr("content ls -q");
  for (const digest of wanted.blobs) assert.ok(content.includes(digest), `containerd lacks ${digest}`);
  // containerd's CRI names every image by its configuration's digest as well.
  const present = (await ctr("images check -q")).trim().split("\n");
  assert.deepEqual(present.toSorted(), [name, wanted.config].toSorted());

  await machine.reboot();
  await mountBundle(machine);
  assert.match(await ctr(`images ls name==${name}`), new RegExp(wanted.digest));
  await must(machine, [installer, "status"]);
  await must(machine, [installer, "audit"]);

  // containerd itself is asked once more after undo, from copies of its programs, over the data that undo leaves.
  await machine.run("mkdir /run/kept && cp /usr/local/bin/containerd /usr/local/bin/ctr /run/kept/");
  assert.match(await must(machine, undoButData), /images rm registry\.example\/team\/hello:1\.0/);
  await machine.run("systemd-run --quiet --unit=kept-containerd /run/kept/containerd --config /dev/null");
  const ask = "/run/kept/ctr -n k8s.io images ls -q";
  assert.equal(await machine.run(`for i in $(seq 100); do ${ask} && exit 0; sleep 0.2; done 2>/dev/null; exit 1`), "");
  // With no configuration it made its default folders: of this question, not of the installation.
  const asked = "/run/kept /run/containerd /var/lib/containerd /etc/cni /opt/containerd";
  await machine.run(`systemctl stop kept-containerd; rm -rf ${asked}`);
  await isAsBefore(machine, fresh);
});

test("dockerd gets a registry's image, whose id is of the manifest that the lock pins; undo removes it", async () => {
  registry = await startRegistry(folder);
  const place = `docker://${registry.host}/team/hello:1.0`;
  skopeo("copy", "--all", "--dest-tls-verify=false", `oci:${layout}:1.0`, place);
  const options = ["--registry", `registry.example=http://${registry.host}`];
  const bundle = await buildAnew(clusterYaml("docker", `{ name: "${name}" }`), options);
  const wanted = lockedImage(bundle);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  const fresh = await captureState(machine);
  const inspect = `/usr/local/bin/docker image inspect --format '{{.Id}} {{.Architecture}}' ${name}`;
  const books = `/var/lib/docker/image/overlay2/imagedb/content/${wanted.config.replace(":", "/")}`;

  await must(machine, install("worker"));
  assert.equal(await machine.run(inspect), `${wanted.config} amd64\n`);
  await machine.run(`test -f ${books}`);
  await machine.reboot();
  await mountBundle(machine);
  assert.equal(await machine.run(inspect), `${wanted.config} amd64\n`);
  await must(machine, [installer, "status"]);
  await must(machine, [installer, "audit"]);

  assert.match(await must(machine, undoButData), /image rm registry\.example\/team\/hello:1\.0/);
  await machine.run(`test -d $(dirname ${books}) && ! test -e ${books}`);
  await machine.run("rm -rf /var/lib/docker /var/lib/containerd");
  // dockerd leaves its firewall chains and its bridge in the kernel when it stops; they end with the boot.
  await machine.reboot();
  await mountBundle(machine);
  await isAsBefore(machine, fresh);
});

async function isAsBefore(machine: Machine, fresh: Awaited<ReturnType<typeof captureState>>): Promise<void> {
  assert.deepEqual(differences(fresh, await captureState(machine, fresh)), []);
}
