import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parse } from "yaml";
import { isExpected } from "#cli/errors";
import { parseCluster } from "../../../builder/config/load.ts";
import { readOwnManifest } from "../../../builder/config/own-manifests.ts";
import { neededImages } from "../../../builder/lock/needed.ts";
import { identitiesIn } from "../../../installer/resources/manifest.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-manifests-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const mixed = `
{"apiVersion": "v1", "kind": "List", "items": [
  {"kind": "Secret", "metadata": {"namespace": "plant", "name": "login"}, "apiVersion": "v1",
   "stringData": {"mode": "0644", "yes": "yes"}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: app, labels: { name: other } }
spec:
  template:
    spec: &spec
      initContainers: [{ name: i, image: registry.plant/init:1 }]
      containers: [{ name: c, image: "registry.plant/app:2" }, { name: d, image: registry.plant/init:1 }]
      volumes:
        - { name: m, configMap: { name: app, defaultMode: 0644, optional: yes } }
        - { name: v, image: { reference: registry.plant/data:3 } }
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ys.plant.example }
spec: { y: 2024-01-01, n: 12:30 }
`;

test("a manifest of any form becomes one that the installer's reader knows, definitions first", () => {
  const { manifests, images, problems } = readOwnManifest("objects/app.yaml", mixed);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    manifests.map(({ name, sensitive, text }) => [
      name,
      sensitive,
      identitiesIn(text)?.map(({ kind, name }) => [kind, name]),
    ]),
    [
      ["app-crds", false, [["CustomResourceDefinition", "ys.plant.example"]]],
      [
        "app",
        true,
        [
          ["Secret", "login"],
          ["Deployment", "app"],
        ],
      ],
    ],
  );
  assert.deepEqual(images.toSorted(), ["registry.plant/app:2", "registry.plant/data:3", "registry.plant/init:1"]);
});

test("values are what kubectl reads: octal modes, yes, but neither dates nor times nor one-letter truths", () => {
  const { manifests } = readOwnManifest("app.yaml", mixed);
  const [definition, own] = manifests.map(({ text }) => text);
  assert.deepEqual((parse(definition ?? "") as { spec: unknown }).spec, { y: "2024-01-01", n: "12:30" });
  assert.match(own ?? "", /defaultMode: 420\n\s+optional: true\n/);
  assert.match(own ?? "", /mode: "0644"\n\s+"yes": "yes"\n/);
});

const cluster = (release: string, manifests: string): string => `
name: plant-7
release: ${release}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, master, worker] }
manifests: ${manifests}
`;

test("the images of its pods are those that the lock asks for, each once", async () => {
  writeFileSync(join(folder, "app.yaml"), mixed);
  const text = `${cluster("kubernetes-1.36", "[app.yaml]")}images: [{ name: registry.plant/app:2, from: "oci:./app" }]\n`;
  const { cluster: loaded, manifest, warnings } = await parseCluster(join(folder, "cluster.yaml"), text);
  const needed = neededImages(loaded, manifest, "linux/amd64").filter(({ name }) => name.startsWith("registry.plant/"));
  assert.deepEqual(
    needed.map(({ name, from }) => [name, from]),
    [
      ["registry.plant/app:2", "oci:./app"],
      ["registry.plant/init:1", undefined],
      ["registry.plant/data:3", undefined],
    ],
  );
  assert.deepEqual(warnings, []);
});

test("what is no manifest, or has nobody to apply it, is refused at its place; an image without a tag is a warning", async () => {
  const pod = (image: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nspec: { containers: [{ name: c, image: "${image}" }] }\n`;
  writeFileSync(join(folder, "broken.yaml"), "kind: [\n");
  writeFileSync(join(folder, "empty.yaml"), "# nothing\n");
  writeFileSync(join(folder, "nameless.yaml"), "apiVersion: v1\nkind: Pod\nmetadata: { generateName: p- }\n");
  writeFileSync(join(folder, "image.yaml"), pod("Registry Plant"));
  writeFileSync(join(folder, "latest.yaml"), pod("registry.plant/app"));
  const cases = [
    ["kubernetes-1.36", "[absent.yaml]", /cannot read absent\.yaml/],
    ["kubernetes-1.36", "[broken.yaml]", /broken\.yaml: /],
    ["kubernetes-1.36", "[empty.yaml]", /empty\.yaml: it holds no object/],
    ["kubernetes-1.36", "[nameless.yaml]", /Pod \(object 1\) has no metadata\.name/],
    ["kubernetes-1.36", "[image.yaml]", /is not the name of a container image/],
    ["kubernetes-1.36", "[latest.yaml, ./latest.yaml]", /another file is called latest already/],
    ["distro", "[latest.yaml]", /release distro has no API server/],
  ] as const;
  for (const [release, manifests, message] of cases) {
    await assert.rejects(parseCluster(join(folder, "cluster.yaml"), cluster(release, manifests)), (error) => {
      assert.ok(isExpected(error, "CONFIG_INVALID"), String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  const { warnings } = await parseCluster(join(folder, "cluster.yaml"), cluster("kubernetes-1.36", "[latest.yaml]"));
  assert.match(warnings.join("\n"), /registry\.plant\/app has no tag of its own/);
});
