/** README.txt of a bundle: for whoever finds the stick, with Kubeferry or with coreutils alone. */
import type { BundleIndex, Platform } from "#bundle";
import type { Runtime } from "./runtime/runtime.ts";

export type ReadmeFacts = Pick<BundleIndex, "producer" | "locked" | "cluster" | "platforms"> & {
  /** The oldest that each installer runs with. */
  readonly glibc: Readonly<Partial<Record<Platform, string>>>;
  readonly runtimes: readonly Pick<Runtime, "platform" | "version" | "digest">[];
  readonly release: { readonly name: string; readonly components: Readonly<Record<string, string>> };
  readonly nodes: readonly {
    readonly name: string;
    readonly ip: string | null;
    readonly subnet: string | null;
    readonly roles: readonly string[];
  }[];
  readonly sealed: boolean;
};

/** The text; it depends on nothing but `facts`. */
export function readmeText(facts: ReadmeFacts): string {
  const components = Object.entries(facts.release.components).map(
    ([name, version]) => `  ${name.padEnd(24)} ${version}`,
  );
  const nodes = facts.nodes.map(
    ({ name, ip, subnet, roles }) => `  ${name.padEnd(16)} ${(ip ?? subnet ?? "").padEnd(18)} ${roles.join(",")}`,
  );
  const platforms = facts.platforms.map((platform) => {
    const given = facts.runtimes.find((one) => one.platform === platform);
    const oldest = facts.glibc[platform];
    const wanted = oldest === undefined ? "any glibc" : `glibc ${oldest} or newer`;
    const by =
      given === undefined ? "" : `\n    by Node ${given.version}, given by the operator: sha256 ${given.digest}`;
    return `  ${platform.padEnd(16)} ${wanted}${by}`;
  });
  const first = facts.nodes[0];
  const role = first?.roles.join(",") ?? "worker";
  const ip = first?.ip ?? "ADDRESS";
  const open = facts.sealed
    ? `The secrets (keys, tokens, kubeconfigs) are sealed with age, one file a node. Each node's key
travels apart from this bundle; give it with --key, or the key itself when you are asked.`
    : `THE SECRETS IN THIS BUNDLE ARE NOT SEALED (--plaintext-secrets). For labs only: whoever
has this file has the cluster.`;
  const secretsByHand = facts.sealed
    ? `      age -d -i KEY secrets/NODE.age | tar -x -C / -f -
  KEY is that node's file of the folder that build wrote, CLUSTER.keys/NODE.key.`
    : `      tar -x -C / -f secrets/NODE.tar`;
  return `A Kubernetes cluster, carried across an air gap
================================================

Cluster ${facts.cluster.name}, release ${facts.release.name}, software of ${facts.locked}.
For ${facts.platforms.join(" and ")}. Made by ${facts.producer}. Nothing in here needs a network.

Components
${components.join("\n")}

Nodes
${nodes.join("\n")}

Hosts
  ./install wants systemd, libstdc++ and glibc (ldd --version tells which a host has):
${platforms.join("\n")}
  A host that has not: BY HAND, below.

CHECK IT, the first time with programs that did not come with it
  Whoever can change this bundle can change ./install and these lines too. So the first check is made with minisign
  (or kubeferry) of your own machine, and with a public key that was transferred separately:
      tar -xf THIS-BUNDLE.tar -C DIRECTORY, go there, and:
      minisign -V -P PUBLIC-KEY -m SHA256SUMS && sha256sum -c SHA256SUMS
      or, without unpacking:  kubeferry verify THIS-BUNDLE.tar --public-key PUBLIC-KEY
  Not signed? Then ask who built it for the SHA-256 of the .tar, by telephone or on paper, and compare:
      sha256sum THIS-BUNDLE.tar
  sha256sum -c alone finds damage on the way, never intent.
  From then on ./install checks the signature itself, before it reads anything else of a bundle:
      ./install --public-key PUBLIC-KEY …
      or for every bundle that ever comes to this host: put the key into /etc/kubeferry/trusted/NAME.pub (root's, 0644)

INSTALL, as root on each host
      ./install --role ${role} --ip ${ip} --dry-run      shows every change, makes none
      ./install --role ${role} --ip ${ip}
${open}

UNDO, on the same host
      ./install undo
puts the host back as it was. The installer keeps what it needs for that in
/var/lib/kubeferry, so it works without this bundle too.

BY HAND, without Kubeferry
  bundle.json is the index; everything follows from it.
  "files" lists every file of every node: path, mode, owner (uid:gid), digest, for whom, and where it came from.
  "contents" says for a digest in which blob it lies, from which byte ("offset") and how many ("size").
  A file that is not "sensitive" comes out of its blob so:
      zstd -d --long=27 -c blobs/sha256/BLOB | tail -c +$((OFFSET + 1)) | head -c SIZE > FILE
      sha256sum FILE        must print the digest
  then: chown OWNER FILE; chmod MODE FILE; mv FILE to its path.
  Where "tokens" is not empty, replace those texts: @NODE_IP@ @NODE_NAME@ @NODE_IFACE@ by the node's own.
  A node's sensitive files:
${secretsByHand}
  then set the modes and owners that bundle.json gives for them.
  "units" are started with systemctl start in the order of "start"; "links" are the symbolic links in
  /etc/systemd/system that enable them.
  To undo by hand: systemctl stop the units, remove those links and the files of "files".
`;
}
