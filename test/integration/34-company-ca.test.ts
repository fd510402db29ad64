/** A company's root signs the cluster's CAs, by way of requests or as intermediates with their keys; OpenSSL judges what comes of it. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { openPki } from "../../builder/pki/authority.ts";
import { certificates } from "../../builder/pki/certificates.ts";
import { fixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { textOf } from "../builders/placed-node.ts";
import { checkJson } from "../programs/json-lines.ts";
import { type CompanyCa, companyCa } from "../programs/company-ca.ts";

const program = join(import.meta.dirname, "../../builder/main.ts");
const names = ["kubernetes-ca", "etcd-ca", "front-proxy-ca"];
const yaml = (algorithm: string): string => `
name: plant
release: kubernetes-1.36
certificates: { algorithm: ${algorithm} }
nodes:
  - { name: n1, ip: 10.0.0.1, roles: [etcd, master, worker] }
`;
let folder: string;
let work: string;
let company: CompanyCa;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeferry-company-"));
  company = companyCa(folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  work = mkdtempSync(join(folder, "w"));
  writeFileSync(join(work, "cluster.yaml"), yaml("ECDSA-P384"));
  writeFileSync(join(work, "root.pem"), company.root);
});

function kubeferry(...words: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "pki", ...words], {
    cwd: work,
    encoding: "utf8",
  });
  checkJson(words, stdout, status);
  return { code: status, output: stdout + stderr };
}

function openssl(...words: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("openssl", words, { cwd: work, encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}

/** Requests out, certificates in. */
function signAll(): string[] {
  assert.equal(kubeferry("csr", "cluster.yaml", "--out", "out").code, 0);
  return names.map((name) => {
    writeFileSync(join(work, `${name}.crt`), company.sign(readFileSync(join(work, "out", `${name}.csr`), "utf8")));
    return `${name}.crt`;
  });
}

test("requests leave, keys stay, and what the company signed is what nodes get: up to its root by OpenSSL's strict rules", async () => {
  const signed = signAll();
  for (const name of names) {
    assert.equal(openssl("req", "-in", `out/${name}.csr`, "-noout", "-verify").code, 0);
    assert.doesNotMatch(readFileSync(join(work, "out", `${name}.csr`), "utf8"), /PRIVATE/);
  }
  const waiting = join(work, "plant.pki");
  const topology = (await fixtureCluster(yaml("ECDSA-P384"))).topology;
  await assert.rejects(openPki(waiting, topology, new Date()), /was requested and is not here yet/);
  const { code, output } = kubeferry("import", "cluster.yaml", ...signed, "root.pem");
  assert.equal(code, 0, output);
  assert.match(output, /^kubernetes-ca: CN=kubernetes-ca, O=plant, by O=Example, CN=Example Root, until \d{4}-/m);
  assert.equal(kubeferry("import", "--json", "cluster.yaml", ...signed, "root.pem").code, 0, "again, it is the same");
  const again = kubeferry("csr", "cluster.yaml", "--out", "again");
  assert.match(again.output, /every CA of this cluster has its certificate already/);
  assert.deepEqual(readdirSync(join(work, "again")), []);

  const pki = await openPki(waiting, topology, new Date());
  for (const leaf of pki.leaves) {
    const ca = pki.authorities.find(({ name }) => name === leaf.authority);
    writeFileSync(join(work, "leaf.pem"), leaf.certificate);
    writeFileSync(join(work, "between.pem"), ca?.certificate ?? "");
    for (const usage of ["server", "client"] as const) {
      const purpose = ["-x509_strict", "-purpose", `ssl${usage}`];
      const judged = openssl("verify", ...purpose, "-CAfile", "root.pem", "-untrusted", "between.pem", "leaf.pem");
      const wanted = certificates.find(({ name }) => name === leaf.name)?.usages.includes(usage) ?? false;
      assert.equal(judged.code === 0, wanted, `${leaf.name} ${usage}: ${judged.output}`);
    }
  }

  // Who trusts the company's root can talk to the API server; the cluster itself trusts its own CA only, not all that the company signs.
  const rendered = renderFixture(await fixtureCluster(yaml("ECDSA-P384")), pki);
  const served = textOf(rendered, "n1", "/etc/kubernetes/pki/kube-apiserver.pem");
  assert.equal(served.match(/BEGIN CERTIFICATE/g)?.length, 2);
  writeFileSync(join(work, "served.pem"), served);
  assert.equal(openssl("verify", "-CAfile", "root.pem", "-untrusted", "served.pem", "served.pem").code, 0);
  const trusted = textOf(rendered, "n1", "/etc/kubernetes/pki/ca.pem");
  assert.equal(trusted.match(/BEGIN CERTIFICATE/g)?.length, 1);
  assert.notEqual(trusted, company.root);
});

test("a CA that the company signed is followed by another one of the company's, and by no other", async () => {
  assert.equal(kubeferry("import", "cluster.yaml", ...signAll(), "root.pem").code, 0);
  const { topology } = await fixtureCluster(yaml("ECDSA-P384"));
  const rotate = (): { code: number | null; output: string } =>
    kubeferry("rotate", "cluster.yaml", ...names, "--step", "trust");
  assert.match(rotate().output, /kubernetes-ca is signed by another CA, and so must be the one after it/);
  const csr = kubeferry("csr", "--next", "cluster.yaml", "--out", "next");
  assert.equal(csr.code, 0, csr.output);
  assert.match(rotate().output, /a certificate for the next kubernetes-ca was requested and is not here yet/);
  const signed = names.map((name) => {
    const request = readFileSync(join(work, "next", `${name}.csr`), "utf8");
    writeFileSync(join(work, `next-${name}.crt`), company.sign(request));
    return `next-${name}.crt`;
  });
  const imported = kubeferry("import", "--next", "cluster.yaml", ...signed, "root.pem");
  assert.equal(imported.code, 0, imported.output);
  assert.match(imported.output, /^kubernetes-ca: CN=kubernetes-ca-2, O=plant, by O=Example, CN=Example Root/m);
  const done = rotate();
  assert.equal(done.code, 0, done.output);
  const reissue = kubeferry("rotate", "cluster.yaml", ...names, "--step", "reissue");
  assert.match(reissue.output, /both are trusted, the new one signs, from the next build on/);
  const pki = await openPki(join(work, "plant.pki"), topology, new Date());
  const leaf = pki.leaves.find(({ name }) => name === "kube-apiserver");
  writeFileSync(join(work, "server.pem"), `${leaf?.certificate}${leaf?.chain}`);
  // By the company's root alone, and by what nodes trust.
  const trusted = pki.authorities.find(({ name }) => name === "kubernetes")?.trusted ?? [];
  assert.equal(trusted.length, 2);
  for (const anchor of [company.root, trusted.map(({ certificate }) => certificate).join("")]) {
    writeFileSync(join(work, "anchor.pem"), anchor);
    const words = ["-partial_chain", "-CAfile", "anchor.pem", "-untrusted", "server.pem", "server.pem"];
    const judged = openssl("verify", ...words);
    assert.equal(judged.code, 0, judged.output);
  }
});

test("an intermediate is taken with its key; one for two CAs, one that may not sign and one with a foreign key are not", () => {
  const make = (name: string, extensions?: string): string[] => {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`];
    assert.equal(openssl("req", "-new", ...curve, "-subj", `/CN=${name}`, "-out", `${name}.csr`).code, 0);
    writeFileSync(join(work, `${name}.crt`), company.sign(readFileSync(join(work, `${name}.csr`), "utf8"), extensions));
    return [`${name}.crt`, `${name}.key`];
  };
  const refused = (pattern: RegExp, ...words: string[]): void => {
    const { code, output } = kubeferry("import", "cluster.yaml", ...words);
    assert.equal(code, 3, output);
    assert.match(output, pattern);
  };
  const good = make("good");
  refused(/no plain private key is among the files/, "--ca", "etcd-ca", "good.crt");
  refused(/none of these certificates was requested/, ...good);
  const leaf = make("leaf", "basicConstraints=critical,CA:FALSE\n");
  refused(/it is not a CA's: basicConstraints without CA:TRUE/, "--ca", "etcd-ca", ...leaf);
  const mute = make("mute", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n");
  refused(/its keyUsage lacks keyCertSign/, "--ca", "etcd-ca", ...mute);
  const web = make(
    "web",
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nextendedKeyUsage=serverAuth\n",
  );
  refused(/its extendedKeyUsage lacks clientAuth/, "--ca", "etcd-ca", ...web);
  refused(/no certificate of this key is among the files/, "--ca", "etcd-ca", "good.crt", "mute.key");
  assert.ok(!existsSync(join(work, "plant.pki/etcd-ca.pem")), "nothing was taken of what was refused");
  assert.equal(kubeferry("import", "cluster.yaml", "--ca", "etcd-ca", ...good, "root.pem").code, 0);
  refused(/it is etcd-ca already/, "--ca", "kubernetes-ca", ...good);
  refused(/the cluster has this CA already/, "--ca", "etcd-ca", ...make("other"));
  execFileSync("chmod", ["0755", join(work, "plant.pki")]);
  refused(/open to other users/, "--ca", "kubernetes-ca", ...good);
});
