/** Error codes of calling a command, configuration and downloads (exit codes 2 to 4). */
import type { ErrorCode } from "../errors.ts";
import type { Explanation } from "./explanation.ts";

export const configurationCodes = {
  USAGE: {
    meaning: "The command was called in a way that it does not take. Nothing was read or changed.",
    causes: ["A word or option is misspelt, missing, or does not go with another one."],
    remedies: ["Add --help to the command: it lists its options and shows an example."],
  },
  CONFIG_UNREADABLE: {
    meaning: "cluster.yaml, or a file that it names, cannot be read.",
    causes: ["The path is relative to another directory than meant.", "The file belongs to another user."],
    remedies: ["Paths in cluster.yaml are relative to cluster.yaml itself: ls -l the path that the error shows."],
  },
  CONFIG_SYNTAX: {
    meaning: "A YAML file is not well-formed; the error shows line and column.",
    causes: ["Tabs in the indentation, an unclosed quote or bracket, two documents in one file."],
    remedies: ["Look at the line that is shown, and at the one before it."],
  },
  CONFIG_INVALID: {
    meaning:
      "cluster.yaml is well-formed, and asks for something that cannot be. Every problem is listed with its place.",
    causes: ["An unknown or misspelt field, an address outside its network, networks that overlap, a name used twice."],
    remedies: [
      "Correct each place that is listed; kubeferry build checks all of it before it downloads anything.",
      "manifests/schema/cluster.schema.json completes and checks cluster.yaml in an editor.",
    ],
  },
  RELEASE_UNKNOWN: {
    meaning: "No release has the name that cluster.yaml asks for.",
    causes: ["A misspelt name, or a release of a newer Kubeferry."],
    remedies: ["kubeferry releases lists those that this one knows."],
  },
  RELEASE_INVALID: {
    meaning: "A release file is not what a release file must be.",
    causes: ["A release of your own with an unknown field or a component without a version."],
    remedies: ["Correct the place that is shown; manifests/ has releases to compare with."],
  },
  PIN_MISSING: {
    meaning: "Something of the release has no digest, so nobody can tell whether a download is right.",
    causes: ["Upstream publishes no checksum for it.", "The release does not exist for one of the platforms."],
    remedies: [
      "Write the digest into the lock yourself once you trust the file, or choose another platform or version.",
    ],
  },
  LOCK_INVALID: {
    meaning: "The lock file is damaged or was written by another version of Kubeferry.",
    causes: ["It was edited by hand, or merged with a conflict left in it."],
    remedies: ["kubeferry lock --update makes it anew; review the difference before you commit it."],
  },
  LOCK_STALE: {
    meaning: "cluster.yaml asks for something else than what the lock has. Nothing was downloaded.",
    causes: ["The release, a component, a package or an image was changed after the lock was made."],
    remedies: ["kubeferry lock --update, and review the difference."],
  },
  TEMPLATE_INVALID: {
    meaning: "A template cannot be rendered; the error shows file, line and column.",
    causes: ["A template of your own names a value that does not exist."],
    remedies: ["Correct the template at the place that is shown."],
  },
  FLAG_UNKNOWN: {
    meaning: "A flag in cluster.yaml is not one of this version of the daemon, which would not start with it.",
    causes: ["The flag was removed or renamed, or came with a later version."],
    remedies: ["Use the name in the error's hint; DAEMON --help of this very version is the last word."],
  },
  RUNTIME_INVALID: {
    meaning: "The program given with --runtime cannot be the Node under the installer.",
    causes: [
      "It is no Node, is for another machine or C library, or was started on a machine where it does not run.",
      "It is too old, or was made without something that the installer needs: zstd, or a place for an application.",
    ],
    remedies: [
      "Give bin/node of a Node that is new enough, for the platform of the nodes; what is wanted and found is shown.",
    ],
  },
  PKI_INVALID: {
    meaning: "A CA, certificate or key cannot be used for what it is needed for.",
    causes: [
      "The .pki folder was changed by hand, or is of another cluster.",
      "A CA that was brought along is no CA, has expired, or does not belong to its key.",
      "renew --in-place was called on a node that has no CA's key.",
    ],
    remedies: [
      "Keep the .pki folder beside cluster.yaml, and build with the one of this cluster.",
      "openssl x509 -noout -text -in FILE shows what the certificate says.",
    ],
  },
  NODE_UNKNOWN: {
    meaning: "The bundle has no node with that name or address.",
    causes: ["--ip has another address than cluster.yaml.", "The bundle is of another cluster."],
    remedies: ["kubeferry inspect BUNDLE.tar lists its nodes; give --ip or --name of one of them."],
  },
  ROLE_UNKNOWN: {
    meaning: "A role is none of etcd, master and worker, or this node does not have it.",
    causes: ["A misspelt role, or a role that cluster.yaml gives to another node."],
    remedies: ["kubeferry inspect BUNDLE.tar lists each node's roles."],
  },
  UNREACHABLE: {
    meaning: "A server could not be reached, or did not answer as a server should, after several attempts.",
    causes: ["No route, no name server, a proxy that refuses, a mirror that is down."],
    remedies: [
      "curl -v URL shows what is wrong; HTTPS_PROXY and --mirror are honoured.",
      "Run it again: what was downloaded is kept.",
    ],
  },
  NOT_FOUND: {
    meaning: "The server answered that it does not have this.",
    causes: ["A version that was never published, was withdrawn, or is not in this mirror."],
    remedies: ["Open the URL that is shown; name another version, or another mirror with --mirror."],
  },
  STALLED: {
    meaning: "The server went on so slowly, or not at all, that the download was given up.",
    causes: ["An overloaded mirror, or a proxy that holds the body back."],
    remedies: ["Run it again: it goes on where it stopped. Another mirror: --mirror."],
  },
  TOO_LARGE: {
    meaning: "Something is larger than any real one of its kind, and was not read to its end.",
    causes: ["A captive portal or an error page instead of the file, or a hostile server."],
    remedies: ["Open the URL that is shown and look at what comes."],
  },
  OFFLINE: {
    meaning: "It is not in the cache, and --offline forbids to download it.",
    causes: ["The cache was made for another lock, or was cleaned."],
    remedies: [
      "Run kubeferry fetch once without --offline, or bring the files by hand: kubeferry lock --list, kubeferry lock --from DIR.",
    ],
  },
  UNAUTHORIZED: {
    meaning: "The server wants credentials, and did not take what it was given.",
    causes: ["A private registry or mirror, an expired token, a rate limit that is told this way."],
    remedies: ["docker login, or an entry in ~/.netrc, for the host that is shown."],
  },
  PACKAGE_UNAVAILABLE: {
    meaning: "A package of the distribution, or one that it depends on, cannot be had.",
    causes: ["A misspelt name, another release of the distribution, a repository that is not signed by its keys."],
    remedies: ["Correct packages: in cluster.yaml; apt-cache policy NAME on such a host shows what there is."],
  },
  TOOL_MISSING: {
    meaning: "A program that this machine needs for it is not installed.",
    causes: ["Packages of a distribution are asked for, and this machine has not the tools that resolve them."],
    remedies: ["Install the program that the error names."],
  },
} satisfies Partial<Record<ErrorCode, Explanation>>;
