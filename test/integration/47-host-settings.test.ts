/** What is rendered for the host itself, read by the programs that it is for: a login's shell, PAM, chrony. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeIndex } from "#bundle";
import type { Facts } from "../../installer/host/facts.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { block } from "../../installer/resources/block.ts";
import { select } from "../../installer/plan/select.ts";
import { findTimeSync } from "../../installer/plan/time-sync.ts";
import { nodeBundle } from "../builders/node-bundle.ts";
import { bringing, seen } from "../fakes/states.ts";

const golden = join(import.meta.dirname, "../golden/clusters/1.36-etcd-apart/files");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-host-settings-"));
after(() => rmSync(folder, { recursive: true }));

const run = (program: string, args: readonly string[], cwd = folder): string =>
  execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

test("a login finds the programs, once, whatever PATH it came with", () => {
  const script = join(golden, "etc/profile.d/kubeferry.sh");
  const pathAfter = (path: string): string =>
    run("/usr/bin/env", [`PATH=${path}`, "/bin/sh", "-eu", "-c", `. ${script}; . ${script}; echo "$PATH"`]);
  assert.equal(pathAfter("/usr/bin:/bin"), "/usr/local/bin:/usr/bin:/bin");
  assert.equal(pathAfter("/usr/bin:/usr/local/bin"), "/usr/bin:/usr/local/bin");
});

test("PAM gives logins the limits of cluster.yaml, root's as well", () => {
  const limits = join(folder, "limits.d");
  mkdirSync(limits);
  const text = readFileSync(join(golden, "etc/security/limits.d/99-kubeferry.conf"), "utf8");
  // A container's root cannot raise what the container was given.
  writeFileSync(join(limits, "99-kubeferry.conf"), text.replaceAll("nofile 524288", "nofile 1536"));
  const login = (user: string): string => {
    const inside = `mount --bind ${limits} /etc/security/limits.d && su -s /bin/sh -c 'ulimit -Hn; ulimit -Sn' ${user}`;
    return run("unshare", ["--mount", "/bin/sh", "-c", inside]);
  };
  assert.equal(login("nobody"), "1536\n1536");
  assert.equal(login("root"), "1536\n1536");
});

test("chrony asks the servers, from a file beside its configuration or from a block in it", async () => {
  // Only unpacked: installed it would take the place of what keeps this machine's time.
  run("apt-get", ["download", "-q", "chrony"]);
  const deb = readdirSync(folder).find((name) => name.endsWith(".deb")) ?? assert.fail("nothing was downloaded");
  run("dpkg", ["-x", deb, "chrony"]);
  const root = join(folder, "tree");
  cpSync(join(folder, "chrony"), root, { recursive: true });
  const [first] = await nodeBundle({ edit: (index) => (index.host.timeSync = ["10.0.0.1", "ntp.example"]) });
  const index = decodeIndex(first?.content.toString("utf8") ?? "", "test");
  const facts = { live: false, platform: "linux/amd64", hostname: "n1", interfaces: [] } as unknown as Facts;
  const selection = select(index, { role: "worker", ip: "10.0.0.11", name: undefined, iface: undefined }, facts);
  const host = createLocalHost({ root, contents: { stage: folder, before: folder } });
  const servers = ["server 10.0.0.1 iburst", "server ntp.example iburst"];

  const config = "/etc/chrony/chrony.conf";
  const shipped = "confdir /etc/chrony/conf.d\npool 2.debian.pool.ntp.org iburst\n";
  mkdirSync(join(root, "etc/chrony/conf.d"), { recursive: true });
  writeFileSync(join(root, config), shipped);
  const { unit, dropIn } = (await findTimeSync(index, selection, host)) ?? assert.fail("chrony is not found");
  assert.equal(unit.name, "chrony.service");
  assert.match(unit.links.join(), /^\/etc\/systemd\/system\/multi-user\.target\.wants\/chrony\.service$/);
  const path = dropIn?.file.entry.path ?? assert.fail("it has no file");
  writeFileSync(join(root, path), dropIn?.content ?? "");
  const asRead = (): string[] => {
    writeFileSync(join(folder, "here.conf"), run("cat", [join(root, config)]).replaceAll(" /etc/", ` ${root}/etc/`));
    return run(join(root, "usr/sbin/chronyd"), ["-p", "-f", join(folder, "here.conf")]).split("\n");
  };
  assert.deepEqual(asRead(), [...servers, "pool 2.debian.pool.ntp.org iburst"]);

  rmSync(join(root, path));
  writeFileSync(join(root, config), "pool 2.rhel.pool.ntp.org iburst\n");
  const other = (await findTimeSync(index, selection, host)) ?? assert.fail("chrony is not found");
  const spec = { ...(other.unit.block ?? assert.fail("it has no block")), owner: { uid: 0, gid: 0 } };
  for (const effect of bringing(block, spec, await seen(block, host, spec))) await host.perform(effect);
  assert.deepEqual(asRead(), ["pool 2.rhel.pool.ntp.org iburst", ...servers]);
  assert.equal(await host.digest(config), other.unit.restartOn[0]?.digest);
});
