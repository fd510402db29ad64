/** Mistakes with `kubeferry`, on the side that has a network. */
import type { Desk } from "./desk.ts";
import type { Mistake } from "./mistake.ts";

const build = "kubeferry build cluster.yaml";
const parts = (desk: Desk): void => desk.run("kubeferry", "split", "plant-7.tar", "--size", "60MB", "-o", "parts");
const copyAgain = "copy the bundle again from where it was built";

export const kubeferryMistakes: readonly Mistake[] = [
  // Words
  ["kubeferry instal", "2 USAGE", "kubeferry", "kubeferry --help"],
  ["kubeferry bild cluster.yaml", "2 USAGE", /expected: build$/m, "kubeferry --help"],
  ["kubeferry build", "2 USAGE", "kubeferry build [options] <cluster.yaml>", "kubeferry build --help"],
  ["kubeferry build --ofline cluster.yaml", "2 USAGE", /expected: --offline$/m, "kubeferry build --help"],
  ["kubeferry build cluster.yaml -o", "2 USAGE", "kubeferry build", "kubeferry build --help"],
  ["kubeferry build cluster.yaml a.yaml", "2 USAGE", "cluster.yaml, a.yaml", "kubeferry build --help"],
  ["kubeferry split plant-7.tar", "2 USAGE", "'--size <bytes>'", "kubeferry split --help"],
  ["kubeferry inspect plant-7.tar --sbom xml", "2 USAGE", "'xml'", "kubeferry inspect --help"],
  ["kubeferry completion tcsh", "2 USAGE", "bash, zsh, fish", "kubeferry completion --help"],
  ["kubeferry export tar plant-7.tar", "2 USAGE", "kubeferry export", "kubeferry export --help"],
  ["kubeferry explain NOSUCH", "2 USAGE", "NOSUCH", "lists them all"],
  // init
  ["kubeferry init -o cluster.yaml", "2 USAGE", "/cluster.yaml", "choose another -o"],
  ["kubeferry init -o nodir/cluster.yaml", "2 USAGE", "/nodir", /mkdir -p .*\/nodir/],
  ["kubeferry init --node n1", "2 USAGE", "NAME=IP:ROLE,ROLE", "kubeferry init --node n1=10.0.0.11:etcd,master"],
  ["kubeferry init --node n1=127.0.0.1:etcd,master", "2 USAGE", "127.0.0.1 is the loopback", "kubeferry init --help"],
  ["kubeferry init --release 1.36", "2 USAGE", "did you mean `kubernetes-1.36`?", "kubeferry releases"],
  ["kubeferry init --release kubernetes-1.99", "2 USAGE", "kubernetes-1.99", "kubeferry releases"],
  ["kubeferry init --platform linux/mips", "2 USAGE", "linux/amd64, linux/arm64", "kubeferry init --help"],
  ["kubeferry init --vip 10.0.0.5", "2 USAGE", "ADDRESS,INTERFACE", "kubeferry init --vip 10.0.0.10,eth0"],
  [
    "kubeferry init -o new.yaml",
    "130 INTERRUPTED",
    "nothing was written",
    "kubeferry init",
    (desk) => press(desk, "\x03"),
  ],
  [
    "kubeferry init -o new.yaml",
    "130 INTERRUPTED",
    "nothing was written",
    "kubeferry init",
    (desk) => press(desk, "\x04"),
  ],
  // releases, roads
  ["kubeferry releases nosuch", "3 RELEASE_UNKNOWN", "found: nosuch", "kubeferry releases"],
  [
    "kubeferry plan-upgrade --to 1.36",
    "2 USAGE",
    "--from and --to, or cluster.yaml",
    "kubeferry plan-upgrade cluster.yaml",
  ],
  ["kubeferry plan-upgrade --from 1.36 --to 1.30", "2 USAGE", "--from 1.36 --to 1.30", "--from 1.30 --to 1.36"],
  ["kubeferry plan-upgrade cluster.yaml --to 1.36", "2 USAGE", "--to 1.36", "kubeferry releases"],
  ["kubeferry plan-upgrade --from 1.36 --to 1.99", "3 RELEASE_UNKNOWN", "kubernetes-1.37", "kubeferry releases"],
  // build, before anything is made
  ["kubeferry build nosuch.yaml", "3 CONFIG_UNREADABLE", "nosuch.yaml", "kubeferry init -o cluster.yaml"],
  ["kubeferry build .", "3 CONFIG_UNREADABLE", "it is a folder, not a file", "the path of the file itself"],
  ["kubeferry build plant-7.tar", "3 CONFIG_UNREADABLE", "plant-7.tar", "the path of the file itself"],
  [`${build} -o cluster.yaml`, "2 USAGE", "cluster.yaml", "choose another -o"],
  [`${build} -o cluster.lock --force`, "2 USAGE", "cluster.lock", "choose another -o"],
  [`${build} -o plant-7.keys/m1.key --force`, "2 USAGE", "plant-7.keys/m1.key", "choose another -o"],
  [`${build} -o plant-7.tar`, "2 USAGE", "plant-7.tar", "choose another -o, or give --force"],
  [`${build} -o new.tar --sign nosuch.key`, "5 KEY_MISSING", "/nosuch.key", "kubeferry keygen --out PREFIX"],
  [`${build} -o new.tar --sign release.pub`, "5 KEY_WRONG", "/release.pub", "give the .key file"],
  [`${build} -o new.tar --recipient bob`, "2 USAGE", "found: bob", "age-keygen -y KEYFILE"],
  [`${build} -o new.tar --runtime nosuch`, "3 RUNTIME_INVALID", "/nosuch", "--runtime wants the path of a file"],
  [`${build} -o new.tar --installers nodir`, "4 TOOL_MISSING", "/nodir/install", "npm run build"],
  [`${build} -o new.tar --base nosuch.tar`, "2 USAGE", "/nosuch.tar", "give the .tar or its directory"],
  [`${build} -o new.tar --cache cluster.yaml`, "3 CONFIG_UNREADABLE", "/cluster.yaml", "--cache DIR"],
  [`${build} -o new.tar --mirror nodir`, "2 USAGE", "--mirror nodir", "--mirror DIR"],
  [`${build} -o new.tar --mirror ftp://mirror.example/`, "2 USAGE", "--mirror ftp://", "--mirror https://"],
  [`${build} -o new.tar --registry quay.io`, "2 USAGE", "--registry quay.io", "--registry registry.k8s.io="],
  [`${build} -o new.tar --ca nosuch.pem`, "3 CONFIG_UNREADABLE", "/nosuch.pem", "the path of a file"],
  [`${build} -o new.tar --ca cluster.yaml`, "3 CONFIG_INVALID", "/cluster.yaml", "openssl x509 -inform der"],
  [`${build} -o new.tar --release nosuch`, "3 RELEASE_UNKNOWN", "found: nosuch", "kubeferry releases"],
  // build, by what lies beside cluster.yaml
  [
    `${build} -o new.tar`,
    "3 LOCK_INVALID",
    "cluster.lock:1:1",
    "lock --update cluster.yaml",
    (desk) => desk.write("cluster.lock", "x\n"),
  ],
  [`${build} -o new.tar`, "3 LOCK_STALE", "image docker.io/library/nginx:1.27", "lock --update cluster.yaml", newImage],
  [
    `${build} -o new.tar`,
    "3 PKI_INVALID",
    "plant-7.pki",
    "chmod 0700 plant-7.pki",
    (desk) => desk.chmod("plant-7.pki", 0o755),
  ],
  [
    `${build} -o new.tar`,
    "3 PKI_INVALID",
    "plant-7.keys/m1.key",
    "rekey",
    (desk) => desk.chmod("plant-7.keys/m1.key", 0o644),
  ],
  [
    `${build} -o new.tar --offline --release kubernetes-1.36`,
    "4 OFFLINE",
    "https://",
    /--offline/,
    (desk) => desk.remove("cluster.lock"),
  ],
  [`${build} -o small/new.tar`, "6 NO_SPACE", "small", "df -h", (desk) => desk.mount("small", "size=100k")],
  ["kubeferry render cluster.yaml -o cluster.yaml", "2 USAGE", "cluster.yaml", "choose another -o"],
  ["kubeferry lock cluster.yaml --from nodir", "2 USAGE", "/nodir", "kubeferry lock --list"],
  // verify and inspect
  ["kubeferry verify nosuch.tar", "2 USAGE", "nosuch.tar", "give the .tar or its directory"],
  ["kubeferry verify cluster.yaml", "5 ARCHIVE_INVALID", "cluster.yaml", "that `kubeferry build` wrote"],
  [
    "kubeferry verify empty.tar",
    "5 TRUNCATED",
    "the file is empty",
    "kubeferry build",
    (desk) => desk.write("empty.tar", ""),
  ],
  ["kubeferry verify plant-7.tar.gz", "5 ARCHIVE_INVALID", "it is compressed", "kubeferry build", compressed],
  ["kubeferry verify plant-7.keys", "5 MEMBER_MISSING", "/plant-7.keys", "kubeferry build"],
  ["kubeferry verify cut.tar", "5 TRUNCATED", "cut.tar: bin/install-linux-amd64", copyAgain, cut],
  [
    "kubeferry verify bundle",
    "5 MEMBER_EXTRA",
    "bundle: notes.txt",
    copyAgain,
    (desk) => desk.write("bundle/notes.txt", ""),
  ],
  [
    "kubeferry verify bundle",
    "5 MEMBER_MISSING",
    "bundle: secrets/m1.age",
    copyAgain,
    (desk) => desk.remove("bundle/secrets/m1.age"),
  ],
  [
    "kubeferry verify bundle",
    "5 SIZE_MISMATCH",
    /README\.txt\n.*expected: \d+ bytes\n.*found: 2 bytes/,
    copyAgain,
    (desk) => desk.write("bundle/README.txt", "x\n"),
  ],
  ["kubeferry verify plant-7.tar --public-key nosuch.pub", "2 USAGE", "/nosuch.pub", "minisign's .pub file"],
  ["kubeferry verify plant-7.tar --public-key release.key", "2 USAGE", "/release.key", "give the .pub file"],
  [
    "kubeferry verify plant-7.tar --public-key release.pub",
    "5 SIGNATURE_INVALID",
    "found: no signature",
    "who signs it",
  ],
  [
    "kubeferry verify plant-7.tar --public-key release.pub --require 2",
    "2 USAGE",
    "--require 2",
    "--public-key once for each",
  ],
  [
    "kubeferry verify parts/plant-7.tar.parts",
    "5 MEMBER_MISSING",
    "plant-7.tar.part-002",
    "copy this part again",
    lostPart,
  ],
  [
    "kubeferry inspect plant-7.tar --node nx",
    "3 NODE_UNKNOWN",
    /expected: one of m1, w1, worker\n.*found: nx/,
    "kubeferry inspect",
  ],
  ["kubeferry inspect plant-7.tar --html cluster.yaml", "2 USAGE", "/cluster.yaml", "choose another --html"],
  ["kubeferry inspect plant-7.tar --html nodir/page.html", "2 USAGE", "/nodir", /mkdir -p .*\/nodir/],
  [
    "kubeferry inspect plant-7.tar --against nosuch.tar",
    "2 USAGE",
    "nosuch.tar",
    "kubeferry diff nosuch.tar plant-7.tar",
  ],
  ["kubeferry diff plant-7.tar", "2 USAGE", "<old> <new>", "kubeferry diff --help"],
  ["kubeferry certs plant-7.pki", "5 MEMBER_MISSING", "/plant-7.pki", "kubeferry build"],
  // split and join
  ["kubeferry split plant-7.tar --size 4", "2 USAGE", "/plant-7.tar", "--size 4GB"],
  ["kubeferry split plant-7.tar --size 4X", "2 USAGE", "4X", "--size 4GB"],
  ["kubeferry split bundle --size 4GB", "2 USAGE", "/bundle", "that kubeferry build wrote"],
  ["kubeferry split cluster.yaml --size 4GB", "5 ARCHIVE_INVALID", "/cluster.yaml", "kubeferry build"],
  ["kubeferry split plant-7.tar --size 1GB -o cluster.yaml", "2 USAGE", "/cluster.yaml", "choose another -o"],
  ["kubeferry split plant-7.tar --size 60MB -o parts", "2 USAGE", "plant-7.tar.part-001", "choose another -o", parts],
  [
    "kubeferry split plant-7.tar --size 60MB -o small",
    "6 NO_SPACE",
    "small",
    "df -h",
    (desk) => desk.mount("small", "size=100k"),
  ],
  ["kubeferry join parts -o new.tar", "2 USAGE", "/parts", "BUNDLE.tar.parts", parts],
  ["kubeferry join nosuch.parts -o new.tar", "2 USAGE", "/nosuch.parts", "BUNDLE.tar.parts"],
  ["kubeferry join cluster.yaml -o new.tar", "5 FORMAT_INVALID", "/cluster.yaml", "BUNDLE.tar.parts"],
  [
    "kubeferry join parts/plant-7.tar.parts -o new.tar",
    "5 MEMBER_MISSING",
    "plant-7.tar.part-002",
    "copy this part again",
    lostPart,
  ],
  ["kubeferry join parts/plant-7.tar.parts -o plant-7.tar", "2 USAGE", "/plant-7.tar", "give --force", parts],
  ["kubeferry join plant-7.tar --base nosuch.tar -o new.tar", "2 USAGE", "/nosuch.tar", "give the .tar"],
];

function press(desk: Desk, keys: string): void {
  desk.pressed = { at: "Name of the cluster", keys };
}

function newImage(desk: Desk): void {
  desk.edit("cluster.yaml", "host:", "images: [{ name: docker.io/library/nginx:1.27 }]\nhost:");
}

function compressed(desk: Desk): void {
  desk.copy("cluster.yaml", "plant-7.tar");
  desk.run("gzip", "plant-7.tar");
}

function cut(desk: Desk): void {
  desk.cut("plant-7.tar", "cut.tar", 5_000_000);
}

function lostPart(desk: Desk): void {
  parts(desk);
  desk.remove("parts/plant-7.tar.part-002");
}
