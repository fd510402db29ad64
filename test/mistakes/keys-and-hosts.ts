/** Mistakes with the commands of `kubeferry` around keys, the store, hosts and registries. */
import type { Desk } from "./desk.ts";
import type { Mistake } from "./mistake.ts";

const sign = "kubeferry sign plant-7.tar --secret-key";
const pushed = "kubeferry push-images plant-7.tar --to 127.0.0.1:1";
const served = "kubeferry serve-images plant-7.tar --listen";

export const keyAndHostMistakes: readonly Mistake[] = [
  // Keys that sign
  [`${sign} nosuch.key`, "5 KEY_MISSING", "/nosuch.key", "kubeferry keygen --out PREFIX"],
  [`${sign} release.pub`, "5 KEY_WRONG", "/release.pub", "give the .key file"],
  [`${sign} cluster.yaml`, "5 KEY_WRONG", "/cluster.yaml", "give the .key file"],
  [`${sign} release.key`, "3 PKI_INVALID", "/release.key", "chmod 0600", (desk) => desk.chmod("release.key", 0o644)],
  [`${sign} locked.key`, "5 KEY_MISSING", "/locked.key", "KUBEFERRY_PASSWORD", locked],
  [`${sign} locked.key`, "5 KEY_WRONG", "/locked.key", "KUBEFERRY_PASSWORD", wrongPassword],
  ["kubeferry sign nosuch.tar --secret-key release.key", "2 USAGE", "/nosuch.tar", "give the .tar or its directory"],
  ["kubeferry sign cluster.yaml --secret-key release.key", "5 ARCHIVE_INVALID", "/cluster.yaml", "kubeferry build"],
  ["kubeferry keygen --out release --no-password", "2 USAGE", "/release.key", "choose another --out"],
  ["kubeferry keygen --out other", "5 KEY_MISSING", "/other.key", "--no-password"],
  // Nodes' keys, CAs
  ["kubeferry rekey nosuch.yaml", "3 CONFIG_UNREADABLE", "/nosuch.yaml", "kubeferry init"],
  ["kubeferry rekey cluster.yaml --node nx", "3 NODE_UNKNOWN", "expected: one of m1, w1, worker", "--node NODE"],
  ["kubeferry pki csr cluster.yaml --out cluster.yaml", "2 USAGE", "/cluster.yaml", "choose another --out"],
  ["kubeferry pki import cluster.yaml nosuch.pem", "3 CONFIG_UNREADABLE", "/nosuch.pem", "PEM files"],
  ["kubeferry pki import cluster.yaml cluster.lock", "3 PKI_INVALID", "/plant-7.pki", "kubeferry pki csr cluster.yaml"],
  ["kubeferry pki rotate cluster.yaml kubernets-ca", "2 USAGE", "found: kubernets-ca", "kubeferry pki rotate"],
  [
    "kubeferry pki rotate cluster.yaml --step trust",
    "2 USAGE",
    "expected: kubernetes-ca",
    "kubernetes-ca --step trust",
  ],
  ["kubeferry pki rotate cluster.yaml etcd-ca --step drop", "2 USAGE", "expected: trust", "etcd-ca --step trust"],
  // The store
  ["kubeferry store list --cache /nonexist", "2 USAGE", "/nonexist", "--cache DIR"],
  ["kubeferry store verify --cache plant-7.keys", "2 USAGE", "/plant-7.keys", "--cache DIR"],
  ["kubeferry store gc --older-than soon", "2 USAGE", "--older-than soon", "--older-than 30"],
  [
    "kubeferry store verify",
    "5 DIGEST_MISMATCH",
    /expected: [0-9a-f]{64}\n +found: [0-9a-f]{64}/,
    "--repair",
    damagedStore,
  ],
  // Hosts
  ["kubeferry push plant-7.tar", "2 USAGE", "'--hosts <hosts.yaml>'", "kubeferry push --help"],
  ["kubeferry push plant-7.tar --hosts nosuch.yaml", "3 CONFIG_UNREADABLE", "/nosuch.yaml", "docs/push.md"],
  [
    "kubeferry push plant-7.tar --hosts cluster.yaml",
    "3 CONFIG_INVALID",
    "cluster.yaml:7:1: unknown key",
    "docs/push.md",
  ],
  ["kubeferry push nosuch.tar --hosts hosts.yaml", "2 USAGE", "/nosuch.tar", "give the .tar or its directory"],
  ["kubeferry push plant-7.tar --hosts h --install --upgrade", "2 USAGE", "--install and --upgrade", "--install"],
  ["kubeferry export ansible plant-7.tar --out bundle", "2 USAGE", "/bundle", "does not exist yet"],
  ["kubeferry export oci plant-7.tar --out bundle", "2 USAGE", "/bundle", "does not exist yet"],
  // Registries
  ["kubeferry push-images plant-7.tar --to UPPER/x", "2 USAGE", "found: UPPER/x", "--to registry.plant.local:5000"],
  [`${pushed} --credentials nosuch`, "4 UNAUTHORIZED", "/nosuch", "ls -l"],
  [`${pushed} --credentials login`, "6 DENIED", "/login", "chmod 600", (desk) => desk.write("login", "me:secret\n")],
  [
    `${pushed} --credentials login`,
    "3 CONFIG_INVALID",
    "/login",
    "user:password",
    (desk) => desk.write("login", "me\n", 0o600),
  ],
  [`${served} 5000`, "2 USAGE", "'5000'", "kubeferry serve-images --help"],
  [`${served} 10.64.0.2:5000`, "2 USAGE", "--listen 10.64.0.2:5000", "--tls-cert FILE --tls-key FILE"],
  [`${served} 203.0.113.9:5000 --plain-http`, "2 USAGE", "--listen 203.0.113.9:5000", "ip -brief address"],
  [`${served} 127.0.0.1:5000 --tls-cert release.pub`, "2 USAGE", "--tls-cert", "--tls-cert FILE --tls-key FILE"],
];

function locked(desk: Desk): void {
  desk.environment["KUBEFERRY_PASSWORD"] = "right";
  desk.run("kubeferry", "keygen", "--out", "locked");
  delete desk.environment["KUBEFERRY_PASSWORD"];
}

function wrongPassword(desk: Desk): void {
  locked(desk);
  desk.environment["KUBEFERRY_PASSWORD"] = "wrong";
}

/** A content that is no longer what its name says. */
function damagedStore(desk: Desk): void {
  const name = "0".repeat(64);
  desk.run("mkdir", "-p", "home/.cache/kubeferry/sha256/00");
  desk.write(`home/.cache/kubeferry/sha256/00/${name}`, "damaged\n");
}
