/** What somebody who signs a bundle off looks at first. Pure. */
import type { BundleIndex, Origin } from "#bundle";

export interface Doubt {
  readonly what: string;
  /** Which files, nodes or certificates, in the index's order. */
  readonly which: readonly string[];
}

type PinnedBy = Extract<Origin, { from: "artifact" }>["pinnedBy"];

const pins: readonly (readonly [PinnedBy, string])[] = [
  ["first-use", "Pinned by nobody but the first download: compare these digests with what upstream publishes."],
  ["mirror", "Pinned by the mirror that also served the bytes: upstream was not asked."],
  ["operator", "Pinned by the operator, and by nobody else."],
];
const day = 86_400_000;
/** A certificate that ends sooner is worth a line. */
const soon = 90;

/** The worst first. `signed`: whether the bundle carries a signature at all, whoever's it is. */
export function doubts(index: BundleIndex, signed: boolean, now: Date): Doubt[] {
  const plain = index.secrets.filter(({ sealed }) => !sealed).map(({ node }) => node);
  const ending = index.certificates.filter(({ notAfter }) => Date.parse(notAfter) < now.getTime() + soon * day);
  const all: Doubt[] = [
    ...(signed
      ? []
      : [
          {
            what: "Nobody signed this bundle: whoever can write the stick decides what is on it.",
            which: ["SHA256SUMS.minisig"],
          },
        ]),
    {
      what: "Secrets that are not encrypted (--plaintext-secrets): whoever has the stick has the cluster.",
      which: plain,
    },
    {
      what: "Installers run by a Node that the operator gave (--runtime): compare its digest with what its makers publish.",
      which: Object.entries(index.runtimes ?? {}).map(([name, { node, digest }]) => `${name} ${node} sha256:${digest}`),
    },
    ...pins.map(([pin, what]) => ({ what, which: pinned(index, pin) })),
    {
      what: `Certificates that end within ${soon} days.`,
      which: ending.map(({ node, path, notAfter }) => `${node} ${path} ${notAfter.slice(0, 10)}`),
    },
  ];
  return all.filter(({ which }) => which.length > 0);
}

function pinned(index: BundleIndex, pin: PinnedBy): string[] {
  const found = index.files.flatMap(({ path, origin }) =>
    origin.from === "artifact" && origin.pinnedBy === pin ? [`${path} ← ${origin.url}`] : [],
  );
  return [...new Set(found)];
}
