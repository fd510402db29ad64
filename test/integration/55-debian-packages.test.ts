/** Debian's packages end to end: resolved and fetched by apt, installed into a bare tree by dpkg alone, undone exactly. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { isExpected } from "#cli/errors";
import { basePackages } from "../../builder/config/base-packages.ts";
import { packPackages } from "../../builder/pack/packages.ts";
import { fetchPackages, resolvePackages } from "../../builder/sources/packages.ts";
import type { LockedPackage } from "../../builder/lock/lock.ts";
import { type Digest, digestOf } from "#bundle";
import type { Host } from "../../installer/host/host.ts";
import type { Effect } from "../../installer/host/effect.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { apply, begin, inspectPlan } from "../../installer/journal/apply.ts";
import { fileJournal, type Header } from "../../installer/journal/journal.ts";
import { transactions } from "../../installer/journal/transaction.ts";
import { undo } from "../../installer/journal/undo.ts";
import { goal } from "../../installer/resources/catalogue.ts";
import { osPackages, type PackageId } from "../../installer/resources/package.ts";
import { overOlder } from "../../installer/plan/upgrade.ts";
import { makeBaseTree } from "../builders/base-tree.ts";
import { Store } from "../../builder/store/store.ts";
import { pictureOf } from "../programs/tree.ts";
import { bringing, seen, takingBack } from "../fakes/states.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-packages-"));
const tree = join(folder, "tree");
const store = await Store.open(join(folder, "store"));
const request = { distribution: "debian 12", names: ["ipvsadm", "conntrack", "socat"] };
const context = { platforms: ["linux/amd64"] as const, state: join(folder, "state"), http: {} };
let locked: LockedPackage[] = [];
let spec: PackageId;
let host: Host;

before(async () => {
  makeBaseTree(tree);
  locked = await resolvePackages([request], context);
  await fetchPackages(locked, [request], { ...context, store });
  const { files } = packPackages(locked);
  for (const { path, content } of files) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    copyFileSync(store.path(typeof content === "string" ? "" : content.digest), join(tree, path));
  }
  const packages = packPackages(locked).entries.map(({ name, version, architecture, path, distribution }) => ({
    name,
    version,
    architecture,
    path,
    distribution,
  }));
  spec = { format: "deb", packages };
  host = createLocalHost({ root: tree, contents: { stage: join(folder, "s"), before: join(folder, "b") } });
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the declared base is what a bare machine has, and the closure holds nothing of it", async () => {
  const base = await basePackages(request);
  assert.deepEqual([...base.keys()].toSorted(), installed().toSorted());
  assert.ok(locked.length > request.names.length);
  assert.deepEqual(
    locked.filter(({ name }) => base.has(name)),
    [],
  );
  assert.deepEqual(
    locked
      .filter(({ wanted }) => wanted)
      .map(({ name }) => name)
      .toSorted(),
    request.names.toSorted(),
  );
  for (const { resolved } of locked) assert.match(resolved, /^apt:[a-z0-9.+-]+=\S+$/);
});

test("dpkg alone installs the closure, the programs run, and undo removes exactly those", async () => {
  const untouched = picture();
  const found = await seen(osPackages, host, spec);
  assert.equal(osPackages.irreversible?.(spec, found, osPackages.spec(spec, found)), null);
  await perform(bringing(osPackages, spec, found));
  // ipvsadm wants a kernel with IPVS even for its version; that its libraries are found is what can be seen here.
  assert.match(inTree("ldd", "/sbin/ipvsadm"), /libnl-genl-3\.so\.200 => \//);
  assert.doesNotMatch(inTree("ldd", "/sbin/ipvsadm"), /not found/);
  assert.match(inTree("conntrack", "--version"), /conntrack v/);
  assert.match(inTree("socat", "-V"), /socat version/);
  assert.deepEqual(bringing(osPackages, spec, await seen(osPackages, host, spec)), []);
  await perform(await takingBack(osPackages, host, spec, found));
  assert.deepEqual(differences(untouched, picture()), []);
});

test("a package that the host had stays, and so do those that undo is told of twice", async () => {
  const had = spec.packages.find(({ name }) => name === "libmnl0");
  assert.ok(had !== undefined);
  execFileSync("dpkg", [`--root=${tree}`, "--install", join(tree, had.path)], { stdio: "ignore" });
  const untouched = picture();
  const found = await seen(osPackages, host, spec);
  const effects = bringing(osPackages, spec, found);
  assert.ok(!JSON.stringify(effects).includes("libmnl0_"));
  await perform(effects);
  await perform(await takingBack(osPackages, host, spec, found));
  await perform(await takingBack(osPackages, host, spec, found));
  assert.deepEqual(differences(untouched, picture()), []);
  execFileSync("dpkg", [`--root=${tree}`, "--purge", "libmnl0"], { stdio: "ignore" });
});

test("a newer bundle with fewer packages takes the others away, rollback brings them again, and undo leaves none", async () => {
  const untouched = picture();
  const journal = fileJournal(join(folder, "journal"));
  const now = (): Date => new Date();
  const install = async (payload: Digest, names: readonly string[]): Promise<void> => {
    const own = { ...spec, packages: spec.packages.filter(({ name }) => names.includes(name)) };
    const planned = { phases: [{ name: "place", goals: [goal("package", own)], gates: [] }] };
    const past = transactions(journal.read());
    const plan = overOlder({ planned, past, payload, roles: ["worker"], live: false, now: now() });
    const header = { made: [], bundle: { payload }, roles: ["worker"], checks: [] } as unknown as Header;
    const changes = await inspectPlan(host, plan);
    const transaction = begin(journal, header, plan, changes, now().toISOString());
    const shared = { onEffect: () => {}, gate: async () => {}, interrupted: () => false, now };
    await apply({ host, journal, transaction, changes, ...shared });
  };
  const back = async (): Promise<void> => {
    const transaction = transactions(journal.read()).findLast(({ state }) => state !== "gone");
    assert.ok(transaction);
    const report = await undo({ host, journal, transaction, onEffect: () => {}, deleteData: false, now });
    assert.deepEqual(report.problems, []);
  };
  const all = spec.packages.map(({ name }) => name);
  await install(digestOf("older"), all);
  const older = installed();
  await install(
    digestOf("newer"),
    all.filter((name) => name !== "socat"),
  );
  assert.deepEqual(
    older.filter((name) => !installed().includes(name)),
    ["socat"],
  );
  await install(digestOf("newest"), []);
  assert.deepEqual(differences(untouched, picture()), []);
  await back();
  await back();
  assert.deepEqual(installed(), older);
  await back();
  assert.deepEqual(differences(untouched, picture()), []);
});

test("an installation that was cut off half-way is completed by the next, or undone in full", async () => {
  const untouched = picture();
  const found = await seen(osPackages, host, spec);
  const some = spec.packages.slice(3, 9).map(({ path }) => join(tree, path));
  // Unpacked and not configured, with dependencies missing: where a power cut leaves dpkg.
  execFileSync("dpkg", [`--root=${tree}`, "--unpack", ...some], { stdio: "ignore" });
  await perform(await takingBack(osPackages, host, spec, found));
  assert.deepEqual(differences(untouched, picture()), []);
  execFileSync("dpkg", [`--root=${tree}`, "--unpack", ...some], { stdio: "ignore" });
  await perform(bringing(osPackages, spec, await seen(osPackages, host, spec)));
  assert.match(inTree("socat", "-V"), /socat version/);
  await perform(await takingBack(osPackages, host, spec, found));
  assert.deepEqual(differences(untouched, picture()), []);
});

test("an older package of the host is upgraded, and the plan says that undo cannot take that back", async () => {
  const older = { ...spec, packages: spec.packages.map((one) => ({ ...one, version: `99:${one.version}` })) };
  const found = await seen(osPackages, host, spec);
  await perform(bringing(osPackages, spec, found));
  const before = await seen(osPackages, host, older);
  assert.ok(before.states.every((state) => state.is === "installed" && state.order === "older"));
  assert.match(osPackages.irreversible?.(older, before, before) ?? "", /socat 1\.7\.\S+ by 99:1\.7/);
  assert.deepEqual(await takingBack(osPackages, host, older, before), []);
  const newer = { ...spec, packages: spec.packages.map((one) => ({ ...one, version: `0~${one.version}` })) };
  assert.deepEqual(bringing(osPackages, newer, await seen(osPackages, host, newer)), []);
  await perform(await takingBack(osPackages, host, spec, found));
});

test("packages of another distribution are none of this host's business", async () => {
  for (const distribution of ["debian 13", "rocky 9", "debian 1"]) {
    const foreign = { ...spec, packages: spec.packages.map((one) => ({ ...one, distribution })) };
    const found = await seen(osPackages, host, foreign);
    assert.deepEqual(bringing(osPackages, foreign, found), []);
    assert.deepEqual(await takingBack(osPackages, host, foreign, found), []);
  }
});

test("a package that no repository has is named, with apt's own words", async () => {
  const names = ["no-such-package-anywhere"];
  await assert.rejects(
    resolvePackages([{ ...request, names }], context),
    (error) => isExpected(error, "PACKAGE_UNAVAILABLE") && error.message.includes("no-such-package-anywhere"),
  );
});

test("offline, a package that the store lacks is named, and nothing is asked for", async () => {
  const empty = await Store.open(join(folder, "empty"));
  await assert.rejects(fetchPackages(locked, [request], { ...context, store: empty, offline: true }), (error) =>
    isExpected(error, "OFFLINE"),
  );
  await fetchPackages(locked, [request], { ...context, store, offline: true });
});

function installed(): string[] {
  return readFileSync(join(tree, "var/lib/dpkg/status"), "utf8")
    .split("\n")
    .flatMap((line) => (line.startsWith("Package: ") ? [line.slice(9)] : []));
}

function inTree(...argv: string[]): string {
  return execFileSync("chroot", [tree, ...argv], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The tree without dpkg's own backups and logs, and the loader's cache, which is made anew from the same libraries. */
function picture(): Record<string, string> {
  const own =
    /^(var\/lib\/dpkg\/(.*-old|lock.*|triggers\/Lock|available|status)|var\/log\/.*|etc\/ld\.so\.cache|var\/cache\/ldconfig\/.*)$/;
  const found = Object.entries(pictureOf(tree)).filter(([path]) => !own.test(path));
  return { ...Object.fromEntries(found), installed: installed().join(" ") };
}

/** Only what differs: a whole tree in a failure's text helps nobody. */
function differences(before: Record<string, string>, now: Record<string, string>): string[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return paths
    .filter((path) => before[path] !== now[path])
    .map((path) => `${path}: ${before[path] ?? "nothing"} => ${now[path] ?? "nothing"}`);
}

async function perform(effects: readonly Effect[]): Promise<void> {
  for (const effect of effects) await host.perform(effect);
}
