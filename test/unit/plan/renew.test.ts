/** A renewal restarts the units that read what is new, as they are installed, and no other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#bundle";
import { effectsOf, inspectPlan } from "../../../installer/journal/apply.ts";
import { commandOf } from "../../../installer/host/systemd.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import type { Transaction } from "../../../installer/journal/transaction.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import type { FileId } from "../../../installer/resources/file.ts";
import type { Goal } from "../../../installer/resources/resource.ts";
import { renewalPlan } from "../../../installer/plan/renew.ts";
import { FakeHost } from "../../fakes/fake-host.ts";

const owner = { uid: 0, gid: 0 };
const spec = (path: string, text: string): FileId => {
  return { path, mode: 0o644, owner, digest: digestOf(text), size: text.length, sensitive: false };
};
const unitFile = (name: string): string => `/etc/systemd/system/${name}`;
const unit = (name: string, certificate: string, text: string): Goal =>
  goal("unit", {
    name,
    file: unitFile(name),
    links: [],
    start: true,
    noBlock: false,
    restartOn: [certificate, unitFile(name)].map((path) => ({
      path,
      digest: digestOf(path === certificate ? text : name),
    })),
  });

const units = { etcd: "etcd.service", api: "kube-apiserver.service" };
const past: Transaction[] = [
  {
    id: 1,
    at: "2026-11-21T00:00:00Z",
    header: { roles: ["master"], bundle: { payload: digestOf("p") }, checks: [], notes: [] } as unknown as Header,
    phases: [
      {
        name: "place",
        goals: [
          ...[spec("/pki/etcd.pem", "etcd 1"), spec("/pki/api.pem", "api 1")],
          ...Object.values(units).map((name) => spec(unitFile(name), name)),
        ].map((file) => goal("file", file)),
        gates: [],
      },
      { name: "start etcd", goals: [unit(units.etcd, "/pki/etcd.pem", "etcd 1")], gates: ["etcd is healthy"] },
      { name: "start kube-apiserver", goals: [unit(units.api, "/pki/api.pem", "api 1")], gates: ["api is ready"] },
    ],
    changes: [],
    done: new Set(),
    undone: new Set(),
    state: "committed",
  },
];

function hostWith(): FakeHost {
  const host = new FakeHost();
  host.file("/pki/etcd.pem", "etcd 1");
  host.file("/pki/api.pem", "api 1");
  for (const name of Object.values(units)) {
    host.file(unitFile(name), name);
    host.system.run(["systemctl", "start", name]);
  }
  return host;
}

async function commands(renewed: FileId[]): Promise<string[]> {
  const changes = await inspectPlan(hostWith(), renewalPlan(past, renewed));
  return changes
    .flatMap(({ change }) => effectsOf(change))
    .map((effect) =>
      effect.do === "systemctl"
        ? commandOf(effect).argv.join(" ")
        : `${effect.do} ${"path" in effect ? effect.path : ""}`,
    );
}

test("one new certificate restarts its unit, behind its own health check", async () => {
  const renewed = [spec("/pki/api.pem", "api 2"), spec("/pki/etcd.pem", "etcd 1")];
  assert.deepEqual(await commands(renewed), [
    "keep /pki/api.pem",
    "write /pki/api.pem",
    "systemctl daemon-reload",
    "systemctl restart kube-apiserver.service",
  ]);
  assert.deepEqual(
    renewalPlan(past, renewed).phases.map(({ name, gates }) => [name, ...gates]),
    [["place"], ["start kube-apiserver", "api is ready"]],
  );
});

test("several restart in the order in which they were started", async () => {
  const said = await commands([spec("/pki/api.pem", "api 2"), spec("/pki/etcd.pem", "etcd 2")]);
  assert.deepEqual(
    said.filter((line) => line.includes("restart")),
    ["systemctl restart etcd.service", "systemctl restart kube-apiserver.service"],
  );
});

test("the very certificates that are installed change nothing", () => {
  assert.deepEqual(renewalPlan(past, [spec("/pki/api.pem", "api 1")]).phases, []);
});
