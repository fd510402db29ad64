import assert from "node:assert/strict";
import { test } from "node:test";
import { type BundleIndex, decodeIndex } from "#bundle";
import { goalsIn } from "../../../installer/resources/catalogue.ts";
import { plan } from "../../../installer/plan/plan.ts";
import { select } from "../../../installer/plan/select.ts";
import { findTimeSync } from "../../../installer/plan/time-sync.ts";
import { FakeHost } from "../../fakes/fake-host.ts";
import { nodeBundle } from "../../builders/node-bundle.ts";
import type { Facts } from "../../../installer/host/facts.ts";

const [first] = await nodeBundle({
  edit: (index) => (index.host.timeSync = ["10.0.0.1", "ntp.example"]),
});
const sample = decodeIndex(first?.content.toString("utf8") ?? "", "test");
const facts = { live: true, platform: "linux/amd64", hostname: "n1", interfaces: [] } as unknown as Facts;
const selection = select(sample, { role: "worker", ip: "10.0.0.11", name: undefined, iface: undefined }, facts);

const chronyUnit = "/usr/lib/systemd/system/chrony.service";
const timesyncdUnit = "/usr/lib/systemd/system/systemd-timesyncd.service";
const wantsChrony = "/etc/systemd/system/multi-user.target.wants/chrony.service";

function hostWith(prepare: (host: FakeHost) => void): FakeHost {
  const host = new FakeHost();
  host.file(chronyUnit, "[Install]\nAlias=chronyd.service\nWantedBy=multi-user.target\n");
  host.file("/etc/chrony/chrony.conf", "confdir /etc/chrony/conf.d\npool 2.debian.pool.ntp.org iburst\n");
  host.file(timesyncdUnit, "[Install]\nWantedBy=sysinit.target\nAlias=dbus-org.freedesktop.timesync1.service\n");
  prepare(host);
  return host;
}

async function found(prepare: (host: FakeHost) => void, edit: (index: BundleIndex) => void = () => {}) {
  const index = structuredClone(sample);
  edit(index);
  return findTimeSync(index, selection, hostWith(prepare));
}

test("what runs is pointed at the servers; else what a boot starts, else what is not masked", async () => {
  const start = (name: string) => (host: FakeHost) => void host.system.run(["systemctl", "start", name]);
  const running = await found(start("systemd-timesyncd.service"));
  assert.equal(running?.unit.name, "systemd-timesyncd.service");
  assert.equal(
    running?.dropIn?.content.toString(),
    "# By Kubeferry; removed by ./install undo\n[Time]\nNTP=\nNTP=10.0.0.1 ntp.example\nFallbackNTP=\n",
  );
  const enabled = await found((host) => {
    host.file("/lib/systemd/system/chrony.service", "the same");
    host.link(wantsChrony, "/lib/systemd/system/chrony.service");
  });
  assert.equal(enabled?.unit.name, "chrony.service");
  assert.equal(enabled?.unit.file, "/lib/systemd/system/chrony.service", "the link that enables it stays as it is");
  assert.deepEqual(enabled?.unit.links, [wantsChrony]);
  assert.deepEqual(enabled?.unit.restartOn, [
    { path: "/etc/chrony/conf.d/99-kubeferry.conf", digest: enabled?.dropIn?.file.digest },
  ]);
  const masked = await found((host) => host.link("/etc/systemd/system/chrony.service", "/dev/null"));
  assert.equal(masked?.unit.name, "systemd-timesyncd.service");
  assert.equal(
    (
      await found(
        () => {},
        ({ host }) => host.stopServices.push("chrony"),
      )
    )?.unit.name,
    masked?.unit.name,
  );
});

test("a chrony that reads no folder gets a block in its own file, and the same one the next time", async () => {
  const config = "/etc/chrony.conf";
  const prepare = (host: FakeHost): void => {
    host.entries.delete("/etc/chrony/chrony.conf");
    host.file(config, "pool 2.rhel.pool.ntp.org iburst\n");
  };
  const { unit, dropIn } = (await found(prepare)) ?? assert.fail("nothing found");
  assert.equal(dropIn, null);
  assert.deepEqual(unit.block, { path: config, lines: ["server 10.0.0.1 iburst", "server ntp.example iburst"] });
  const again = await found((host) => {
    prepare(host);
    const block = `# begin kubeferry\n${unit.block?.lines.join("\n")}\n# end kubeferry\n`;
    host.file(config, `pool 2.rhel.pool.ntp.org iburst\n${block}`);
  });
  assert.deepEqual(again?.unit.restartOn, unit.restartOn);
});

test("no other daemon that keeps time is taken over, and where none is asked for nothing is done", async () => {
  const ntp = (host: FakeHost): void => {
    host.file("/usr/lib/systemd/system/ntpsec.service", "ntp");
    host.system.run(["systemctl", "start", "ntpsec.service"]);
  };
  assert.equal(await found(ntp), null);
  assert.equal((await found(ntp, ({ host }) => host.stopServices.push("ntpsec")))?.unit.name, "chrony.service");
  assert.equal(
    await found(
      () => {},
      ({ host }) => delete host.timeSync,
    ),
    null,
  );
});

test("its file is placed before it starts, and its folder made before both", async () => {
  const { unit: time, dropIn } = (await found(() => {})) ?? assert.fail("nothing found");
  const files = dropIn === null ? [] : [dropIn.file];
  const { phases } = plan({ index: sample, selection, files, time, live: true, owner: null });
  const goals = goalsIn({ phases });
  const at = (resource: string, part: object): number =>
    goals.findIndex(
      (one) =>
        one.resource === resource &&
        Object.entries(part).every(([key, value]) => Reflect.get(one.id as object, key) === value),
    );
  const order = [
    at("directory", { path: "/etc/chrony/conf.d" }),
    at("file", { path: "/etc/chrony/conf.d/99-kubeferry.conf" }),
    at("unit", { name: "chrony.service", start: true }),
    at("unit", { name: "serve.service" }),
  ];
  assert.ok(order.every((place) => place >= 0));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert.ok(at("directory", { path: "/etc/systemd/system/multi-user.target.wants" }) >= 0);
});
