import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf } from "../../../installer/host/systemd.ts";
import { withBlock } from "../../../installer/resources/block.ts";
import { unedit } from "../../../installer/resources/edit.ts";
import { sysctl, sysctlPath } from "../../../installer/resources/kernel.ts";
import { chainsIn } from "../../../installer/resources/nftables.ts";
import { activeSwaps, swap, swapLines } from "../../../installer/resources/swap.ts";
import { goal } from "../../../installer/resources/catalogue.ts";
import { begin, effectsOf, inspectPlan, resumePlan, stepsOf } from "../../../installer/journal/apply.ts";
import type { Header } from "../../../installer/journal/journal.ts";
import { type Digest, digestOf } from "#bundle";
import { bringing, seen } from "../../fakes/states.ts";
import { MemoryJournal } from "../../fakes/memory-journal.ts";
import { FakeHost } from "../../fakes/fake-host.ts";

const owner = { uid: 0, gid: 0 };

test("swap lines of fstab are found whatever their white space, and comments are not", () => {
  const lines = [
    "UUID=1 / ext4 defaults 0 1",
    "/dev/sda2\tnone\tswap\tsw\t0\t0",
    "  LABEL=x  none  swap  sw",
    "#/dev/sdb none swap sw",
    "/swap.img / btrfs subvol=swap",
  ];
  assert.deepEqual(swapLines(lines.join("\n")), [lines[1], lines[2]]);
});

test("active swaps are read from /proc/swaps with their names unescaped, the first priority first", () => {
  const text = "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n/a\\040b file 1 0 10\n";
  assert.deepEqual(activeSwaps(text), [
    { device: "/a b", priority: 10 },
    { device: "/dev/sda2", priority: -2 },
  ]);
});

test("swap comes back with the priorities it had", async () => {
  const host = new FakeHost();
  host.file("/etc/fstab", "/dev/vda2 none swap sw 0 0");
  host.directory("/etc/systemd/system");
  host.system.swapDevices.add("/dev/vda2");
  host.system.run(["swapon", "-p", "7", "/dev/vda2"]);
  const before = await seen(swap, host, {});
  const argv = swap
    .steps({}, swap.spec({}, before), before)
    .flatMap((effect) => (effect.do === "run" ? [effect.argv.join(" ")] : []));
  assert.deepEqual(argv, ["swapon -p 7 /dev/vda2"]);
});

test("a key of sysctl is a path, with dots and slashes as sysctl itself reads them", () => {
  assert.equal(sysctlPath("net.ipv4.ip_forward"), "/proc/sys/net/ipv4/ip_forward");
  assert.equal(sysctlPath("net.ipv4.conf.eth0/100.rp_filter"), "/proc/sys/net/ipv4/conf/eth0.100/rp_filter");
  assert.equal(sysctlPath("net/ipv4/conf/eth0.100/rp_filter"), "/proc/sys/net/ipv4/conf/eth0.100/rp_filter");
});

test("a value is raised and never lowered, and a key that the kernel lacks is not written", () => {
  const spec = { key: "fs.file-max", value: "100", policy: "raise", broughtBy: null } as const;
  assert.deepEqual(bringing(sysctl, spec, "99"), [{ do: "set", path: "/proc/sys/fs/file-max", value: "100" }]);
  assert.deepEqual(bringing(sysctl, spec, "9223372036854775807"), []);
  assert.deepEqual(bringing(sysctl, spec, null), []);
  assert.deepEqual(bringing(sysctl, { ...spec, policy: "set" }, "101").length, 1);
  assert.deepEqual(bringing(sysctl, { ...spec, broughtBy: "a_module" }, null).length, 1);
  const range = { ...spec, key: "net.ipv4.ping_group_range", value: "0 1", policy: "set" } as const;
  assert.deepEqual(bringing(sysctl, range, "0 1"), [], "the kernel's tab is white space");
});

test("the block in hosts is the last thing, takes the place of an earlier one, and an operator's lines stay", () => {
  const spec = ["10.0.0.1 n1"];
  const block = "# begin kubeferry\n10.0.0.1 n1\n# end kubeferry\n";
  assert.equal(withBlock("", spec), block);
  assert.equal(withBlock("127.0.0.1 localhost", spec), `127.0.0.1 localhost\n${block}`);
  assert.equal(withBlock(`a\n# begin kubeferry\nold\n# end kubeferry\nb\n`, spec), `a\n${block}b\n`);
  const lines = block
    .trim()
    .split("\n")
    .map((from) => ({ from, to: null }));
  assert.equal(unedit(`a\n${block}b`, lines), "a\nb");
});

test("the chains that a file of nftables makes are found however it is written", () => {
  const text = `#!/usr/sbin/nft -f
    table inet filter { # chain no {
      set s { elements = { 1.2.3.4 } }
      chain input
      { type filter hook input priority 0; policy drop; tcp dport { 22, 80 } accept comment "chain no {"; }
      chain forward { }
    }
    table mine { chain a { }; }
    add chain ip6 six wall { type filter hook input priority 0; }
    create chain four wall { type filter hook input priority 0; }
    add chain inet filter later
    add rule inet filter input drop
  `;
  const made = ["inet filter input", "inet filter forward", "ip mine a", "ip6 six wall", "ip four wall"];
  assert.deepEqual(chainsIn(text), made);
});

test("a running unit is left alone while nothing of it changes, and restarted when something does", async () => {
  const host = new FakeHost();
  host.file("/etc/systemd/system/a.service", "old");
  host.link("/etc/systemd/system/multi-user.target.wants/a.service", "/etc/systemd/system/a.service");
  host.system.run(["systemctl", "start", "a.service"]);
  const spec = {
    ...{ name: "a.service", file: "/etc/systemd/system/a.service", start: true, noBlock: true },
    links: ["/etc/systemd/system/multi-user.target.wants/a.service"],
    restartOn: [{ path: "/etc/systemd/system/a.service", digest: await host.digest("/etc/systemd/system/a.service") }],
  };
  const inPlan = async (digest: Digest, start = true): Promise<string[]> => {
    const path = "/etc/systemd/system/a.service";
    const file = goal("file", { path, mode: 0o644, owner, digest, size: 6, sensitive: false });
    const plan = { phases: [{ name: "all", goals: [file, goal("unit", { ...spec, start })], gates: [] }] };
    const effects = (await inspectPlan(host, plan)).flatMap(({ change }) => effectsOf(change));
    return effects.map((effect) => (effect.do === "systemctl" ? (commandOf(effect).argv[1] ?? "") : effect.do));
  };
  assert.deepEqual(await inPlan(digestOf("old")), []);
  assert.deepEqual(await inPlan(digestOf("edited")), ["keep", "write", "daemon-reload", "restart"]);
  assert.deepEqual(await inPlan(digestOf("edited"), false), ["keep", "write", "daemon-reload"], "with --no-start");
});

test("a running unit is told of files that it reads anew, there and back; where its own file changes too, it is restarted", async () => {
  const host = new FakeHost();
  const paths = { unit: "/etc/systemd/system/a.service", config: "/etc/a.conf" };
  for (const path of Object.values(paths)) host.file(path, "old");
  host.system.run(["systemctl", "start", "a.service"]);
  const verbs = async (changed: readonly string[]): Promise<string[][]> => {
    const digest = digestOf("new");
    const files = changed.map((path) => goal("file", { path, mode: 0o644, owner, digest, size: 3, sensitive: false }));
    const unit = goal("unit", {
      ...{ name: "a.service", file: paths.unit, links: [], start: true, noBlock: false },
      restartOn: [
        { path: paths.unit, digest },
        { path: paths.config, digest, reload: true },
      ],
    });
    const plan = { phases: [{ name: "all", goals: [...files, unit], gates: [] }] };
    const changes = (await inspectPlan(host, plan)).map(({ change }) => change);
    const back = changes.map((change) => ({ ...change, before: change.after, after: change.before }));
    return [changes, back].map((all) =>
      all.flatMap(effectsOf).flatMap((effect) => (effect.do === "systemctl" ? [effect.verb] : [])),
    );
  };
  assert.deepEqual(await verbs([paths.config]), [
    ["daemon-reload", "reload"],
    ["daemon-reload", "reload"],
  ]);
  assert.deepEqual(await verbs(Object.values(paths)), [
    ["daemon-reload", "restart"],
    ["daemon-reload", "restart"],
  ]);
});

test("a service that a package of the bundle brings is masked before it comes, and any other that is not there is left alone", async () => {
  const host = new FakeHost();
  host.directory("/etc/systemd/system");
  const masks = async (comes: { comes?: true }): Promise<string[]> => {
    const goals = [goal("service", { name: "nginx", ...comes })];
    const plan = { phases: [{ name: "prepare", goals, gates: [] }] };
    const steps = await stepsOf(host, plan, await inspectPlan(host, plan));
    return steps.flatMap((step) => ("effect" in step ? [step.effect.do] : []));
  };
  assert.deepEqual(await masks({ comes: true }), ["symlink", "systemctl"]);
  assert.deepEqual(await masks({}), []);
});

test("who is killed between the mask of a service and telling systemd of it tells it when going on", async () => {
  const host = new FakeHost();
  host.file("/usr/lib/systemd/system/foreign.service", "theirs");
  host.directory("/etc/systemd/system");
  const plan = { phases: [{ name: "prepare", goals: [goal("service", { name: "foreign" })], gates: [] }] };
  const journal = new MemoryJournal(host);
  const header = { made: [] as string[] } as unknown as Header;
  const transaction = begin(journal, header, plan, await inspectPlan(host, plan), "2026-11-21T00:00:00Z");
  await host.perform({ do: "symlink", path: "/etc/systemd/system/foreign.service", target: "/dev/null" });
  const left = await resumePlan(host, transaction);
  const steps = await stepsOf(host, plan, left);
  assert.deepEqual(steps, [{ phase: "prepare", effect: { do: "systemctl", verb: "daemon-reload" } }]);
});
