/** What the man pages of the programs say beyond their commands. */
import type { TermText } from "../command-texts.ts";

export interface Surrounding {
  readonly description: readonly string[];
  readonly environment: readonly TermText[];
  readonly files: readonly TermText[];
  readonly seeAlso: readonly (readonly [name: string, section: number])[];
}

const explains = "Error codes and checks are explained by `explain NAME`.";
const machines =
  "With --json a command prints one JSON object a line on stdout; each has a `type`, and the last is `end` with the exit code.";

const terminal: readonly TermText[] = [
  { term: "NO_COLOR", text: "If it is not empty, nothing is coloured." },
  {
    term: "LC_ALL, LC_MESSAGES, LANG",
    text: "The first that is set chooses the language of help, errors and findings: Chinese for zh_CN.UTF-8 and the like, else English. JSON is English.",
  },
  { term: "TERM", text: "dumb: nothing is coloured, and no line is drawn over." },
];

export const surroundings: { readonly kubeferry: Surrounding; readonly install: Surrounding } = {
  kubeferry: {
    description: [
      "It runs on a machine with a network, and needs no root. What it builds is carried to the hosts, where kubeferry-install(8) makes nodes of them.",
      machines,
      explains,
    ],
    environment: [
      { term: "KUBEFERRY_PASSWORD", text: "Password of a signing key; without it a terminal is asked." },
      { term: "SSH_AUTH_SOCK", text: "The agent of ssh, whose keys push may log in with." },
      {
        term: "HTTP_PROXY, HTTPS_PROXY, NO_PROXY",
        text: "Proxies, and what is asked without one; in lower case, too.",
      },
      { term: "SSL_CERT_FILE", text: "PEM certificates to trust besides the usual ones." },
      { term: "NETRC", text: "File with names and passwords of servers (default: ~/.netrc)." },
      { term: "XDG_CACHE_HOME, HOME", text: "Where the store is: kubeferry below the first, or below ~/.cache." },
      ...terminal,
    ],
    files: [
      { term: "cluster.yaml", text: "The cluster: kubeferry-cluster.yaml(5)." },
      { term: "cluster.lock", text: "Exactly which bytes a build takes, beside cluster.yaml." },
      {
        term: "<cluster>.pki/",
        text: "Keys and certificates of the cluster, made once. Keep it safe, and keep a copy.",
      },
      {
        term: "<cluster>.keys/",
        text: "One file a node, which opens its secrets. Transfer each separately from the bundle.",
      },
      { term: "~/.cache/kubeferry", text: "The store: everything that was fetched, by its digest." },
    ],
    seeAlso: [
      ["kubeferry-cluster.yaml", 5],
      ["kubeferry-install", 8],
      ["minisign", 1],
    ],
  },
  install: {
    description: [
      "It lies in the unpacked bundle, and once something is installed in /var/lib/kubeferry. Without a command it is `apply`.",
      "Each change is recorded before it is made. --dry-run prints the very list that is performed, the same command continues after a power cut, and `undo` makes the host what it was.",
      machines,
      explains,
    ],
    environment: [
      { term: "KUBEFERRY_KEY", text: "The key that --key would read from a file; without both a terminal is asked." },
      ...terminal,
    ],
    files: [
      { term: "/var/lib/kubeferry/journal", text: "What was changed, and what was there before." },
      { term: "/var/lib/kubeferry/install", text: "The installer that the journal names: it undoes what it did." },
      { term: "/var/lib/kubeferry/snapshots", text: "Snapshots of etcd." },
      { term: "/etc/kubeferry/trusted/*.pub", text: "Keys of minisign: no bundle is taken that none of them signed." },
    ],
    seeAlso: [
      ["kubeferry", 1],
      ["minisign", 1],
      ["systemctl", 1],
    ],
  },
};
