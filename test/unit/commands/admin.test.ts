/** `./install admin` on trees with the CA of a master, judged by openssl. That the API server takes it: test/integration/45. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { generateKey, makeCertificate, privatePem } from "#x509";
import { kubeconfigText, readKubeconfig } from "../../../installer/certificates/kubeconfig.ts";
import { type Ran, runInstall } from "../../programs/command.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-admin-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const day = 86_400_000;
const daysFromNow = (days: number): Date => new Date(Date.now() + days * day);

interface Made {
  readonly name: string;
  readonly pki?: string;
  readonly days?: readonly [from: number, to: number];
  /** What lies in the place of the CA's key; null: nothing. */
  readonly key?: string | null;
}

/** A master's tree; `key: null` makes it a worker's. */
async function tree({ name, pki = "pki", days: [from, to] = [-1, 3650], key }: Made): Promise<string> {
  const root = join(folder, name);
  const etc = join(root, "etc/kubernetes");
  mkdirSync(join(etc, pki), { recursive: true });
  const signer = await generateKey("ECDSA-P256");
  const span = { notBefore: daysFromNow(from), notAfter: daysFromNow(to) };
  const certificate = makeCertificate(
    {
      ...{ subject: { commonName: "kubernetes" }, publicKey: createPublicKey(signer), ...span },
      ...{ issuer: null, usages: [], sans: [] },
    },
    signer,
  );
  writeFileSync(join(etc, pki, "ca.pem"), certificate);
  const ownKey = key === undefined ? privatePem(signer) : key;
  if (ownKey !== null) writeFileSync(join(etc, pki, "ca-key.pem"), ownKey, { mode: 0o600 });
  const own = { server: "https://10.64.3.1:6443", authority: certificate, certificate, key: "none" };
  writeFileSync(join(etc, "admin.kubeconfig"), kubeconfigText("admin", own));
  return root;
}

const admin = (root: string, ...words: string[]): Promise<Ran> =>
  runInstall(["admin", "--root", root, ...words], { workingDirectory: root });

for (const pki of ["pki", "cert", "ssl"]) {
  test(`the CA in /etc/kubernetes/${pki} signs for a day, for a client, and nothing else`, async () => {
    const root = await tree({ name: `master-${pki}`, pki });
    const before = process.umask(0);
    const ran = await admin(root, "--for", "alice", "--json").finally(() => process.umask(before));
    assert.equal(ran.code, 0, ran.err);
    const output = join(root, "alice.kubeconfig");
    assert.equal(statSync(output).mode & 0o7777, 0o600);
    const { server, authority, certificate, key } = readKubeconfig(readFileSync(output, "utf8"));
    assert.equal(server, "https://10.64.3.1:6443");
    assert.equal(authority, readFileSync(join(root, "etc/kubernetes", pki, "ca.pem"), "utf8"));
    assert.match(key ?? "", /PRIVATE KEY/);
    assert.doesNotMatch(ran.out + ran.err, /PRIVATE KEY|client-key-data/);
    const file = join(root, "alice.pem");
    writeFileSync(file, certificate ?? "");
    const openssl = (...words: string[]): string => execFileSync("openssl", words, { encoding: "utf8", stdio: "pipe" });
    const ca = join(root, "etc/kubernetes", pki, "ca.pem");
    assert.match(openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, file), /OK$/m);
    assert.throws(
      () => openssl("verify", "-purpose", "sslserver", "-CAfile", ca, file),
      /unsuitable certificate purpose/,
    );
    const shown = openssl(
      "x509",
      "-in",
      file,
      "-noout",
      "-subject",
      "-ext",
      "basicConstraints,subjectAltName",
      "-fingerprint",
      "-sha256",
    );
    assert.match(shown, /subject=CN ?= ?alice, O ?= ?kubeadm:cluster-admins/);
    assert.match(shown, /CA:FALSE/);
    assert.doesNotMatch(shown, /Alternative Name/);
    const [record] = ran.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const fingerprint = /Fingerprint=(\S+)/.exec(shown)?.[1]?.replaceAll(":", "").toLowerCase();
    assert.equal(record?.["fingerprint"], fingerprint);
    const end = new Date(String(record?.["notAfter"])).getTime();
    assert.ok(end <= daysFromNow(1).getTime() && end > daysFromNow(0.9).getTime());
  });
}

test("groups, days and the address are as asked for; --dry-run writes nothing", async () => {
  const root = await tree({ name: "groups" });
  const words = ["--for", "bob@example.org", "--group", "developers", "--group", "on-call", "--days", "7"];
  const dry = await admin(root, ...words, "--dry-run");
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /bob@example\.org, in developers, on-call, until/);
  assert.ok(!existsSync(join(root, "bob@example.org.kubeconfig")));
  const ran = await admin(root, ...words, "--server", "https://k8s.example.org", "-o", "bob");
  assert.equal(ran.code, 0, ran.err);
  assert.equal(readKubeconfig(readFileSync(join(root, "bob"), "utf8")).server, "https://k8s.example.org");
});

test("a host without the CA's key, or with one that is not its own, is refused", async () => {
  const worker = await admin(await tree({ name: "worker", key: null }), "--for", "alice");
  assert.equal(worker.code, 2);
  assert.match(worker.err, /only masters have it/);
  const other = privatePem(await generateKey("ECDSA-P256"));
  const foreign = await admin(await tree({ name: "foreign", key: other }), "--for", "alice");
  assert.equal(foreign.code, 3);
  assert.match(foreign.err, /does not belong to its certificate/);
  const garbage = await admin(await tree({ name: "garbage", key: "not a key\n" }), "--for", "alice");
  assert.equal(garbage.code, 3, garbage.err);
  assert.match(garbage.err, /the CA's key is no key/);
});

test("nothing lives longer than the CA, and a CA that is over or is to come signs nothing", async () => {
  const root = await tree({ name: "ends-soon", days: [-1, 2] });
  const ran = await admin(root, "--for", "alice", "--days", "30", "--json");
  assert.equal(ran.code, 0, ran.err);
  const { notAfter } = JSON.parse(ran.out.split("\n")[0] ?? "") as { notAfter: string };
  assert.ok(new Date(notAfter) <= daysFromNow(2));
  for (const [name, days] of [
    ["over", [-9, -1]],
    ["to-come", [1, 9]],
  ] as const) {
    const refused = await admin(await tree({ name, days }), "--for", "alice");
    assert.equal(refused.code, 3, refused.err);
    assert.match(refused.err, /can sign nothing that holds now/);
  }
});

test("wrong calls are told, and what is there stays", async () => {
  const root = await tree({ name: "wrong" });
  writeFileSync(join(root, "there"), "mine");
  const wrong: [RegExp, ...string[]][] = [
    [/the cluster's own/, "--for", "system:kube-scheduler"],
    [/the cluster's own/, "--for", "system:masters"],
    [/the cluster's own/, "--for", "carol", "--group", "system:nodes"],
    [/letters, digits/, "--for", "../carol"],
    [/letters, digits/, "--for", "carol", "--group", "a,b"],
    [/1 to 90/, "--for", "carol", "--days", "91"],
    [/A number/, "--for", "carol", "--days", "0"],
    [/--for/],
    [/https:\/\/HOST:PORT/, "--for", "carol", "--server", "http://10.64.3.1"],
    [/https:\/\/HOST:PORT/, "--for", "carol", "--server", "https://me@10.64.3.1"],
    [/overwrites nothing/, "--for", "carol", "-o", "there"],
  ];
  for (const [message, ...words] of wrong) {
    const ran = await admin(root, ...words);
    assert.equal(ran.code, 2, ran.err);
    assert.match(ran.err, message);
  }
  assert.equal(readFileSync(join(root, "there"), "utf8"), "mine");
  assert.ok(!existsSync(join(root, "carol.kubeconfig")));
});
