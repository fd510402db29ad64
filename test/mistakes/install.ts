/** Mistakes with `./install`, on the host. */
import type { Desk } from "./desk.ts";
import type { Mistake } from "./mistake.ts";

const bare = "--root ../bare";
const worker = "./install --role worker --ip 10.0.0.12";
const keyed = `${worker} ${bare} --key ../plant-7.keys/w1.key`;
const installs = "./install --role ROLES --ip IP";
const copyAgain = "copy the bundle again from where it was built";

export const installMistakes: readonly Mistake[] = [
  // Words
  ["./install stats", "2 USAGE", "unknown command 'stats'", "./install --help"],
  ["./install install --role worker --ip 10.0.0.12", "2 USAGE", "unknown command 'install'", "./install --help"],
  ["./install --rol worker", "2 USAGE", /expected: --role$/m, "./install apply --help"],
  ["./install --role", "2 USAGE", "'--role <roles>'", "./install apply --help"],
  ["./install undo --root", "2 USAGE", "'--root <dir>'", "./install undo --help"],
  ["./install smoke --timeout soon", "2 USAGE", "'soon'", "./install smoke --help"],
  ["./install admin", "2 USAGE", "'--for <name>'", "./install admin --help"],
  ["./install remove-node", "2 USAGE", "'name'", "./install remove-node --help"],
  ["./install restore-etcd", "2 USAGE", "--snapshot FILE", "./install restore-etcd --help"],
  ["./install explain NOSUCH", "2 USAGE", "NOSUCH", "lists them all"],
  // Which node
  ["./install --ip 10.0.0.12", "2 USAGE", "--role is missing", "./install --role worker"],
  [`./install --role worker ${bare}`, "2 USAGE", "10.0.0.12 (w1)", "./install --role worker --ip ADDRESS"],
  ["./install --role node --ip 10.0.0.12", "3 ROLE_UNKNOWN", "--role node", "./install --role worker"],
  [
    `./install --role worker --ip w1 ${bare}`,
    "2 USAGE",
    "w1 is no address of a node",
    "./install --role worker --ip ADDRESS",
  ],
  [`./install --role worker --ip 10.9.9.9 ${bare}`, "3 NODE_UNKNOWN", "any address in 10.0.0.0/24", "./install --role"],
  [`./install --role master --ip 10.0.0.12 ${bare}`, "3 NODE_UNKNOWN", "10.0.0.11 (m1)", "./install --role"],
  [`${keyed} --name other`, "2 USAGE", /expected: w1\n +found: other/, "leave --name out"],
  [`./install --role worker --ip 10.0.0.77 --name W_7 ${bare}`, "2 USAGE", "--name", "another --name"],
  [`${keyed} --iface eth0,eth1`, "2 USAGE", "--iface", "ip -brief address"],
  // The key
  [`${worker} ${bare}`, "5 KEY_MISSING", "secrets/w1.age", "./install --key NODE.key"],
  [`${worker} ${bare} --key ../nosuch.key`, "5 KEY_MISSING", "/nosuch.key", "ls -l"],
  [`${worker} ${bare} --key ../plant-7.keys/m1.key`, "5 KEY_WRONG", "secrets/w1.age", "CLUSTER.keys/NODE.key"],
  [`${worker} ${bare} --key ../release.key`, "5 KEY_WRONG", "/release.key", "CLUSTER.keys"],
  [
    `${worker} ${bare} --key ../plant-7.keys`,
    "5 KEY_MISSING",
    "plant-7.keys/w1.key",
    "ls -l",
    (desk) => desk.remove("plant-7.keys/w1.key"),
  ],
  [
    `${worker} ${bare}`,
    "5 KEY_MISSING",
    "/nosuch.key",
    "ls -l",
    (desk) => void (desk.environment["KUBEFERRY_KEY"] = "../nosuch.key"),
  ],
  // Who, and where
  [`${worker} --key ../w1.key`, "6 PREFLIGHT", "this host is not fit: root", "--skip-preflight", notRoot],
  ["./install undo --root ../host", "6 DENIED", "/journal", "run it as root", notRoot],
  ["./install status --root ../host", "6 DENIED", "/journal", "run it as root", notRoot],
  [`${worker} --root ../missing`, "2 USAGE", "/missing", "where the node's file system is mounted"],
  [`${worker} --root ../cluster.yaml`, "2 USAGE", "/cluster.yaml", "where the node's file system is mounted"],
  [`${keyed} --skip-preflight disk`, "2 USAGE", "--skip-preflight disk", "./install explain"],
  [`${keyed} --initial-cluster-state existing --no-start`, "2 USAGE", "--no-start", "leave --no-start out"],
  [
    keyed.replace("bare", "small"),
    "6 PREFLIGHT",
    /disk-space/,
    "--skip-preflight disk-space",
    (desk) => desk.mount("small", "size=100k"),
  ],
  // The bundle
  [`${worker} ${bare} --bundle ../nosuch.tar`, "2 USAGE", "/nosuch.tar", "give the .tar or its directory"],
  [`${worker} ${bare} --bundle ..`, "5 MEMBER_MISSING", "it has no SHA256SUMS", "kubeferry build"],
  [
    `${worker} ${bare} --bundle ../cut.tar`,
    "5 TRUNCATED",
    "bin/install-linux-amd64",
    copyAgain,
    (desk) => desk.cut("plant-7.tar", "cut.tar", 5_000_000),
  ],
  [keyed, "5 SIZE_MISMATCH", "README.txt", copyAgain, (desk) => desk.write("bundle/README.txt", "x\n")],
  [keyed, "5 MEMBER_MISSING", "secrets/m1.age", copyAgain, (desk) => desk.remove("bundle/secrets/m1.age")],
  [
    keyed,
    "5 MEMBER_MODE",
    /bundle: \.\n +expected: mode 0755\n +found: mode 0777/,
    copyAgain,
    (desk) => desk.chmod("bundle", 0o777),
  ],
  [keyed, "5 MEMBER_MODE", "bundle.json", copyAgain, (desk) => desk.chmod("bundle/bundle.json", 0o666)],
  [`${keyed} --public-key ../nosuch.pub`, "2 USAGE", "/nosuch.pub", "minisign's .pub file"],
  [`${keyed} --public-key ../release.pub`, "5 SIGNATURE_INVALID", "found: no signature", "who signs it"],
  // The launcher
  [`sh ${keyed}`, "6 NOEXEC", "/bundle", "mount -o remount,exec", (desk) => desk.mount("bundle", "noexec", true)],
  [
    keyed,
    "6 NOEXEC",
    "bin/install-linux-amd64",
    "chmod +x",
    (desk) => desk.chmod("bundle/bin/install-linux-amd64", 0o644),
  ],
  [keyed, "6 PLATFORM", "linux-amd64", "platforms: [linux/amd64]", (desk) => desk.remove("bundle/bin")],
  [keyed, "5 DIGEST_MISMATCH", "SHA256SUMS", "unpack the bundle again", (desk) => desk.remove("bundle/SHA256SUMS")],
  // Nothing is installed
  [`./install audit ${bare}`, "9 NOT_INSTALLED", "/bare", installs],
  [`./install status ${bare}`, "9 NOT_INSTALLED", "/bare", installs],
  [`./install certificates ${bare}`, "9 NOT_INSTALLED", "/bare", installs],
  [`./install upgrade ${bare}`, "2 USAGE", "/bare", "./install --role ROLES"],
  [`./install renew ${bare}`, "2 USAGE", "/bare", "./install --role ROLES"],
  [`./install approve ${bare}`, "2 USAGE", "cluster.json", "run it on a master"],
  [`./install smoke ${bare}`, "2 USAGE", "cluster.json", "run it on a master"],
  [`./install support ${bare} -o ../nodir/x.tar`, "2 USAGE", "/nodir/x.tar", /mkdir -p .*\/nodir/],
  // Something is installed
  ["./install rollback --root ../host", "2 USAGE", "transaction 1", "./install undo"],
  [
    "./install audit --root ../host",
    "9 DRIFTED",
    "/etc/crictl.yaml",
    /./,
    (desk) => desk.write("host/etc/crictl.yaml", "x\n"),
  ],
  [
    "./install undo --root ../host",
    "6 JOURNAL_INVALID",
    "/journal",
    /./,
    (desk) => desk.edit("host/var/lib/kubeferry/journal", '"type":"begin"', '"type":"bogin"'),
  ],
  ...(["undo", "rollback", "status", "audit"] as const).map((verb): Mistake => [
    `./install ${verb} --root ../host`,
    "6 JOURNAL_INVALID",
    "/journal",
    "restore the journal from a backup",
    // As an editor does that knows no tabs.
    (desk) => desk.edit("host/var/lib/kubeferry/journal", /\t/g, "    "),
  ]),
];

/** With a copy of the node's key that is readable. */
function notRoot(desk: Desk): void {
  desk.copy("plant-7.keys/w1.key", "w1.key");
  desk.chmod("w1.key", 0o644);
  desk.user = 65_533;
}
