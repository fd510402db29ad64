/** Rpm packages end to end against a repository that createrepo_c made: signed, resolved, installed by rpm alone, undone. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isExpected } from "#cli/errors";
import { packPackages } from "../../builder/pack/packages.ts";
import { fetchPackages, resolvePackages } from "../../builder/sources/packages.ts";
import type { PackageRequest } from "../../builder/config/cluster.ts";
import type { LockedPackage } from "../../builder/lock/lock.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import { osPackages, type PackageId } from "../../installer/resources/package.ts";
import { Store } from "../../builder/store/store.ts";
import { listStore } from "../../builder/store/upkeep.ts";
import { requirePackages } from "../programs/packages.ts";
import { buildRpmRepository, primaryOf, signRepository } from "../servers/rpm-repository.ts";
import { bringing, seen, takingBack } from "../fakes/states.ts";

// Debian's rpm keeps its database in ~/.rpmdb. The installer gives programs no HOME, so theirs is the account's own.
process.env["HOME"] = userInfo().homedir;
const folder = mkdtempSync(join(tmpdir(), "kubeferry-rpm-"));
const repository = join(folder, "repository");
const base = join(folder, "base.txt");
const store = await Store.open(join(folder, "store"));
const context = { platforms: ["linux/amd64"] as const, state: join(folder, "state"), http: {} };
let key = "";
let request: PackageRequest;
let locked: LockedPackage[] = [];

before(async () => {
  buildRpmRepository(repository, [
    { name: "basis", version: "9", files: { "/usr/bin/basis": "#!/bin/sh" } },
    {
      name: "tool",
      version: "2.10",
      requires: ["libdeep.so.1", "/usr/bin/helper", "basis >= 8"],
      files: { "/usr/bin/tool": "new" },
    },
    { name: "deep", provides: ["libdeep.so.1"], requires: ["(shallow >= 1 or nothing-else)"] },
    { name: "shallow", version: "1.5", requires: ["(deep if tool)"] },
    { name: "helper", files: { "/usr/bin/helper": "#!/bin/sh" } },
    { name: "unwanted" },
    { name: "hopeless", requires: ["no-such-thing >= 3"] },
  ]);
  key = signRepository(repository, join(folder, "gpg"));
  writeFileSync(base, "# what a host has\nbasis 9-1\n");
  request = {
    distribution: "rocky 9",
    names: ["tool"],
    base,
    repositories: [{ url: pathToFileURL(repository).href, key }],
  };
  locked = await resolvePackages([request], context);
  await fetchPackages(locked, [request], { ...context, store });
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the closure goes over libraries, files and rich dependencies, and stops at the base", () => {
  assert.deepEqual(
    locked.map(({ name, version, wanted }) => `${name} ${version}${wanted ? " wanted" : ""}`).toSorted(),
    ["deep 1.0-1", "helper 1.0-1", "shallow 1.5-1", "tool 2.10-1 wanted"],
  );
  assert.equal(locked.at(-1)?.name, "tool");
  for (const one of locked) assert.match(one.resolved, new RegExp(`^file:///.*/${one.name}-.*\\.noarch\\.rpm$`));
});

test("rpm alone installs it into an empty tree, and undo removes exactly that, also after a cut", async () => {
  const tree = join(folder, "tree");
  const host = createLocalHost({ root: tree, contents: { stage: join(folder, "s"), before: join(folder, "b") } });
  mkdirSync(join(tree, "var/lib/rpm"), { recursive: true });
  const rpm = (...argv: string[]): string => execFileSync("rpm", [`--root=${tree}`, ...argv], { encoding: "utf8" });
  const installed = (): string[] => rpm("-qa", "--qf", "%{NAME}\\n").trim().split("\n").toSorted();
  rpm("--initdb");
  rpm("--install", join(repository, "basis-9-1.noarch.rpm"));
  const { files, entries } = packPackages(locked);
  for (const { path, content } of files) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(store.path(typeof content === "string" ? "" : content.digest), join(tree, path));
  }
  const packages = entries.map(({ name, version, architecture, path }) => ({ name, version, architecture, path }));
  const spec: PackageId = { format: "rpm", packages };

  const found = await seen(osPackages, host, spec);
  assert.ok(found.states.every(({ is }) => is === "absent"));
  for (const effect of bringing(osPackages, spec, found)) await host.perform(effect);
  assert.equal(readFileSync(join(tree, "usr/bin/tool"), "utf8"), "new\n");
  assert.deepEqual(installed(), ["basis", "deep", "helper", "shallow", "tool"]);
  assert.deepEqual(bringing(osPackages, spec, await seen(osPackages, host, spec)), []);
  for (const effect of await takingBack(osPackages, host, spec, found)) await host.perform(effect);
  assert.deepEqual(installed(), ["basis"]);
  assert.ok(!existsSync(join(tree, "usr/bin/tool")));

  // Half of a transaction, as a power cut leaves it.
  rpm("--install", "--nodeps", join(repository, "tool-2.10-1.noarch.rpm"));
  for (const effect of await takingBack(osPackages, host, spec, found)) await host.perform(effect);
  assert.deepEqual(installed(), ["basis"]);
});

test("a version of the host that is older is upgraded, a newer one is left", async () => {
  const tree = join(folder, "tree-versions");
  const host = createLocalHost({ root: tree, contents: { stage: join(folder, "s"), before: join(folder, "b") } });
  mkdirSync(join(tree, "var/lib/rpm"), { recursive: true });
  execFileSync("rpm", [`--root=${tree}`, "--initdb"]);
  execFileSync("rpm", [`--root=${tree}`, "--install", "--nodeps", join(repository, "tool-2.10-1.noarch.rpm")]);
  const of = (version: string): PackageId => ({
    format: "rpm",
    packages: [{ name: "tool", version, architecture: "noarch", path: "/tool.rpm" }],
  });
  for (const [version, order] of [
    ["2.9-1", "newer"],
    ["2.10-1", "same"],
    ["2.11-1", "older"],
    ["1:0.1-1", "older"],
  ] as const) {
    const { states } = await seen(osPackages, host, of(version));
    assert.deepEqual(states, [{ is: "installed", version: "2.10-1", order }], version);
  }
});

test("dnf, asked for the same, comes to the same packages and the base's", () => {
  requirePackages("dnf");
  const argv = [
    ...[
      "--setopt=reposdir=/dev/null",
      "--setopt=pluginpath=/dev/null",
      `--setopt=cachedir=${join(folder, "dnf-cache")}`,
    ],
    ...[`--installroot=${join(folder, "dnf")}`, "--releasever=9", "--nogpgcheck", "--assumeno"],
    ...[`--repofrompath=own,${repository}`, "--repo=own", "install", "tool"],
  ];
  // --assumeno ends with 1, after it has said what it would do.
  const { stdout } = spawnSync("dnf", argv, { encoding: "utf8" });
  const found = [...stdout.matchAll(/^ (\S+) +noarch +(\S+) +own /gm)].map((match) => `${match[1]} ${match[2]}`);
  const ours = locked.map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(found.toSorted(), [...ours, "basis 9-1"].toSorted());
});

test("what no repository provides is named with the package that wants it", async () => {
  await assert.rejects(
    resolvePackages([{ ...request, names: ["hopeless"] }], context),
    (error) =>
      isExpected(error, "PACKAGE_UNAVAILABLE") && /no-such-thing GE 3, which hopeless wants/.test(error.message),
  );
});

test("one changed byte of the metadata, a foreign key, or a list that is another than the signed one: refused", async () => {
  const broken = join(folder, "broken");
  const attempt = (change: (copy: string) => void, withKey = key): Promise<unknown> => {
    rmSync(broken, { recursive: true, force: true });
    cpSync(repository, broken, { recursive: true });
    change(broken);
    const repositories = [{ url: pathToFileURL(broken).href, key: withKey }];
    return resolvePackages([{ ...request, repositories }], context);
  };
  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[bytes.length - 12] = (bytes.at(-12) ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };
  await assert.rejects(
    attempt((copy) => flip(join(copy, "repodata/repomd.xml"))),
    (error) => isExpected(error, "SIGNATURE_INVALID"),
  );
  await assert.rejects(
    attempt((copy) => flip(primaryOf(copy))),
    (error) => isExpected(error, "DIGEST_MISMATCH"),
  );
  const foreign = join(folder, "foreign");
  cpSync(repository, foreign, { recursive: true });
  const otherKey = signRepository(foreign, join(folder, "gpg-foreign"));
  await assert.rejects(
    attempt(() => {}, otherKey),
    (error) => isExpected(error, "SIGNATURE_INVALID"),
  );
  await assert.rejects(
    attempt((copy) => rmSync(join(copy, "repodata/repomd.xml.asc"))),
    (error) => isExpected(error, "NOT_FOUND"),
  );
});

test("a package that is not the one that the metadata names is not stored", async () => {
  const [first] = locked;
  assert.ok(first !== undefined);
  const tampered = join(folder, "tampered.rpm");
  writeFileSync(tampered, "other bytes");
  const empty = await Store.open(join(folder, "empty"));
  const lie = { ...first, resolved: pathToFileURL(tampered).href };
  await assert.rejects(fetchPackages([lie], [request], { ...context, store: empty }), (error) =>
    isExpected(error, "DIGEST_MISMATCH", "SIZE_MISMATCH"),
  );
  assert.deepEqual(listStore(empty), []);
});
