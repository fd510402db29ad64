import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { doubtOf, readFlagTable } from "../../../builder/config/flag-table.ts";
import { quoteWord } from "../../../builder/render/flags.ts";
import { render } from "../../../builder/render/render.ts";
import { openTemplates } from "../../../builder/render/template.ts";
import { parseCluster } from "../../../builder/config/load.ts";
import { readSource } from "../../../builder/config/manifests.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../../builders/fixture-cluster.ts";
import { fixturePki } from "../../builders/fixture-pki.ts";
import { fixtureFetched } from "../../builders/fixture-release.ts";
import { commandLine, textOf } from "../../builders/placed-node.ts";

const golden = join(import.meta.dirname, "../../golden/clusters");
const names = readdirSync(golden);
const load = (name: string): Promise<FixtureCluster> =>
  fixtureCluster(readFileSync(join(golden, name, "cluster.yaml"), "utf8"));

/** What is wrong with the flags in the rendered units of a cluster. */
function problems({ topology, manifest, own, manifests }: FixtureCluster, read = readSource): string[] {
  const table = readFlagTable();
  const input = {
    topology,
    manifest,
    pki: fixturePki(topology),
    fetched: fixtureFetched(manifest, topology),
    own,
    manifests,
  };
  return render(input, openTemplates(read)).files.flatMap(({ path, content }) => {
    const daemon = /system\/([\w-]+)\.service$/.exec(path)?.[1] ?? "";
    if (typeof content !== "string" || table[daemon] === undefined) return [];
    const flags = commandLine(content).flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? []);
    assert.ok(flags.length > 0, `${path} has flags`);
    return flags.flatMap((flag) => doubtOf(table, daemon, flag, manifest)?.message ?? []);
  });
}

for (const name of names) {
  test(`every flag that is rendered for ${name} exists in that version of its daemon`, async () => {
    assert.deepEqual(problems(await load(name)), []);
  });
}

test("an unknown flag in a template is found", async () => {
  const read = (path: string): string | undefined =>
    path === "builder/components/kubelet/kubelet.service.ejs"
      ? readSource(path)?.replace("/kubelet \\", "/kubelet --cadvisor-port=0 --no-such-flag \\")
      : readSource(path);
  assert.deepEqual(
    [...new Set(problems(await load("1.36-single-node"), read))],
    [
      "kubelet 1.36.3 has no flag --cadvisor-port any more: it went with 1.12",
      "kubelet 1.36.3: --no-such-flag is in no table of Kubeferry's and is given as it is",
    ],
  );
});

test("a flag of cluster.yaml that came later or went earlier is refused with the reason and the flag to write now", async () => {
  const text = readFileSync(join(golden, "1.16-docker/cluster.yaml"), "utf8");
  const flags = `flags: { kube-controller-manager: { cluster-signing-duration: 1h }, kubelet: { cadvisor-port: 0 }, kube-apiserver: { experimental-bootstrap-token-auth: true }, etcd: { enable-v2: true } }`;
  await assert.rejects(fixtureCluster(`${text}${flags}\n`), (error) => {
    assert.ok(isExpected(error, "CONFIG_INVALID"));
    assert.match(error.message, /--cluster-signing-duration yet: it came with 1\.19/);
    assert.match(error.message, /--experimental-bootstrap-token-auth any more: .*; write enable-bootstrap-token-auth/);
    assert.match(error.message, /kubelet 1\.16\.\d+ has no flag --cadvisor-port any more: it went with 1\.12/);
    assert.doesNotMatch(error.message, /enable-v2/);
    return true;
  });
});

test("a flag that the table does not list is given as it is, with a warning; numbers and booleans are taken", async () => {
  const text = `${readFileSync(join(golden, "1.36-single-node/cluster.yaml"), "utf8")}
flags: { kube-apiserver: { of-the-future: "a=b c", profilin: false }, kubelet: { of-the-future-too: 200 } }
`;
  const { warnings } = await parseCluster("cluster.yaml", text);
  assert.equal(warnings.length, 3);
  assert.match(
    warnings.join("\n"),
    /^cluster\.yaml:\d+:\d+: kube-apiserver .*: --profilin is in no table .*; did you mean `profiling`/m,
  );
  const cluster = renderFixture(await fixtureCluster(text));
  assert.match(textOf(cluster, "n1", "/etc/systemd/system/kubelet.service"), /--of-the-future-too=200$/m);
  assert.match(textOf(cluster, "n1", "/etc/systemd/system/kube-apiserver.service"), /"--of-the-future=a=b c"/);
});

test("rendering refuses flags that are gone by itself as well", async () => {
  const { topology, manifest } = await load("1.36-single-node");
  const cluster = { ...topology.cluster, flags: { kubelet: { "cadvisor-port": "0" } } };
  assert.throws(
    () =>
      render({
        topology: { ...topology, cluster },
        manifest,
        pki: fixturePki(topology),
        fetched: [],
        own: new Map(),
        manifests: [],
      }),
    (error) => isExpected(error, "FLAG_UNKNOWN"),
  );
});

test("a flag of cluster.yaml takes the place of Kubeferry's own value", async () => {
  const rendered = renderFixture(await load("1.36-etcd-apart"));
  const unit = textOf(rendered, "m1", "/etc/systemd/system/kube-apiserver.service");
  assert.deepEqual(unit.match(/--event-ttl=\S+/g), ["--event-ttl=2h"]);
});

test("words of a command line are quoted as systemd reads them", () => {
  assert.equal(quoteWord("--a=b"), "--a=b");
  assert.equal(quoteWord("--a=50%"), "--a=50%%");
  assert.equal(quoteWord("--a=$x"), "--a=$$x");
  assert.equal(quoteWord('--a=b "c"'), '"--a=b \\"c\\""');
});
