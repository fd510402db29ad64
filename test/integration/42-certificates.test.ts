/** Certificates judged by OpenSSL, and by a TLS handshake of each client with a server that holds the rendered certificate. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as tls from "node:tls";
import { parse } from "yaml";
import { authorityOf, type Leaf, type Pki } from "../../builder/components/credentials.ts";
import { openPki } from "../../builder/pki/authority.ts";
import { certificates } from "../../builder/pki/certificates.ts";
import type { Rendered } from "../../builder/render/node-file.ts";
import { fixtureCluster, type FixtureCluster, renderFixture } from "../builders/fixture-cluster.ts";
import { clusterOfMinor, minors } from "../builders/minors.ts";
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
  // The nodes of all minors are the same, and so are their keys; what a minor wants of its own is issued beside them.
  for (const minor of minors) {
    const cluster = await clusterOfMinor(minor);
    const pki = await openPki(join(folder, "minors.pki"), cluster.topology, new Date());
    clusters.push({ name: minor, cluster, pki, rendered: renderFixture(cluster, pki) });
  }
});

/** Every certificate that differs from the others by more than its bytes. */
function shapes(): { where: string; pki: Pki; leaf: Leaf }[] {
  const found = new Map<string, { where: string; pki: Pki; leaf: Leaf }>();
  for (const { name, pki } of clusters) {
    for (const leaf of pki.leaves) {
      const shape = JSON.stringify([leaf.name, leaf.authority, leaf.subject, leaf.sans]);
      if (!found.has(shape)) found.set(shape, { where: `${name} ${leaf.node} ${leaf.name}`, pki, leaf });
    }
  }
  return [...found.values()];
}

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
  for (const { where, pki, leaf } of shapes()) {
    const usages = certificates.find((spec) => spec.name === leaf.name)?.usages ?? [];
    for (const usage of ["server", "client"] as const) {
      const { code, output } = verify(authorityOf(pki, leaf.authority).certificate, leaf.certificate, `ssl${usage}`);
      assert.equal(code === 0, usages.includes(usage), `${where} ${usage}: ${output}`);
    }
  }
});

test("OpenSSL finds in a server's certificate every name and address at which it is asked, and no other", () => {
  let servers = 0;
  for (const { where, pki, leaf } of shapes()) {
    if (!certificates.some(({ name, usages }) => name === leaf.name && usages.includes("server"))) continue;
    servers += 1;
    const cluster = clusters.find((one) => one.pki === pki)?.cluster;
    const node = cluster?.topology.nodes.find(({ name }) => name === leaf.node);
    assert.ok(cluster !== undefined && node !== undefined);
    const { release, cluster: config } = cluster.topology;
    const api = release.kubernetes !== null && leaf.name === "kube-apiserver";
    const services = api
      ? ["kubernetes", "kubernetes.default.svc", `kubernetes.default.svc.${config.network.domain}`]
      : [];
    for (const name of new Set(["127.0.0.1", "localhost", ...services, node.ip, ...leaf.sans]))
      assert.match(matched(leaf.certificate, name), / does match certificate/, `${where} ${name}`);
    for (const name of ["stranger.example", "203.0.113.9"])
      assert.match(matched(leaf.certificate, name), / does NOT match certificate/, `${where} ${name}`);
  }
  assert.ok(servers > 0);
});

/** What OpenSSL says of a name or an address and a certificate. */
function matched(certificate: string, name: string): string {
  const check = isIP(name) === 0 ? "-checkhost" : "-checkip";
  return spawnSync("openssl", ["x509", "-noout", check, name], { encoding: "utf8", input: certificate }).stdout;
}

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
          const host = new URL(api.server).hostname.replace(/^\[(.*)\]$/, "$1");
          const answer = await handshake(server, host, {
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
