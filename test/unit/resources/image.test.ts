import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect } from "../../../installer/host/effect.ts";
import { image, type ImageId, type ImageState } from "../../../installer/resources/image.ts";
import { FakeHost } from "../../fakes/fake-host.ts";
import { bringing } from "../../fakes/states.ts";

const digest = `sha256:${"a".repeat(64)}`;
const spec: ImageId = {
  runtime: "containerd",
  name: "registry.k8s.io/pause:3.10",
  digest,
  config: `sha256:${"b".repeat(64)}`,
  path: "/images/pause.tar",
  client: ["/usr/local/bin/ctr"],
};

const nothing: ImageState = { found: null, pinned: false };

function argv(effects: readonly Effect[]): string[] {
  return effects.map((effect) => (effect.do === "run" ? effect.argv.slice(1).join(" ") : effect.do));
}

test("an image is imported, its digest checked, and pinned", () => {
  const effects = bringing(image, spec, nothing);
  assert.deepEqual(argv(effects), [
    "-n k8s.io images import /images/pause.tar",
    "-n k8s.io images ls name==registry.k8s.io/pause:3.10",
    "-n k8s.io images label registry.k8s.io/pause:3.10 io.cri-containerd.pinned=pinned",
  ]);
  const check = effects[1];
  assert.ok(check?.do === "run" && check.matches !== undefined);
  const line = (said: string): string =>
    `REF TYPE DIGEST\nregistry.k8s.io/pause:3.10 application/x ${said} 1 MiB linux/amd64 -`;
  assert.match(line(digest), new RegExp(check.matches, "m"));
  assert.doesNotMatch(line(`sha256:${"c".repeat(64)}`), new RegExp(check.matches, "m"));
});

test("an image that is there is only pinned, and one that is pinned as well is left", () => {
  assert.deepEqual(argv(bringing(image, spec, { found: digest, pinned: false })), [
    "-n k8s.io images label registry.k8s.io/pause:3.10 io.cri-containerd.pinned=pinned",
  ]);
  assert.deepEqual(bringing(image, spec, { found: digest, pinned: true }), []);
  assert.deepEqual(argv(image.steps(spec, { found: digest, pinned: true }, { found: digest, pinned: false })), [
    "-n k8s.io images label registry.k8s.io/pause:3.10 io.cri-containerd.pinned=",
  ]);
});

test("the name that containerd's CRI gives an image goes with it, unless it was there before", () => {
  const removed = (identified: boolean): string[] =>
    argv(image.steps(spec, image.spec(spec, nothing), { ...nothing, identified }));
  assert.deepEqual(removed(false), [
    "-n k8s.io images rm registry.k8s.io/pause:3.10",
    `-n k8s.io images rm ${spec.config}`,
  ]);
  assert.deepEqual(removed(true), ["-n k8s.io images rm registry.k8s.io/pause:3.10"]);
});

test("with --root, and where no runtime answers, nobody can tell what it has", async () => {
  assert.deepEqual(await image.inspect(new FakeHost({ live: false }), spec), { unknown: "the host does not run" });
  const why = "containerd does not answer: /usr/local/bin/ctr is not there yet";
  assert.deepEqual(await image.inspect(new FakeHost(), spec), { unknown: why });
});

test("docker removes an image without force, so that one in use stays", () => {
  const docker: ImageId = { ...spec, runtime: "docker", client: ["docker"] };
  const [removal] = image.steps(docker, image.spec(docker, nothing), nothing);
  assert.ok(removal?.do === "run");
  assert.deepEqual(removal.argv, ["docker", "image", "rm", spec.name]);
});
