/**
 * A control-plane node of 1.16 and of 1.36: all of its files and units are installed and taken back. There is no
 * Kubernetes daemon here, so its programs are stand-ins, which are placed and never started; etcd is the distribution's.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { decodeIndex, selects } from "#bundle";
import { loadRelease } from "../../builder/config/releases.ts";
import { cacheFolder } from "../../scripts/vm/cache.ts";
import type { Machine } from "../../scripts/vm/machine.ts";
import { writeStandInRelease } from "../fakes/stand-in-release.ts";
import { buildBundle, insert, installer, mountBundle } from "../machines/bundle.ts";
import { install, must, undo } from "../machines/commands.ts";
import { captureState, differences } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const platform = "linux/amd64" as const;
const daemons = ["kube-apiserver.service", "kube-controller-manager.service", "kube-scheduler.service"];

/** Where each generation keeps etcd's certificates. */
const releases: Readonly<Record<string, string>> = {
  "kubernetes-1.16": "/etc/etcd/cert",
  "kubernetes-1.36": "/etc/kubernetes/pki/etcd",
};

for (const [release, etcdPki] of Object.entries(releases)) {
  test(`a control-plane node of ${release} is installed and undone; its daemons are not started, and that is told`, async (t) => {
    const bundle = await buildBundle(`name: plane
release: ${await standIns(release)}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, control-plane] }
  - { name: n2, ip: 10.0.0.12, roles: [worker] }
`);
    const index = decodeIndex(readFileSync(join(bundle.folder, "bundle/bundle.json"), "utf8"), "bundle.json");
    const own = index.units.filter((unit) => selects(unit.for, "n1", ["etcd", "master"], platform));
    await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
    await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
    const before = await captureState(machine);

    await must(machine, install("etcd"));
    const member = `--cacert=${etcdPki}/ca.pem --cert=${etcdPki}/etcd.pem --key=${etcdPki}/etcd-key.pem`;
    const ask = `ETCDCTL_API=3 /usr/local/bin/etcdctl --endpoints=https://10.0.0.11:2379 ${member} endpoint health 2>&1`;
    assert.match(await machine.run(ask), /is healthy/);
    t.diagnostic(
      `etcd.service: started, healthy: ${(await machine.run("/usr/local/bin/etcd --version")).split("\n")[0]}`,
    );

    const said = await must(machine, [...install("master"), "--no-start"]);
    assert.doesNotMatch(said, /systemctl (re)?start/);
    assert.match(said, /Units are enabled and not started/);
    const status = await must(machine, [installer, "status"]);
    for (const unit of daemons) {
      assert.ok(own.some(({ name }) => name === unit));
      assert.match(status, new RegExp(`${unit} was not started: installed with --no-start`));
      assert.equal((await machine.exec(["systemctl", "is-enabled", unit])).stdout, "enabled\n");
      assert.equal((await machine.exec(["systemctl", "is-active", unit])).stdout, "inactive\n");
      assert.match(await machine.run(`journalctl --unit ${unit} --output cat`), /^(-- No entries --)?\s*$/);
      t.diagnostic(`${unit}: not started: no Kubernetes daemon here`);
    }
    await unitsAreSound(
      machine,
      own.map(({ name }) => name),
    );
    await must(machine, [installer, "audit"]);
    const files = index.files.filter((file) => selects(file.for, "n1", ["etcd", "master"], platform));
    const missing = await machine.run("xargs -d '\\n' -n 1 sh -c 'test -f \"$0\" || echo \"$0\"'", {
      input: files.map(({ path }) => path).join("\n"),
    });
    assert.equal(missing, "");
    t.diagnostic(`${files.length} files, ${own.length} units`);

    await must(machine, undo);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
    await machine.reboot();
    await mountBundle(machine);
    assert.deepEqual(differences(before, await captureState(machine, before)), []);
  });
}

async function unitsAreSound(machine: Machine, names: readonly string[]): Promise<void> {
  const paths = names.map((name) => `/etc/systemd/system/${basename(name)}`);
  // The guest has no manual pages, which would be looked for as well.
  const argv = ["systemd-analyze", "verify", "--man=no", ...paths] as const;
  const { code, stdout, stderr } = await machine.exec(argv, { timeoutSeconds: 600 });
  assert.equal(stdout + stderr, "");
  assert.equal(code, 0);
}

/** The release with stand-ins for all but etcd: the path of its manifest. Written anew each time, and always the same. */
async function standIns(release: string): Promise<string> {
  const distro = await loadRelease("distro");
  const { digest } = await loadRelease(release);
  const etcd = distro.manifest.components.find(({ name }) => name === "etcd")?.artifacts ?? [];
  const folder = join(cacheFolder, `stand-ins-${release}-${digest.slice(0, 16)}`);
  mkdirSync(folder, { recursive: true });
  const real = { etcd: etcd.filter((artifact) => artifact.platform === platform) };
  return writeStandInRelease(folder, release, { platform, real });
}
