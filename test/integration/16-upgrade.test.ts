/** A newer bundle over an older one, in a scratch root: shown first, one transaction, rolled back to the byte. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { BundleIndex } from "#bundle";
import { decodeRecords } from "../../installer/journal/journal.ts";
import { type FileWish, nodeFiles, writeNodeBundle } from "../builders/node-bundle.ts";
import { installer, pictureOf, type Ran, startInstaller } from "../programs/tree.ts";

let folder: string;
let older: string;
let newer: string;

const gone: FileWish[] = [
  { path: "/opt/ferry/old/helper", content: "an old helper\n", mode: "0755" },
  { path: "/etc/systemd/system/helper.service", content: "[Service]\nExecStart=/opt/ferry/old/helper\n" },
  { path: "/etc/ferry/theirs.conf", content: "ours for a while\n" },
];

function release(kubernetes: string | null, etcd: string, helper: boolean): (index: BundleIndex) => void {
  return (index) => {
    index.release = { name: "distro", kubernetes, components: { etcd, ...(helper ? { helper: "0.9" } : {}) } };
    if (!helper) {
      index.host.hosts = [];
      return;
    }
    const [serve] = index.units;
    assert.ok(serve);
    index.units.push({
      ...serve,
      name: "helper.service",
      links: ["multi-user.target.wants/helper.service"],
      restartOn: ["/opt/ferry/old/helper"],
    });
  };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-upgrade-"));
  older = await writeNodeBundle(join(folder, "older.tar"), {
    files: [...nodeFiles, ...gone],
    edit: release("1.35.4", "3.5.9", true),
  });
  const changed = nodeFiles.map((file) =>
    file.path === "/opt/ferry/bin/serve" ? { ...file, content: "a newer program" } : file,
  );
  newer = await writeNodeBundle(join(folder, "newer.tar"), {
    files: [...changed, { path: "/opt/ferry/new/tool", content: "a new tool\n", mode: "0755" }],
    edit: release("1.36.3", "3.6.1", false),
  });
});
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
async function installedTree(): Promise<{ root: string; start: Record<string, string>; old: Record<string, string> }> {
  count += 1;
  const root = join(folder, `root-${count}`);
  mkdirSync(join(root, "etc/ferry"), { recursive: true });
  writeFileSync(join(root, "etc/ferry/theirs.conf"), "the operator's own\n");
  writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost");
  const start = pictureOf(root);
  assertCode(await installer("--bundle", older, "--role", "worker", "--ip", "10.0.0.9", "--root", root), 0);
  return { root, start, old: bare(pictureOf(root)) };
}

/** Without the journal and what is kept for undo. */
function bare(picture: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(picture).filter(([path]) => !path.startsWith("var/lib/kubeferry")));
}

function assertCode(ran: Ran, code: number): void {
  assert.equal(ran.code, code, `${ran.stdout}\n${ran.stderr}`);
}

const effects = ({ stdout }: Ran): string[] => stdout.split("\n").filter((line) => line.includes('"type":"effect"'));
const text = (root: string, path: string): string => readFileSync(join(root, path), "utf8");

test("the difference is shown, the dry run is what is done, and rollback brings the older state back", async () => {
  const { root, start, old } = await installedTree();
  const upgrade = ["upgrade", "--bundle", newer, "--root", root];
  const dry = await installer(...upgrade, "--dry-run", "--json");
  assertCode(dry, 0);
  assert.deepEqual(bare(pictureOf(root)), old);
  const told = await installer(...upgrade, "--dry-run");
  for (const line of [
    "version   kubernetes 1.35.4 → 1.36.3",
    "version   etcd 3.5.9 → 3.6.1",
    "version   helper 0.9 → (none)",
    "file    + /opt/ferry/new/tool",
    "file    ~ /opt/ferry/bin/serve",
    "file    - /opt/ferry/old/helper",
    "file    - /etc/systemd/system/helper.service",
    "unit    - helper.service",
    "host    - 1 lines in /etc/hosts",
  ]) {
    assert.ok(told.stdout.includes(line), `${line} is not in\n${told.stdout}`);
  }

  const done = await installer(...upgrade, "--json");
  assertCode(done, 0);
  assert.deepEqual(effects(done), effects(dry));
  assert.ok(effects(done).length < 20, "only what differs is touched");
  assert.equal(text(root, "opt/ferry/bin/serve"), "a newer program");
  assert.equal(text(root, "etc/ferry/theirs.conf"), "the operator's own\n");
  assert.equal(text(root, "etc/hosts"), "127.0.0.1 localhost");
  for (const path of [
    "opt/ferry/old",
    "etc/systemd/system/helper.service",
    "etc/systemd/system/multi-user.target.wants/helper.service",
  ]) {
    assert.ok(!existsSync(join(root, path)), `${path} is still there`);
  }
  assertCode(await installer("audit", "--root", root), 0);
  const status = await installer("status", "--root", root);
  assert.equal(status.stdout.match(/^installed /gm)?.length, 1, status.stdout);
  const again = await installer(...upgrade, "--json");
  assertCode(again, 0);
  assert.deepEqual(effects(again), []);

  assertCode(await installer("rollback", "--root", root), 0);
  assert.deepEqual(bare(pictureOf(root)), old);
  assertCode(await installer("audit", "--root", root), 0);
  assertCode(await installer(...upgrade), 0);
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(pictureOf(root), start);
});

test("applying the newer bundle is the same as upgrade", async () => {
  const { root } = await installedTree();
  const as = ["--bundle", newer, "--role", "worker", "--ip", "10.0.0.9", "--root", root, "--dry-run", "--json"];
  const applied = await installer(...as);
  assertCode(applied, 0);
  assert.deepEqual(effects(applied), effects(await installer("upgrade", ...as)));
});

test("a minor version that is skipped or goes back is refused by name, unless it is passed over", async () => {
  const { root, old } = await installedTree();
  const far = await writeNodeBundle(join(folder, "far.tar"), { edit: release("1.37.0", "3.4.1", false) });
  const refused = await installer("upgrade", "--bundle", far, "--root", root);
  assertCode(refused, 6);
  assert.match(refused.stderr, /kubernetes-skew/);
  assert.doesNotMatch(refused.stderr, /etcd-skew/, "a worker has no member of etcd");
  assert.deepEqual(bare(pictureOf(root)), old);
  assertCode(await installer("upgrade", "--bundle", far, "--root", root, "--skip-preflight", "kubernetes-skew"), 0);
});

test("a file that was edited and is no longer wanted comes back as it was edited", async () => {
  const { root } = await installedTree();
  appendFileSync(join(root, "opt/ferry/old/helper"), "with a patch\n");
  assertCode(await installer("upgrade", "--bundle", newer, "--root", root), 0);
  assert.ok(!existsSync(join(root, "opt/ferry/old/helper")));
  assertCode(await installer("rollback", "--root", root), 0);
  assert.equal(text(root, "opt/ferry/old/helper"), "an old helper\nwith a patch\n");
});

test("the operator's lines stay, whenever they were added to a file that had ours", async () => {
  const { root } = await installedTree();
  appendFileSync(join(root, "etc/hosts"), "10.1.1.1 printer\n");
  assertCode(await installer("upgrade", "--bundle", newer, "--root", root), 0);
  assert.equal(text(root, "etc/hosts"), "127.0.0.1 localhost\n10.1.1.1 printer\n");
  appendFileSync(join(root, "etc/hosts"), "10.1.1.2 scanner\n");
  const back = await installer("rollback", "--root", root);
  assertCode(back, 0);
  assert.match(text(root, "etc/hosts"), /printer[^]*scanner[^]*10\.0\.0\.11 n1/);
  assert.ok(!existsSync(join(root, "etc/hosts.kubeferry-kept")));
  assertCode(await installer("undo", "--root", root), 0);
  assert.equal(text(root, "etc/hosts"), "127.0.0.1 localhost\n10.1.1.1 printer\n10.1.1.2 scanner\n");
});

test("nothing goes while a role of the older bundle stays", async () => {
  const root = join(folder, "two-roles");
  mkdirSync(root);
  const as = (bundle: string, role: string): string[] => {
    return ["--bundle", bundle, "--ip", "10.0.0.11", "--root", root, "--role", role];
  };
  assertCode(await installer(...as(older, "master,worker")), 0);
  const first = await installer("upgrade", ...as(newer, "master"));
  assertCode(first, 0);
  assert.match(first.stdout, /one-bundle.*stays worker of the older bundle/);
  assert.ok(existsSync(join(root, "opt/ferry/old/helper")));
  assertCode(await installer("upgrade", ...as(newer, "worker")), 0);
  assert.ok(!existsSync(join(root, "opt/ferry/old/helper")));
  assertCode(await installer("undo", "--root", root), 0);
  assert.deepEqual(Object.keys(pictureOf(root)), ["."]);
});

test("killed at random moments, an upgrade completes or rolls back", async (t) => {
  const seen: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const { root, start, old } = await installedTree();
    const upgrade = ["upgrade", "--bundle", newer, "--root", root];
    const running = startInstaller(upgrade);
    const records = randomInt(0, 14);
    const number = (): number =>
      decodeRecords(text(root, "var/lib/kubeferry/journal")).filter(({ type, id }) => type === "done" && id === 2)
        .length;
    const watch = new AbortController();
    void running.ended.then(() => watch.abort());
    while (!watch.signal.aborted && number() < records) await new Promise((resolve) => setImmediate(resolve));
    running.kill("SIGKILL");
    const { code, signal } = await running.ended;
    seen.push(`${records} (${signal ?? `ended with ${code}`})`);
    if (round % 2 === 0) {
      assertCode(await installer(...upgrade), 0);
      assert.equal(text(root, "opt/ferry/bin/serve"), "a newer program");
      assertCode(await installer("audit", "--root", root), 0);
    } else if (number() > 0) {
      assertCode(await installer("rollback", "--root", root), 0);
      assert.deepEqual(bare(pictureOf(root)), old);
    }
    assertCode(await installer("undo", "--root", root), 0);
    assert.deepEqual(pictureOf(root), start);
  }
  t.diagnostic(seen.join("; "));
});
