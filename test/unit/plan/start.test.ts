/** What is started, what waits for its health, and what `--no-start` leaves alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BundleIndex, decodeIndex } from "#bundle";
import type { PlanInput } from "../../../installer/plan/input.ts";
import { plan } from "../../../installer/plan/plan.ts";
import { goalsIn, idsOf } from "../../../installer/resources/catalogue.ts";
import type { UnitId } from "../../../installer/resources/unit.ts";
import { nodeBundle } from "../../builders/node-bundle.ts";

const selector = { roles: ["worker" as const] };

function withContainerd(index: BundleIndex): void {
  index.units.push({
    name: "containerd.service",
    links: ["multi-user.target.wants/containerd.service"],
    start: 20,
    noBlock: false,
    restartOn: [],
    for: selector,
  });
  index.checks.push({
    name: "containerd answers",
    unit: "containerd.service",
    argv: ["/bin/true"],
    environment: {},
    timeoutSeconds: 5,
    severity: "error",
    hint: "journalctl -u containerd",
    for: selector,
  });
  index.objects.push({ name: "network", via: "etcd3", key: "/network", value: "{}", for: selector });
  index.images.push({ name: "example.org/hello:1", digest: "sha256:0", path: "/images.tar", for: selector });
}

async function input(): Promise<PlanInput> {
  const [first] = await nodeBundle({ edit: withContainerd });
  const index = decodeIndex(String(first?.content), "bundle.json");
  const [profile] = index.nodes.filter(({ name }) => name === "n2");
  assert.ok(profile !== undefined);
  const selection = {
    profile,
    roles: ["worker" as const],
    platform: "linux/amd64" as const,
    name: "n2",
    ip: "10.0.0.12",
    iface: null,
  };
  return { index, selection, files: [], live: true, owner: null };
}

function unitsOf(given: PlanInput): UnitId[] {
  return idsOf("unit", goalsIn(plan(given)));
}

test("units start in their order, images and objects after what takes them, and each phase waits for its checks", async () => {
  const { phases } = plan(await input());
  assert.deepEqual(
    phases.map(({ name }) => name).filter((name) => /^(start|enable|images|keys)/.test(name)),
    ["start serve", "start containerd", "images", "keys"],
  );
  assert.deepEqual(
    phases.flatMap(({ gates }) => gates),
    ["containerd answers"],
  );
  assert.ok(unitsOf(await input()).every(({ start }) => start));
});

test("with --no-start every unit is enabled by its links, and nothing is started, asked or imported", async () => {
  const given = { ...(await input()), starts: false };
  assert.deepEqual(
    unitsOf(given).map(({ name, start, links }) => [name, start, links.length]),
    [
      ["serve.service", false, 1],
      ["containerd.service", false, 1],
    ],
  );
  const { phases } = plan(given);
  assert.deepEqual(
    phases.flatMap(({ gates }) => gates),
    [],
  );
  assert.ok(phases.every(({ name }) => !/^(start|images|keys)/.test(name)));
});

test("what daemons write is noted before the first of them starts, what runs below a runtime before the runtime", async () => {
  const given = await input();
  const pods = { containerd: "/var/lib/containerd", docker: null, kubelet: "/var/lib/kubelet", for: selector };
  given.index.pods = pods;
  given.index.written = [
    { path: "/etc/kubernetes/kubelet.kubeconfig", by: "kubelet", credential: true, for: selector },
  ];
  const names = plan(given).phases.map(({ name }) => name);
  const [files, first] = [names.indexOf("note files"), names.findIndex((name) => /^(start|enable)/.test(name))];
  assert.equal(files, first - 1, names.join(", "));
  assert.equal(names.indexOf("note host"), names.indexOf("start containerd") - 1, names.join(", "));
});
