/** A PKI of placeholders for tests of rendering: nothing random, and every secret names itself. */
import type { Topology } from "../../builder/config/topology.ts";
import type { Leaf, Pki } from "../../builder/components/credentials.ts";
import { authorities, wantedAuthorities, wantedLeaves } from "../../builder/pki/certificates.ts";

const span = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2036-01-01T00:00:00Z") };

/** Certificates read `[certificate etcd of n1]`, keys `[key etcd of n1]`. */
export function fixturePki(topology: Topology): Pki {
  const withTokens = topology.release.kubernetes !== null ? topology.workers : [];
  return {
    authorities: wantedAuthorities(topology).map((name) => {
      const certificate = `[certificate ${name} CA]\n`;
      const subject = `CN=${authorities[name]}`;
      const own = { certificate, key: `[key ${name} CA]\n`, chain: "", subject, sans: [], ...span };
      return { name, ...own, trusted: [own] };
    }),
    leaves: wantedLeaves(topology).map(({ spec, node, sans }): Leaf => ({
      name: spec.name,
      node: node.name,
      authority: spec.authority,
      certificate: `[certificate ${spec.name} of ${node.name}]\n`,
      key: `[key ${spec.name} of ${node.name}]\n`,
      chain: "",
      subject: `CN=${spec.commonName}`,
      sans,
      ...span,
    })),
    serviceAccount: { privateKey: "[key service accounts]\n", publicKeys: ["[public key service accounts]\n"] },
    encryptionKeys: [{ name: "key1", key: "[encryption key]" }],
    tokens: new Map(
      withTokens.map((node) => [
        node.name,
        { id: `${node.name}-id`, secret: `[token of ${node.name}]`, expires: span.notAfter },
      ]),
    ),
    notes: [],
  };
}
