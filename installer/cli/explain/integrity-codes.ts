/** Error codes of bytes that are not what was signed (exit code 5). */
import type { ErrorCode } from "../errors.ts";
import type { Explanation } from "./explanation.ts";

const copyAgain = "Copy the bundle again from where it was built, and compare: sha256sum BUNDLE.tar on both sides.";
const tellWho =
  "If the copy is right and the error stays, do not install it: somebody or something has changed the bundle.";
const buildAgain = "On the online side: kubeferry build, then carry the new bundle.";

export const integrityCodes = {
  UNREADABLE: {
    meaning: "A bundle or one of its files cannot be read at all.",
    causes: ["A bad sector, a stick that was pulled out, rights that are too narrow."],
    remedies: ["dmesg tells of failing media. " + copyAgain],
  },
  DIGEST_MISMATCH: {
    meaning: "Bytes are not those that were signed, locked or published: their SHA-256 differs.",
    causes: ["A damaged copy, a mirror with another file under the same name, or somebody who changed it."],
    remedies: [copyAgain, tellWho],
  },
  SIZE_MISMATCH: {
    meaning: "Something has another length than was signed, locked or announced.",
    causes: ["A damaged copy, a proxy that alters what it carries, or somebody who changed it."],
    remedies: [copyAgain, tellWho],
  },
  TRUNCATED: {
    meaning: "Something ends before its end.",
    causes: ["A full stick, a copy that was broken off, a stick pulled out before it was unmounted."],
    remedies: [copyAgain, "Run sync and unmount a stick before you pull it out."],
  },
  MEMBER_MISSING: {
    meaning: "A bundle lacks a file that it lists.",
    causes: ["Not all files of an unpacked bundle were copied, or a split part is missing."],
    remedies: [copyAgain],
  },
  MEMBER_EXTRA: {
    meaning: "A bundle has a file that it does not list.",
    causes: ["Something was written into an unpacked bundle, or somebody added it."],
    remedies: ["Look at the file, and take it away only if you know what it is; else unpack the bundle again."],
  },
  MEMBER_DUPLICATE: {
    meaning: "A bundle has one name twice, so programs would not agree on what it holds.",
    causes: ["No Kubeferry writes such a bundle."],
    remedies: [copyAgain, tellWho],
  },
  MEMBER_KIND: {
    meaning: "Something in a bundle or archive is a link, device or the like where only files may be.",
    causes: ["An unpacked bundle in which files were replaced by links.", "A hostile archive."],
    remedies: ["Unpack the bundle again: tar -xf BUNDLE.tar.", tellWho],
  },
  MEMBER_MODE: {
    meaning: "A file of the bundle has other rights than it must have.",
    causes: ["The bundle lies on FAT or NTFS, was unpacked with another umask, or in a folder that anybody may write."],
    remedies: ["Unpack it as root in a folder of root's own: tar -xpf BUNDLE.tar -C /root."],
  },
  PATH_ESCAPES: {
    meaning: "A name in a bundle or archive leads out of the folder that it belongs in.",
    causes: ["A hostile or badly made archive; no Kubeferry writes such a bundle."],
    remedies: [tellWho],
  },
  ARCHIVE_INVALID: {
    meaning: "An archive or compressed file is damaged, or is not what its name says.",
    causes: ["A damaged copy, or a page of a proxy instead of a file."],
    remedies: [copyAgain],
  },
  ARCHIVE_BOMB: {
    meaning: "An archive holds more files, or unpacks to more bytes, than any real one.",
    causes: ["A hostile archive, or a lie in its headers."],
    remedies: [tellWho],
  },
  FORMAT_INVALID: {
    meaning: "A file is not of the format that it should be.",
    causes: ["A damaged copy, or a file of another program."],
    remedies: [copyAgain],
  },
  FORMAT_TOO_NEW: {
    meaning: "The bundle was built by a newer Kubeferry than this one.",
    causes: ["An installer or kubeferry from elsewhere was used, and not the one in the bundle."],
    remedies: ["Use the ./install that is in the bundle, or a newer kubeferry."],
  },
  PLATFORM_MISMATCH: {
    meaning: "A program or image is for another processor or operating system.",
    causes: ["The bundle was not built for this platform, or a mirror has another file under this name."],
    remedies: ["uname -m here; add the platform to cluster.yaml and build again."],
  },
  INCOMPLETE: {
    meaning: "The bundle would lack something that a node needs, so it was not built.",
    causes: ["An image, program or package that a manifest, unit or check names is in no component of the release."],
    remedies: ["Add what is listed: images:, packages: or files: in cluster.yaml, or the release."],
  },
  SIGNATURE_INVALID: {
    meaning: "A bundle, or a list that upstream signs, is not signed by enough of the keys that are trusted for it.",
    causes: [
      "It is unsigned, was signed with another key, or was changed after it was signed.",
      "Of upstream's list: its key had expired or was revoked, or upstream signs with a new one.",
    ],
    remedies: [
      "Ask whoever signs for the right bundle or key by another way than the stick.",
      "Of upstream's list: see what upstream says of its keys; `signers:` of the release manifest names those that count.",
      tellWho,
    ],
  },
  TRUST_INVALID: {
    meaning: "What says which keys this host trusts cannot be relied upon.",
    causes: ["A file below /etc/kubeferry/trusted belongs to somebody else than root, or others may write it."],
    remedies: ["chown -R root: /etc/kubeferry; chmod -R go-w /etc/kubeferry, once you know who wrote there."],
  },
  KEY_MISSING: {
    meaning: "The node's secrets are sealed, and no key was given.",
    causes: ["The key is carried apart from the bundle, and was not brought, or --key is missing."],
    remedies: ["./install --key NODE.key …, or KUBEFERRY_KEY; the keys lie in CLUSTER.keys on the online side."],
  },
  KEY_WRONG: {
    meaning: "The key that was given does not open this.",
    causes: ["It is another node's, another cluster's, or of the time before rekey."],
    remedies: ["Take CLUSTER.keys/NODE.key of this very cluster, of the time of this bundle."],
  },
  SECRETS_INVALID: {
    meaning: "A node's secrets open, and are not what the bundle says that they are.",
    causes: ["A damaged copy, or secrets of another bundle."],
    remedies: [copyAgain, buildAgain],
  },
  HOST_KEY_UNKNOWN: {
    meaning: "Nothing says that the host which answers by ssh is the one that is meant, so nothing was sent to it.",
    causes: [
      "The host is new, its line in known_hosts is for another name, address or port, or somebody else answers.",
    ],
    remedies: [
      "Compare the fingerprint that is shown with the host's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on its console.",
      "Then add the line: ssh-keyscan HOST >> known_hosts.",
    ],
  },
  HOST_KEY_CHANGED: {
    meaning: "The host which answers by ssh has another key than the one in known_hosts, so nothing was sent to it.",
    causes: ["The host was set up anew, its address belongs to another one now, or somebody stands in between."],
    remedies: ["Find out which. Only then: ssh-keygen -R HOST -f known_hosts, and add the new line."],
  },
} satisfies Partial<Record<ErrorCode, Explanation>>;
