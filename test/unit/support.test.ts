/** What leaves the node in a support archive, and above all what does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#bundle";
import { type Header, journalFormat, type JournalRecord } from "../../installer/journal/journal.ts";
import { goal } from "../../installer/resources/catalogue.ts";
import { hider, secretsIn } from "../../installer/support/redact.ts";
import { supportMembers } from "../../installer/commands/support.ts";
import { FakeHost } from "../fakes/fake-host.ts";

const body = "MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun";
const key = `-----BEGIN RSA PRIVATE KEY-----\n${body}\nSecondLine0123456789abcdefSecondLine\n-----END RSA PRIVATE KEY-----\n`;
const embedded = Buffer.from(key).toString("base64");
const token = "kf7abc.0123456789abcdef";
const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
const encryption = "c2VjcmV0IG9mIDMyIGJ5dGVzIGZvciBhZXNjYmMhIQ==";

const secretFiles: Readonly<Record<string, string>> = {
  "/etc/kubernetes/pki/server-key.pem": key,
  "/etc/kubernetes/admin.kubeconfig": `users:\n  - user:\n      client-key-data: ${embedded}\n`,
  "/etc/kubernetes/bootstrap.kubeconfig": `    user:\n      token: ${token}\n`,
  "/etc/kubernetes/encryption-config.yaml": `keys:\n  - name: key1\n    secret: ${encryption}\n`,
  "/etc/kubernetes/token.csv": "0f9e8d7c6b5a49382716,kubelet-bootstrap,10001\n",
};

/** A host whose daemons write secrets into the journal. */
class Talkative extends FakeHost {
  override async query(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    if (argv[0] !== "journalctl") return super.query(argv);
    const lines = [
      "kube-apiserver started",
      ...Object.values(secretFiles),
      `flag --token=${token}`,
      `Authorization: Bearer ${jwt}`,
      `{"password": "correct horse"}`,
      "GET https://admin:hunter2@registry.local/v2/",
      `line ${body} in the middle of one`,
    ];
    return { code: 0, stdout: lines.join("\n"), stderr: "" };
  }
}

const header = {
  command: "./install",
  bundle: { payload: digestOf("p"), where: "/mnt", cluster: "c", release: "r", locked: "2026-11-21" },
  node: { profile: "n1", name: "n1", ip: "10.0.0.11", iface: null },
  roles: ["master"],
  platform: "linux/amd64",
  live: true,
  alone: true,
  installer: "0.1.0",
  notes: [],
  checks: [],
  made: [],
} satisfies Header;

function journalOf(): JournalRecord[] {
  const owner = { uid: 0, gid: 0 };
  const files = Object.entries(secretFiles).map(([path, text]) =>
    goal("file", { path, mode: 0o600, owner, digest: digestOf(text), size: text.length, sensitive: true }),
  );
  const unit = goal("unit", {
    name: "kube-apiserver.service",
    file: "/etc/systemd/system/kube-apiserver.service",
    links: [],
    start: true,
    noBlock: false,
    restartOn: [],
  });
  const before = { text: "//nas/share /mnt cifs password=nas-secret 0 0", digest: digestOf(""), mode: 0o644, owner };
  return [
    { type: "begin", id: 1, at: "2026-11-21T00:00:00Z", format: journalFormat, ...header },
    { type: "phase", id: 1, phase: { name: "place", goals: [...files, unit], gates: [] } },
    { type: "change", id: 1, n: 0, phase: "place", change: { resource: "swap", id: {}, before, after: null } },
    { type: "ready", id: 1, phases: 1, changes: 1 },
    { type: "commit", id: 1, at: "2026-11-21T00:00:01Z" },
  ];
}

test("no secret that is installed or that a daemon told its log is in the archive", async () => {
  const host = new Talkative();
  for (const [path, text] of Object.entries(secretFiles)) host.file(path, text, 0o600);
  const members = await supportMembers(host, journalOf(), new Date("2026-11-21T00:00:00Z"));
  const log = members.get("units/kube-apiserver.service.log") ?? "";
  assert.match(log, /kube-apiserver started/, "what is no secret stays");
  assert.match(log, /journalctl -u kube-apiserver\.service -n 500/);
  const all = [...members.values()].join("\n");
  const planted = [
    body,
    "SecondLine0123456789abcdefSecondLine",
    embedded,
    embedded.slice(40, 90),
    token,
    jwt,
    encryption,
    "0f9e8d7c6b5a49382716",
    "horse",
    "hunter2",
    "nas-secret",
  ];
  assert.deepEqual(
    planted.filter((secret) => all.includes(secret)),
    [],
  );
  for (const name of ["facts.json", "versions.json", "findings.json"]) {
    assert.doesNotThrow(() => JSON.parse(members.get(name) ?? ""), name);
  }
});

test("secrets of a form that nobody foresaw are known by the node's own sensitive files", async () => {
  const host = new FakeHost();
  host.file("/etc/ferry/pin", "zebra-42-crossing\n", 0o600);
  const spec = { path: "/etc/ferry/pin", mode: 0o600, owner: { uid: 0, gid: 0 }, digest: digestOf(""), size: 1 };
  const hide = await hider(host, [{ ...spec, sensitive: true }]);
  assert.equal(hide("the pin is zebra-42-crossing, they say"), "the pin is [secret], they say");
  assert.equal((await hider(host, [{ ...spec, sensitive: false }]))("zebra-42-crossing"), "zebra-42-crossing");
});

test("names and addresses in a kubeconfig are no secrets", () => {
  const text = `server: https://10.0.0.11:6443\nname: system:kube-controller-manager\nclient-key-data: ${embedded}\n`;
  const found = secretsIn(text);
  assert.ok(found.includes(embedded) && found.includes(body));
  assert.ok(!found.some((secret) => secret.includes("controller-manager") || secret.includes("10.0.0.11")));
});
