/** Certificates judged by OpenSSL, and by a TLS handshake of each client with a server that holds the rendered certificate. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import { parse } from "yaml";
import { authorityOf, type Pki } from "../../builder/components/credentials.ts";
import { openPki } from "../../builder/pki/authority.ts";
import { certificates } from "../../builder/pki/certificates.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { contentOf, filesOf, textOf } from "../builders/placed-node.ts";

const golden = join(import.meta.dirname, "../golden/clusters");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-certificates-"));
const clusters: { name: string; cluster: FixtureCluster; pki: Pki; rendered: Rendered }[] = [];

before(async () => {
  for (const name of readdirSync(golden)) {
    const cluster = await fixtureCluster(readFileSync(join(golden, name, "cluster.yaml"), "utf8"));
    const pki = await openPki(join(folder, `${name}.pki`), cluster.topology, new Date());
    clusters.push({ name, cluster, pki, rendered: renderFixture(cluster, pki) });
  }
});

after(() => rmSync(folder, { recursive: true, force: true }));

function verify(authority: string, certificate: string, purpose: string): { code: number | null; output: string } {
  const [ca, leaf] = [join(folder, "ca.pem"), join(folder, "leaf.pem")];
  writeFileSync(ca, authority);
  writeFileSync(leaf, certificate);
  const { status, stdout, stderr } = spawnSync(
    "openssl",
    ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, leaf],
    {
      encoding: "utf8",
    },
  );
  return { code: status, output: stdout + stderr };
}

test("OpenSSL verifies every certificate for its purposes and refuses it for others", () => {
  for (const { name, pki } of clusters) {
    for (const leaf of pki.leaves) {
      const usages = certificates.find((spec) => spec.name === leaf.name)?.usages ?? [];
      for (const usage of ["server", "client"] as const) {
        const { code, output } = verify(authorityOf(pki, leaf.authority).certificate, leaf.certificate, `ssl${usage}`);
        assert.equal(code === 0, usages.includes(usage), `${name} ${leaf.node} ${leaf.name} ${usage}: ${output}`);
      }
    }
  }
});

test("a certificate of one CA is refused by the others", () => {
  const pki = clusters.find(({ name }) => name === "1.36-single-node")?.pki;
  assert.ok(pki !== undefined);
  for (const leaf of pki.leaves) {
    for (const authority of pki.authorities.filter((ca) => ca.name !== leaf.authority)) {
      assert.notEqual(verify(authority.certificate, leaf.certificate, "any").code, 0);
    }
  }
});

interface Kubeconfig {
  readonly clusters: readonly [{ cluster: { server: string; "certificate-authority-data": string } }];
  readonly users: readonly [{ user: { "client-certificate-data"?: string; "client-key-data"?: string } }];
}

test("every kubeconfig's certificate completes a handshake with the rendered API server's, under its server's name", async () => {
  for (const { name, cluster, rendered } of clusters) {
    const { masters, release, generation, nodes } = cluster.topology;
    const master = masters[0]?.name;
    if (master === undefined || release.kubernetes === null) continue;
    const server = tls.createServer({
      cert: textOf(rendered, master, `${generation.pki}/kube-apiserver.pem`),
      key: textOf(rendered, master, `${generation.pki}/kube-apiserver-key.pem`),
      ca: textOf(rendered, master, `${generation.pki}/ca.pem`),
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.on("secureConnection", (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    try {
      let checked = 0;
      for (const node of nodes) {
        for (const file of filesOf(rendered, node.name).filter(({ path }) => path.endsWith(".kubeconfig"))) {
          const {
            clusters: [{ cluster: api }],
            users: [{ user }],
          } = parse(contentOf(file)) as Kubeconfig;
          const certificate = user["client-certificate-data"];
          if (certificate === undefined) continue;
          const answer = await handshake(server, new URL(api.server).hostname, {
            ca: decode(api["certificate-authority-data"]),
            cert: decode(certificate),
            key: decode(user["client-key-data"] ?? ""),
          });
          const expected = file.path.includes("admin")
            ? "admin"
            : `system:${/(kube-[a-z-]+)\.kubeconfig$/.exec(file.path)?.[1]}`;
          assert.equal(answer, expected, `${name} ${node.name} ${file.path}`);
          checked += 1;
        }
      }
      assert.ok(checked > 0);
    } finally {
      server.close();
    }
  }
});

/** Connects to the server on loopback as if it were `host`, and gives what it says: the client's name. */
function handshake(server: tls.Server, host: string, pair: { ca: string; cert: string; key: string }): Promise<string> {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: "127.0.0.1",
      ...pair,
      checkServerIdentity: (_: string, seen: tls.PeerCertificate) => tls.checkServerIdentity(host, seen),
    };
    let text = "";
    const socket = tls.connect(options);
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    socket.on("error", reject);
    socket.on("end", () => resolve(text));
  });
}

function decode(data: string): string {
  return Buffer.from(data, "base64").toString();
}
