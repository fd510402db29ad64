import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { backoffMs } from "../../../builder/http/failure.ts";
import { httpSettingsFrom } from "../../../builder/http/settings.ts";
import { cleanName, linkTarget } from "../../../builder/archive/member-name.ts";
import { credentialsFor, parseNetrc } from "../../../builder/http/netrc.ts";
import { describePlace, placesFor } from "../../../builder/sources/places.ts";
import { parseSource } from "../../../builder/sources/address.ts";

const platform = "linux/amd64" as const;
const places = (resolved: string, mirrors: string[], offline = false, further: string[] = []): string[] =>
  placesFor({ resolved, mirrors: further, platform }, { mirrors, offline }).map(describePlace);

test("sources are told by how they begin, and anything else is refused", () => {
  assert.deepEqual(parseSource("apt:etcd-server"), { kind: "apt", package: "etcd-server", version: null });
  assert.deepEqual(parseSource("apt:docker.io=20.10.24+dfsg1-1~b6"), {
    kind: "apt",
    package: "docker.io",
    version: "20.10.24+dfsg1-1~b6",
  });
  assert.deepEqual(parseSource("file:/srv/a b"), { kind: "file", path: "/srv/a b" });
  assert.deepEqual(parseSource("file:///srv/a%20b"), { kind: "file", path: "/srv/a b" });
  assert.deepEqual(parseSource("file:x"), { kind: "file", path: resolve("x") });
  assert.equal(parseSource("https://dl.k8s.io/x").kind, "http");
  for (const bad of ["ftp://x/y", "apt:-o=x", "apt:a b", "apt:x=$(id)", "apt:X", "file:", "etcd", "https://"]) {
    assert.throws(() => parseSource(bad), { code: "RELEASE_INVALID" }, bad);
  }
});

test("mirrors go before upstream, upstream before further places, and offline leaves files only", () => {
  assert.deepEqual(
    places("https://dl.k8s.io/v1/bin/kubectl", ["https://m.example/k8s", "/srv/mirror"], false, [
      "https://other.example/kubectl-1",
    ]),
    [
      "https://m.example/k8s/dl.k8s.io/v1/bin/kubectl",
      "https://m.example/k8s/v1/bin/kubectl",
      "https://m.example/k8s/kubectl",
      "https://m.example/k8s/other.example/kubectl-1",
      "https://m.example/k8s/kubectl-1",
      "/srv/mirror/dl.k8s.io/v1/bin/kubectl",
      "/srv/mirror/v1/bin/kubectl",
      "/srv/mirror/kubectl",
      "/srv/mirror/other.example/kubectl-1",
      "/srv/mirror/kubectl-1",
      "https://dl.k8s.io/v1/bin/kubectl",
      "https://other.example/kubectl-1",
    ],
  );
  assert.deepEqual(places("https://dl.k8s.io/v1/kubectl", ["https://m.example", "/srv/m"], true), [
    "/srv/m/dl.k8s.io/v1/kubectl",
    "/srv/m/v1/kubectl",
    "/srv/m/kubectl",
  ]);
});

test("a name with escapes cannot lead out of a mirror", () => {
  for (const place of places("https://x.example/a/..%2f..%2fetc/passwd", ["/srv/m"], true)) {
    assert.ok(place.startsWith("/srv/m/"), place);
  }
  assert.ok(places("https://x.example/a%20b/c", ["/srv/m"]).includes("/srv/m/a b/c"));
});

test("a package is found in a folder under the names that apt and pools give it", () => {
  assert.deepEqual(places("apt:tool=1:2.0-1", ["/srv/m"]), [
    "/srv/m/tool_1:2.0-1_amd64.deb",
    "/srv/m/tool_1:2.0-1_all.deb",
    "/srv/m/tool_1%3a2.0-1_amd64.deb",
    "/srv/m/tool_1%3a2.0-1_all.deb",
    "/srv/m/tool_2.0-1_amd64.deb",
    "/srv/m/tool_2.0-1_all.deb",
    "apt:tool=1:2.0-1 (amd64)",
  ]);
  assert.throws(() => places("apt:tool", []), { code: "LOCK_INVALID" });
});

test("the wait between attempts doubles, is half jitter, ends at a minute, and obeys Retry-After", () => {
  assert.deepEqual(
    [1, 2, 3].map((attempt) => backoffMs(attempt, 500, null, 0)),
    [250, 500, 1000],
  );
  assert.deepEqual(
    [1, 2, 3].map((attempt) => backoffMs(attempt, 500, null, 1)),
    [500, 1000, 2000],
  );
  assert.equal(backoffMs(30, 500, null, 1), 60_000);
  assert.equal(backoffMs(1, 500, 7, 0), 7000);
  assert.equal(backoffMs(1, 500, 9999, 0), 60_000);
});

test("netrc gives credentials by host, with its default last", () => {
  const entries = parseNetrc(
    "# mine\nmachine a.example login me password s3#cret\ndefault login anyone\n password none\nmachine b.example login only\nmacdef init\n machine evil login x password y\n\n",
  );
  assert.deepEqual(credentialsFor("a.example", entries), { machine: "a.example", login: "me", password: "s3#cret" });
  assert.equal(credentialsFor("c.example", entries)?.login, "anyone");
  assert.equal(credentialsFor("evil", entries)?.login, "anyone");
  assert.equal(credentialsFor("c.example", parseNetrc("")), undefined);
});

test("HTTP settings come from the environment that is passed in, lower case first", async () => {
  const settings = await httpSettingsFrom({
    HTTPS_PROXY: "http://a",
    https_proxy: "http://b",
    NO_PROXY: "x",
    HTTP_PROXY: "",
  });
  assert.deepEqual(settings, { httpProxy: undefined, httpsProxy: "http://b", noProxy: "x", extraCa: [], netrc: [] });
  await assert.rejects(httpSettingsFrom({}, { ca: "/nonexistent/ca.pem" }), { code: "CONFIG_UNREADABLE" });
  await assert.rejects(httpSettingsFrom({ SSL_CERT_FILE: import.meta.filename }), {
    code: "CONFIG_INVALID",
  });
});

test("member names are cleaned, and links resolved within the archive", () => {
  assert.equal(cleanName("././usr//bin/x/"), "usr/bin/x");
  assert.equal(linkTarget("usr/bin/a", "symlink", "../lib/b", false), "usr/lib/b");
  assert.equal(linkTarget("usr/bin/a", "symlink", "/usr/lib/b", true), "usr/lib/b");
  assert.equal(linkTarget("usr/bin/a", "hardlink", "./usr/lib/b", false), "usr/lib/b");
  assert.throws(() => linkTarget("a", "symlink", "/etc", false), { code: "PATH_ESCAPES" });
  assert.throws(() => linkTarget("a/b", "symlink", "../../c", true), { code: "PATH_ESCAPES" });
});
