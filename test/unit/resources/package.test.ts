import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostReader, QueryResult } from "../../../installer/host/host.ts";
import { osPackages, type PackageId } from "../../../installer/resources/package.ts";
import { bringing, seen } from "../../fakes/states.ts";

const file = (name: string, version: string, distribution?: string) => ({
  name,
  version,
  architecture: "amd64",
  path: `/p/${name}.deb`,
  ...(distribution === undefined ? {} : { distribution }),
});

/** A host whose dpkg says these lines, and compares versions as numbers. */
function hostWith(lines: string, code = 1): HostReader {
  const query = (argv: readonly string[]): Promise<QueryResult> => {
    if (argv[0] === "dpkg") {
      const [, , found = "", , wanted = ""] = argv;
      return Promise.resolve({ code: Number(found) < Number(wanted) ? 0 : 1, stdout: "", stderr: "" });
    }
    return Promise.resolve({ code, stdout: lines, stderr: "dpkg-query: error" });
  };
  return {
    root: "/",
    live: true,
    stat: () => Promise.resolve(null),
    digests: async () => [],
    digest: () => Promise.reject(new Error("no file")),
    read: (path) => Promise.resolve(path === "/etc/os-release" ? 'ID=rocky\nVERSION_ID="9.4"\n' : null),
    list: () => Promise.resolve([]),
    query,
  };
}

test("one call of dpkg installs what is absent, older, half-installed or only configured, and nothing else", async () => {
  const spec: PackageId = {
    format: "deb",
    packages: ["absent", "older", "same", "newer", "half", "configured"].map((name) => file(name, "5")),
  };
  const lines = [
    ["installed", "older", "amd64", "4"],
    ["installed", "same", "amd64", "5"],
    ["installed", "newer", "amd64", "6"],
    ["half-installed", "half", "amd64", "5"],
    ["config-files", "configured", "amd64", "5"],
  ];
  const host = hostWith(lines.map((line) => line.join("\t")).join("\n"));
  const before = await seen(osPackages, host, spec);
  const [install, ...more] = bringing(osPackages, spec, before);
  assert.deepEqual(more, []);
  assert.ok(install?.do === "run");
  assert.deepEqual(install.argv.slice(0, 4), [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN=true",
    "dpkg",
  ]);
  assert.deepEqual(
    install.argv.filter((word) => word.startsWith("/p/")),
    ["/p/absent.deb", "/p/older.deb", "/p/half.deb", "/p/configured.deb"],
  );
  // What was upgraded stays; what had its configuration here before keeps it.
  assert.deepEqual(
    osPackages
      .steps(spec, osPackages.spec(spec, before), before)
      .map((effect) => effect.do === "run" && effect.argv.slice(5)),
    [
      ["--remove", "configured:amd64"],
      ["--purge", "absent:amd64", "half:amd64"],
    ],
  );
  assert.match(osPackages.irreversible?.(spec, before, osPackages.spec(spec, before)) ?? "", /older 4 by 5$/);
});

test("packages are for the distribution that they were resolved for, at the precision that it names", async () => {
  const own = ["rocky 9", "rocky 9.4", undefined];
  const foreign = ["rocky 8", "rocky 9.5", "debian 12", "debian 9.4"];
  for (const distribution of [...own, ...foreign]) {
    const spec: PackageId = { format: "deb", packages: [file("a", "1", distribution)] };
    const effects = bringing(osPackages, spec, await seen(osPackages, hostWith(""), spec));
    assert.equal(effects.length, own.includes(distribution) ? 1 : 0, distribution);
  }
});

test("a host whose package manager does not answer is told so before anything is changed", async () => {
  const spec: PackageId = { format: "deb", packages: [file("a", "1")] };
  await assert.rejects(osPackages.inspect(hostWith("", 127), spec), /dpkg-query does not answer/);
});
