/** A repository that cluster.yaml names, for a distribution that this machine is not: its signature decides. */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isExpected } from "#cli/errors";
import { packPackages } from "../../builder/pack/packages.ts";
import { fetchPackages, resolvePackages } from "../../builder/sources/packages.ts";
import type { PackageRequest } from "../../builder/config/cluster.ts";
import type { LockedPackage } from "../../builder/lock/lock.ts";
import { buildAptRepository, signAptRepository } from "../servers/apt-repository.ts";
import { listStore } from "../../builder/store/upkeep.ts";
import { Store } from "../../builder/store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-apt-"));
const repository = join(folder, "repository");
const base = join(folder, "base.txt");
let key = "";

before(() => {
  mkdirSync(repository);
  buildAptRepository(repository, [
    { name: "first", preDepends: "second" },
    { name: "second", depends: "third (>= 2)" },
    { name: "third", version: "2.1", depends: "basis" },
    { name: "basis", version: "7" },
    { name: "hopeless", depends: "no-such-thing" },
    { name: "breaker", depends: "basis (>= 99)" },
  ]);
  key = signAptRepository(repository, join(folder, "gpg"));
  writeFileSync(base, "basis 7\n");
});
after(() => rmSync(folder, { recursive: true, force: true }));

function request(names: string[], at = repository, signedBy: string | undefined = key): PackageRequest {
  const repositories = [{ url: pathToFileURL(at).href, suite: "test", components: ["main"], key: signedBy }];
  return { distribution: "ubuntu 22.04", names, repositories, base };
}

let count = 0;
const context = () => ({ platforms: ["linux/amd64"] as const, state: join(folder, `state-${(count += 1)}`), http: {} });

test("a signed repository is resolved over its own base, what others need first, and fetched", async () => {
  const wanted = request(["first"]);
  const locked = await resolvePackages([wanted], context());
  assert.deepEqual(
    locked.map(({ name, version, wanted: named }) => [name, version, named]),
    [
      ["third", "2.1", false],
      ["second", "1.0", false],
      ["first", "1.0", true],
    ],
  );
  const store = await Store.open(join(folder, "store"));
  await fetchPackages(locked, [wanted], { ...context(), store });
  assert.deepEqual(
    listStore(store).map(({ digest }) => digest),
    locked.map(({ digest }) => digest.slice(7)).toSorted(),
  );
  const paths = packPackages(locked).entries.map(({ path }) => path);
  assert.deepEqual(paths.toSorted(), paths);
});

test("a package of the lock that the repository now serves with other bytes is not stored", async () => {
  const wanted = request(["third"]);
  const [locked] = await resolvePackages([wanted], context());
  assert.ok(locked !== undefined);
  const lie: LockedPackage = { ...locked, digest: `sha256:${"0".repeat(64)}` };
  const store = await Store.open(join(folder, "store-lie"));
  await assert.rejects(fetchPackages([lie], [wanted], { ...context(), store }), (error) =>
    isExpected(error, "DIGEST_MISMATCH"),
  );
  assert.deepEqual(
    listStore(store).map(({ digest }) => digest),
    [],
  );
});

test("no signature, another key, or a changed index: refused", async () => {
  const other = join(folder, "other");
  cpSync(repository, other, { recursive: true });
  const otherKey = signAptRepository(other, join(folder, "gpg-other"));
  const refused = async (wanted: PackageRequest, ...codes: string[]): Promise<void> => {
    await assert.rejects(resolvePackages([wanted], context()), (error) => {
      assert.ok(isExpected(error), String(error));
      assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
      return true;
    });
  };
  await refused(request(["first"], repository, otherKey), "SIGNATURE_INVALID");
  const unsigned = join(folder, "unsigned");
  cpSync(repository, unsigned, { recursive: true });
  rmSync(join(unsigned, "dists/test/InRelease"));
  await refused(request(["first"], unsigned), "SIGNATURE_INVALID");
  const changed = join(folder, "changed");
  cpSync(repository, changed, { recursive: true });
  appendFileSync(join(changed, "dists/test/main/binary-amd64/Packages"), "\nPackage: evil\n");
  await refused(request(["first"], changed), "PACKAGE_UNAVAILABLE");
  const inRelease = readFileSync(join(repository, "dists/test/InRelease"), "utf8");
  writeFileSync(join(changed, "dists/test/InRelease"), inRelease.replace("Suite: test", "Suite: tesu"));
  await refused(request(["first"], changed), "SIGNATURE_INVALID");
  await refused(
    { ...request(["first"]), repositories: [{ url: pathToFileURL(repository).href, suite: "test" }] },
    "CONFIG_INVALID",
  );
});

test("what cannot be resolved is told in apt's words", async () => {
  await assert.rejects(
    resolvePackages([request(["hopeless"])], context()),
    (error) => isExpected(error, "PACKAGE_UNAVAILABLE") && /no-such-thing|hopeless/.test(error.message),
  );
  await assert.rejects(resolvePackages([request(["breaker"])], context()), (error) =>
    isExpected(error, "PACKAGE_UNAVAILABLE"),
  );
  await assert.rejects(resolvePackages([request(["--root=/"])], context()), (error) =>
    isExpected(error, "CONFIG_INVALID"),
  );
});

test("another distribution without repositories of its own, or without a base, is refused with what to write", async () => {
  const { repositories: _, ...bare } = request(["first"]);
  await assert.rejects(
    resolvePackages([bare], context()),
    (error) => isExpected(error, "PACKAGE_UNAVAILABLE") && (error.hint ?? "").includes("repositories:"),
  );
  const { base: __, ...baseless } = request(["first"]);
  await assert.rejects(
    resolvePackages([baseless], context()),
    (error) => isExpected(error, "PACKAGE_UNAVAILABLE") && (error.hint ?? "").includes("base:"),
  );
});
