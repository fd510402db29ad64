/**
 * `npm run quickstart`: an end-to-end demo on this machine, in a scratch folder, with nothing of it touched.
 * Builds a three-node bundle, verifies it, shows a node's plan, installs that node into a scratch root, audits it, undoes it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { runMain } from "#cli/main";
import { isBuilt } from "./executables.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const folder = join(dist, "quickstart");
const scratch = join(folder, "scratch-root");
const kubeferry = join(dist, "kubeferry");
const node = { name: "n1", ip: "10.0.0.11", role: "etcd,worker" };

/** The distribution has no API server, so its nodes keep a store and run containers; upstream's are whole. */
function cluster(release: string): string {
  const roles = release === "distro" ? "[etcd, worker]" : "[etcd, master, worker]";
  return `# Three nodes; any further address of workers.subnet may join as a worker.
name: quickstart
release: ${release}
nodes:
  - { name: n1, ip: 10.0.0.11, roles: ${roles} }
  - { name: n2, ip: 10.0.0.12, roles: ${roles} }
  - { name: n3, ip: 10.0.0.13, roles: ${roles} }
workers:
  subnet: 10.0.0.0/24
api:
  endpoint: local-proxy
`;
}

let step = 0;
runMain(main);

function main(): number {
  const release = chosenRelease(process.argv.slice(2));
  console.log(
    release === "distro"
      ? "This tour carries the distribution's etcd and containerd, and no Kubernetes: apt is all that it needs.\nWith Kubernetes: npm run quickstart -- --release kubernetes-1.36 (which downloads from upstream)"
      : `This tour carries ${release}, which it downloads from upstream.`,
  );
  if (!isBuilt()) say("Making dist/kubeferry and the installers from source", () => runNode(["scripts/bundle.ts"]));
  mkdirSync(folder, { recursive: true });
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  const config = join(folder, "cluster.yaml");
  const bundle = join(folder, "quickstart.tar");
  const unpacked = join(folder, "bundle");
  writeFileSync(config, cluster(release));

  say(`Build: fetch ${release}'s components, make keys and certificates, render every node, pack one file`, () =>
    run(kubeferry, ["build", config, "-o", bundle, "--force"]),
  );
  say("Verify: every byte of the bundle, with the code that a node will use", () => run(kubeferry, ["verify", bundle]));
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked);
  say("Carry: unpack it with plain tar, as an operator would from a stick", () =>
    run("tar", ["-xf", bundle, "-C", unpacked]),
  );

  const install = join(unpacked, "install");
  const keys = join(folder, "quickstart.keys");
  const select = ["--role", node.role, "--ip", node.ip, "--root", scratch, "--key", keys];
  say(`Plan: what would ${node.name} become? (--dry-run changes nothing)`, () =>
    run(install, [...select, "--dry-run"], 30),
  );
  if (readdirSync(scratch).length > 0) throw new Error("--dry-run changed the scratch root");
  say(`Install: the same list, performed in ${relative(root, scratch)}`, () => run(install, [...select, "--yes"], 12));
  say("Audit: is every installed file still what was packed?", () => run(install, ["audit", "--root", scratch], 12));
  say("Undo: back to what it was", () => run(install, ["undo", "--root", scratch, "--yes"], 12));
  const left = readdirSync(scratch);
  if (left.length > 0) throw new Error(`undo left ${left.join(", ")}`);
  tell(release, bundle);
  return 0;
}

/** Without apt there is no distribution to take packages from: the same tour with upstream's release. */
function chosenRelease(argv: readonly string[]): string {
  const at = argv.indexOf("--release");
  const given = at >= 0 ? argv[at + 1] : undefined;
  if (given !== undefined) return given;
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0) return "distro";
  console.log(
    "There is no apt on this machine, so the tour takes Kubernetes 1.36 from upstream instead of the distribution's packages.",
  );
  return "kubernetes-1.36";
}

function say(what: string, action: () => void): void {
  step += 1;
  console.log(`\n── ${step}. ${what}`);
  const from = performance.now();
  action();
  console.log(`   (${((performance.now() - from) / 1000).toFixed(1)} s)`);
}

function runNode(args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
}

/** Shows the command as it could be pasted, and its output; the middle of a long one is left out. */
function run(program: string, args: readonly string[], lines = 40): void {
  console.log(
    `   $ ${[program, ...args].map((word) => (word.startsWith(root) ? relative(root, word) : word)).join(" ")}`,
  );
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = result.stdout.trimEnd().split("\n");
  const shown =
    output.length <= lines
      ? output
      : [...output.slice(0, lines - 3), `… ${output.length - lines + 1} more lines …`, ...output.slice(-2)];
  for (const line of shown) console.log(`   ${line}`);
  if (result.status !== 0) {
    console.error(`\n${program} ended with exit code ${result.status}`);
    process.exit(result.status ?? 1);
  }
}

function tell(release: string, bundle: string): void {
  const here = relative(root, folder);
  console.log(`
What happened: from ${here}/cluster.yaml and release ${release}, one file was made, ${relative(root, bundle)}.
It holds the programs of three nodes, each one checked against a published digest, and their units, certificates and
settings. Each node's secrets in it are encrypted; the keys are in ${here}/quickstart.keys: transfer them separately.
Node n1 was installed into a scratch folder, compared byte for byte with the bundle, and taken back: nothing was left.

Try next:
  ${here}/bundle/install --role worker --ip 10.0.0.9 --root /tmp/n9 --key ${here}/quickstart.keys --dry-run   any address of the subnet
  dist/kubeferry inspect ${relative(root, bundle)}                     what is in it, and where each file came from
  dist/kubeferry releases                                              what else can be carried
  dist/kubeferry init -o cluster.yaml                                  your own cluster, with the newest Kubernetes
  npm run test:vm                                                      the same road on virtual machines, with reboot and power cuts`);
}
