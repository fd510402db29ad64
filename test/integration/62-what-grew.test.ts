/**
 * What a node that lives grows, taken back on a real kernel: containers of a real containerd with real shims, both back ends
 * of iptables, nft, ipset, interfaces, network namespaces, mounts. What somebody else has of each is there before and after.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { UndoReport } from "../../installer/journal/undo.ts";
import type { Picture } from "../programs/grown-node.ts";
import { requirePackages } from "../programs/packages.ts";

const scratch = mkdtempSync(join(tmpdir(), "kubeferry-grown-"));
const node = join(import.meta.dirname, "../programs/grown-node.ts");

interface Told {
  readonly before: Picture;
  readonly grown: Picture;
  readonly after: Picture;
  readonly report: UndoReport;
  readonly precious: string;
  readonly secret: boolean;
}

before(() => {
  requirePackages("containerd", "runc", "iptables", "nftables", "ipset", "iproute2", "busybox-static");
});
after(() => {
  // What containers of a killed test leave: nobody else has groups of these names.
  const groups = execFileSync("find", ["/sys/fs/cgroup", "-depth", "-type", "d", "-path", "*/moby/theirs"], {
    encoding: "utf8",
  });
  for (const path of groups.split("\n").filter((line) => line !== "")) {
    try {
      rmdirSync(path);
    } catch {
      // It is busy, or another hierarchy's link.
    }
  }
  rmSync(scratch, { recursive: true, force: true });
});

function live(...words: string[]): Told {
  const folder = mkdtempSync(join(scratch, "node-"));
  const spaces = ["--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const argv = [...spaces, process.execPath, node, folder, ...words];
  const { status, stdout, stderr } = spawnSync("unshare", argv, {
    encoding: "utf8",
    timeout: 300_000,
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.ok(readdirSync(folder).includes("journal"));
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Told;
}

/** Lines that are in one and not in the other, as often as they are. */
function more(one: readonly string[], other: readonly string[]): string[] {
  const rest = [...other];
  return one.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

const tolerated = {
  mounts: [/^\/run\/netns\/cni-later$/],
  processes: [/sleep 999$/, /-namespace moby -id later /, /^\/bin\/busybox sleep 1000$/],
  files: [
    // Data: an emptyDir, which --delete-data is for, and the folders that lead there.
    /^\/var\/lib\/kubelet\/pods(\/6c06b721(\/volumes(\/kubernetes\.io~empty-dir(\/data(\/file)?)?)?)?)?$/,
    // containerd still runs, or was killed: its folder is the one that somebody's container uses.
    /^\/run\/containerd\//,
    /^\/etc\/kubernetes$/,
    /^\/run\/netns\/cni-later$/,
  ],
  rules: [
    // A table of legacy iptables lives as long as its namespace.
    /^iptables-legacy-save (\*nat|COMMIT|:(PREROUTING|INPUT|OUTPUT|POSTROUTING) ACCEPT|\*filter|:FORWARD ACCEPT)$/,
  ],
};

function assertSame(
  { before: was, after: is, grown }: Told,
  part: keyof Picture,
  allowed: readonly RegExp[] = [],
): void {
  assert.ok(more(grown[part], was[part]).length > 0, `${part}: something grew`);
  const left = more(is[part], was[part]).filter((line) => !allowed.some((pattern) => pattern.test(line)));
  assert.deepEqual(left, [], `${part} that were not there`);
  assert.deepEqual(more(was[part], is[part]), [], `${part} that are gone`);
}

function assertTakenBack(told: Told): void {
  assert.deepEqual(told.report.problems, []);
  assertSame(told, "mounts", tolerated.mounts);
  assertSame(told, "links");
  assertSame(told, "rules", tolerated.rules);
  assertSame(told, "files", tolerated.files);
  assertSame(told, "values");
  for (const name of ["cni-theirs", "cni-later"]) assert.ok(told.after.mounts.includes(`/run/netns/${name}`), name);
  assert.equal(told.precious, "an operator's hostPath", "what a pod had bound is not emptied");
  assert.equal(told.secret, false);
  assert.ok(told.after.files.includes("/var/lib/kubelet/pods/6c06b721/volumes/kubernetes.io~empty-dir/data/file"));
  assert.ok(!told.after.files.includes("/etc/kubernetes/kubelet.kubeconfig"));
}

function assertTheirs({ after: { processes } }: Told): void {
  assert.deepEqual(
    processes.filter((line) => line.includes("k8s.io")),
    [],
  );
  assert.equal(processes.filter((line) => line === "/bin/busybox sleep 1000").length, 2);
  for (const id of ["theirs", "later"])
    assert.ok(processes.some((line) => line.includes(`-namespace moby -id ${id} `)));
}

const isRoot = process.getuid?.() === 0;

test("everything that grew goes, and everything of somebody else's stays", { skip: !isRoot }, () => {
  const told = live();
  assertTakenBack(told);
  assertSame(told, "processes", tolerated.processes);
  assertTheirs(told);
});

test("the same where containerd was killed: shims and containers that outlive it are found", { skip: !isRoot }, () => {
  const told = live("kill");
  assertTakenBack(told);
  assertTheirs(told);
});
