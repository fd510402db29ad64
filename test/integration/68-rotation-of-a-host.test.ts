/** What a host does with the bundles of a rotation: no step is skipped, the kubelet comes along, and the way back is there. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { authorityOf } from "../../builder/components/credentials.ts";
import { kubeletCertificate, type Rotated, rotatedBundles } from "../builders/rotated-bundles.ts";
import { installer, type Ran } from "../programs/tree.ts";

let folder: string;
let bundles: Rotated["bundles"];
let pkis: Rotated["pkis"];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-rotated-"));
  ({ bundles, pkis } = await rotatedBundles(folder));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let root: string;
const to = (name: keyof typeof bundles): Promise<Ran> =>
  installer("upgrade", "--bundle", bundles[name], "--root", root, "--yes");
const told = ({ stdout, stderr }: Ran): string => stdout + stderr;
const kubeconfig = (): string => readFileSync(join(root, "etc/kubernetes/kubelet.kubeconfig"), "utf8");

test("a host goes from step to step, and over none", async () => {
  root = join(folder, "root");
  mkdirSync(root);
  const first = await installer(
    "--bundle",
    bundles.first,
    "--role",
    "etcd,master,worker",
    "--ip",
    "10.0.0.11",
    "--root",
    root,
  );
  assert.equal(first.code, 0, told(first));
  await kubeletCertificate(root, pkis.first);
  const data = Buffer.from(authorityOf(pkis.first, "kubernetes").certificate).toString("base64");
  const before = `clusters:\n- cluster:\n    certificate-authority-data: ${data}\n    server: https://10.0.0.11:6443\n`;
  writeFileSync(join(root, "etc/kubernetes/kubelet.kubeconfig"), before, { mode: 0o600 });

  for (const step of ["reissue", "drop"] as const) {
    const refused = await to(step);
    assert.equal(refused.code, 6, told(refused));
    assert.match(
      told(refused),
      step === "drop" ? /other keys of the cluster/ : /is at the step reissue of kubernetes-ca, reissue of etcd-ca/,
    );
  }
  const trust = await to("trust");
  assert.equal(trust.code, 0, told(trust));
  const after = before.replace(/certificate-authority-data: .*/, "certificate-authority: /etc/kubernetes/pki/ca.pem");
  assert.equal(kubeconfig(), after);
  const back = await installer("rollback", "--root", root, "--yes");
  assert.equal(back.code, 0, told(back));
  assert.equal(kubeconfig(), before, "as the kubelet wrote it");
  assert.equal((await to("trust")).code, 0);
  assert.equal((await to("drop")).code, 6);

  assert.equal((await to("reissue")).code, 0);
  assert.equal((await to("first")).code, 6, "nor back over a step");
  const audited = await installer("audit", "--root", root);
  assert.doesNotMatch(told(audited), /kubelet-client|kubelet\.kubeconfig/, "a certificate of the old CA still holds");
});

test("the last step waits for the kubelet's own certificate, and is drift for one that was left", async () => {
  const refused = await to("drop");
  assert.equal(refused.code, 6, told(refused));
  assert.match(told(refused), /the kubelet still uses a certificate of the CA that this bundle drops/);
  await kubeletCertificate(root, pkis.reissue);
  const done = await to("drop");
  assert.equal(done.code, 0, told(done));
  assert.doesNotMatch(told(await installer("audit", "--root", root)), /kubelet-client|kubelet\.kubeconfig/);
  await kubeletCertificate(root, pkis.first);
  assert.match(
    told(await installer("audit", "--root", root)),
    /kubelet-client-current\.pem is not signed by the cluster's CA/,
  );
});
