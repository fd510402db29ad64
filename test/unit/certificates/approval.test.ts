/** Requests made by openssl, as kubelets and as others would make them, each with its verdict. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Asked, judge, type KnownNodes, type Registered } from "../../../installer/certificates/approval.ts";
import { parseRequest } from "../../../installer/certificates/request.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-requests-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const known: KnownNodes = {
  nodes: [
    { name: "n1", ip: "10.64.3.1" },
    { name: "n2", ip: "10.64.3.2" },
    { name: "n4", ip: "10.64.3.4", ip6: "fd00:64:3::4" },
  ],
  workers: { subnet: "10.64.9.0/24" },
  tokens: { aaaaaa: "n1", bbbbbb: "n2", cccccc: null },
};
const registered: Registered[] = [
  { name: "n1", addresses: ["10.64.3.1", "n1"] },
  { name: "w1", addresses: ["10.64.9.1", "w1"] },
];

interface Made {
  readonly subject?: string;
  /** `DNS:n1,IP:10.64.3.1`; null: none. */
  readonly names?: string | null;
  /** Further lines of the extensions' section. */
  readonly more?: readonly string[];
  readonly key?: "ec" | "rsa";
}

/** PEM of a request that openssl made. */
function made({
  subject = "/O=system:nodes/CN=system:node:n1",
  names = "DNS:n1,IP:10.64.3.1",
  more = [],
  key = "ec",
}: Made): string {
  const config = join(folder, "config");
  const extensions = [...(names === null ? [] : [`subjectAltName = ${names}`]), ...more];
  writeFileSync(
    config,
    [
      "[req]",
      "distinguished_name = dn",
      extensions.length > 0 ? "req_extensions = ext" : "",
      "[dn]",
      "[ext]",
      ...extensions,
      "",
    ].join("\n"),
  );
  const kind = key === "ec" ? ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["rsa:2048"];
  const argv = [
    "req",
    "-new",
    "-newkey",
    ...kind,
    "-nodes",
    "-keyout",
    join(folder, "key"),
    "-subj",
    subject,
    "-config",
    config,
  ];
  return execFileSync("openssl", argv, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

const serving = ["digital signature", "key encipherment", "server auth"];
const client = ["digital signature", "key encipherment", "client auth"];

function asked(request: Made, rest: Partial<Asked> = {}): Asked {
  return {
    name: "csr-1",
    username: "system:node:n1",
    groups: ["system:nodes", "system:authenticated"],
    signer: "kubernetes.io/kubelet-serving",
    usages: serving,
    request: parseRequest(made(request)),
    ...rest,
  };
}

const worker = (name: string, names: string): [Made, Partial<Asked>] => [
  { subject: `/O=system:nodes/CN=system:node:${name}`, names },
  { username: `system:node:${name}` },
];

const good: [string, Made, Partial<Asked>][] = [
  ["a node of cluster.yaml, its own name and address", {}, {}],
  ["an RSA key", { key: "rsa" }, {}],
  ["no key encipherment, as of 1.27", {}, { usages: ["digital signature", "server auth"] }],
  ["no signer, as before 1.18", {}, { signer: null }],
  [
    "usages in the request itself as well",
    { more: ["keyUsage = digitalSignature", "extendedKeyUsage = serverAuth"] },
    {},
  ],
  ["CA:FALSE said", { more: ["basicConstraints = CA:FALSE"] }, {}],
  ["both addresses of a node in dual stack", ...worker("n4", "DNS:n4,IP:10.64.3.4,IP:fd00:64:3:0::4")],
  ["a worker that comes, with an address of its network", ...worker("w9", "DNS:w9,IP:10.64.9.77")],
  ["a worker that has joined, with its own address", ...worker("w1", "DNS:w1,IP:10.64.9.1")],
];

for (const [what, request, rest] of good) {
  test(`approved: ${what}`, () => {
    const node = (rest.username ?? "system:node:n1").slice("system:node:".length);
    assert.deepEqual(judge(asked(request, rest), known, registered), { approve: true, node, use: "serving" });
  });
}

const bad: [string, RegExp, Made, Partial<Asked>][] = [
  [
    "another node's common name",
    /system:node:n1 asks for the certificate of n2/,
    { subject: "/O=system:nodes/CN=system:node:n2", names: "DNS:n2,IP:10.64.3.2" },
    {},
  ],
  [
    "one address of two",
    /addresses are "10.64.3.4", expected "10.64.3.4", "fd00:64:3::4"/,
    ...worker("n4", "DNS:n4,IP:10.64.3.4"),
  ],
  [
    "another IPv6 address",
    /addresses are "10.64.3.4", "fd00:64:3::5", expected/,
    ...worker("n4", "DNS:n4,IP:10.64.3.4,IP:fd00:64:3::5"),
  ],
  ["a common name that is no node's", /common name is "admin"/, { subject: "/O=system:nodes/CN=admin" }, {}],
  ["two common names", /common name is/, { subject: "/O=system:nodes/CN=system:node:n1/CN=system:node:n1" }, {}],
  ["no common name", /common name is none/, { subject: "/O=system:nodes" }, {}],
  ["capitals in the name", /common name is/, { subject: "/O=system:nodes/CN=system:node:N1" }, {}],
  [
    "the administrators' organization",
    /organization is "system:masters"/,
    { subject: "/O=system:masters/CN=system:node:n1" },
    {},
  ],
  ["one organization more", /organization is/, { subject: "/O=system:nodes/O=system:masters/CN=system:node:n1" }, {}],
  ["no organization", /organization is none/, { subject: "/CN=system:node:n1" }, {}],
  [
    "another field in the subject",
    /subject field 2\.5\.4\.11/,
    { subject: "/O=system:nodes/OU=x/CN=system:node:n1" },
    {},
  ],
  ["a name more", /names are "n1", "kubernetes"/, { names: "DNS:n1,DNS:kubernetes,IP:10.64.3.1" }, {}],
  ["a wildcard", /names are "\*"/, { names: "DNS:*,IP:10.64.3.1" }, {}],
  ["no name", /names are none/, { names: "IP:10.64.3.1" }, {}],
  ["no names at all", /names are none/, { names: null }, {}],
  ["a foreign address", /addresses are "10\.64\.3\.2", expected "10\.64\.3\.1"/, { names: "DNS:n1,IP:10.64.3.2" }, {}],
  ["an address more", /addresses are/, { names: "DNS:n1,IP:10.64.3.1,IP:10.254.0.1" }, {}],
  ["no address", /addresses are none/, { names: "DNS:n1" }, {}],
  ["IPv6 instead", /addresses are "::1"/, { names: "DNS:n1,IP:::1" }, {}],
  ["an e-mail address", /an e-mail address/, { names: "DNS:n1,IP:10.64.3.1,email:a@b" }, {}],
  ["a URI", /a URI/, { names: "DNS:n1,IP:10.64.3.1,URI:spiffe://x" }, {}],
  ["a registered id", /a name of kind 8/, { names: "DNS:n1,IP:10.64.3.1,RID:1.2.3" }, {}],
  ["CA:TRUE", /CA:TRUE/, { more: ["basicConstraints = CA:TRUE"] }, {}],
  ["another extension", /extension 2\.5\.29\.30/, { more: ["nameConstraints = permitted;DNS:x"] }, {}],
  ["client usages from the serving signer", /signer and usages/, {}, { usages: client }],
  ["both usages", /signer and usages/, {}, { usages: [...serving, "client auth"] }],
  ["a usage more", /signer and usages/, {}, { usages: [...serving, "cert sign"] }],
  ["a usage twice", /signer and usages/, {}, { usages: [...serving, "server auth"] }],
  ["no usages", /signer and usages/, {}, { usages: [] }],
  ["any usage", /signer and usages/, {}, { usages: ["any"] }],
  ["another signer", /signer and usages.*example\.com/, {}, { signer: "example.com/other" }],
  ["the signer of clients", /signer and usages/, {}, { signer: "kubernetes.io/kube-apiserver-client-kubelet" }],
  [
    "asked by a bootstrap token",
    /asks for the certificate of n1/,
    {},
    { username: "system:bootstrap:abcdef", groups: ["system:bootstrappers"] },
  ],
  [
    "asked by an account of that very name without the group",
    /not of the group/,
    {},
    { groups: ["system:authenticated"] },
  ],
  ["asked by a service account", /asks for/, {}, { username: "system:serviceaccount:kube-system:default" }],
  [
    "a worker's address that is not of its network",
    /expected one in 10\.64\.9\.0\/24/,
    ...worker("w9", "DNS:w9,IP:10.64.3.77"),
  ],
  [
    "a worker with the address of another that has joined",
    /10\.64\.9\.1 is the address of w1/,
    ...worker("w9", "DNS:w9,IP:10.64.9.1"),
  ],
  ["a worker with two addresses", /addresses are/, ...worker("w9", "DNS:w9,IP:10.64.9.7,IP:10.64.9.8")],
  ["a worker without one", /addresses are none/, ...worker("w9", "DNS:w9")],
  ["an unreadable request", /cannot be read/, {}, { request: null, unread: "its request cannot be read: x" }],
];

for (const [what, why, request, rest] of bad) {
  test(`left: ${what}`, () => {
    const verdict = judge(asked(request, rest), known, registered);
    assert.equal(verdict.approve, false);
    assert.match(verdict.approve ? "" : verdict.why, why);
  });
}

test("a worker that comes to a cluster with IPv6 alone has an address of its network", () => {
  const six = { ...known, workers: { subnet: "fd00:64:9::/64" } };
  const of = (names: string): boolean => {
    const [request, rest] = worker("w9", names);
    return judge(asked(request, rest), six, registered).approve;
  };
  assert.equal(of("DNS:w9,IP:fd00:64:9::77"), true);
  assert.equal(of("DNS:w9,IP:fd00:64:8::77"), false);
  assert.equal(of("DNS:w9,IP:10.64.9.77"), false);
});

test("where no workers come and go, an unknown node is left", () => {
  const [request, rest] = worker("w9", "DNS:w9,IP:10.64.9.77");
  const verdict = judge(asked(request, rest), { ...known, workers: null }, registered);
  assert.deepEqual(verdict, { approve: false, why: "w9 is no node of this cluster" });
});

const byToken = (id: string): Partial<Asked> => ({
  username: `system:bootstrap:${id}`,
  groups: ["system:bootstrappers", "system:authenticated"],
  usages: client,
  signer: "kubernetes.io/kube-apiserver-client-kubelet",
});
const clientOf = (node: string, names: string | null = null): Made => ({
  subject: `/O=system:nodes/CN=system:node:${node}`,
  names,
});

test("a node's first client certificate is its own token's to ask for", () => {
  const said = (request: Made, rest: Partial<Asked>, by = known): string => {
    const verdict = judge(asked(request, rest), by, registered);
    return verdict.approve ? `approved for ${verdict.node}` : verdict.why;
  };
  assert.equal(said(clientOf("n2"), byToken("bbbbbb")), "approved for n2");
  assert.equal(said(clientOf("n2"), { ...byToken("bbbbbb"), signer: null }), "approved for n2", "before 1.18");
  assert.equal(said(clientOf("n1"), byToken("aaaaaa")), "approved for n1", "installed anew");
  assert.equal(said(clientOf("w9"), byToken("cccccc")), "approved for w9");

  assert.match(said(clientOf("n1"), byToken("bbbbbb")), /token of n2 asks for the certificate of n1/);
  assert.match(said(clientOf("w9"), byToken("bbbbbb")), /token of n2 asks for the certificate of w9/);
  assert.match(said(clientOf("n2"), byToken("cccccc")), /certificate of n2, which has its own/);
  assert.match(said(clientOf("w1"), byToken("cccccc")), /w1 has joined already/);
  assert.match(said(clientOf("n2"), byToken("dddddd")), /token dddddd is of no node/);
  assert.match(said(clientOf("w9"), byToken("constructor")), /token constructor is of no node/);
  assert.match(said(clientOf("n2", "DNS:n2"), byToken("bbbbbb")), /no names of servers/);
  assert.match(said(clientOf("n2"), { ...byToken("bbbbbb"), groups: ["system:authenticated"] }), /asks for the/);
  assert.match(said(clientOf("n2"), { ...byToken("bbbbbb"), username: "bbbbbb" }), /bbbbbb asks for the/);
  const foreign = { ...byToken("bbbbbb"), signer: "kubernetes.io/kube-apiserver-client" };
  assert.match(said(clientOf("n2"), foreign), /signer and usages/);
});

test("a node renews its own client certificate, and no other's", () => {
  const renewal = { ...byToken(""), username: "system:node:n2", groups: ["system:nodes"] };
  assert.equal(judge(asked(clientOf("n2"), renewal), known, registered).approve, true);
  assert.equal(judge(asked(clientOf("n1"), renewal), known, registered).approve, false);
});

test("what openssl made is read whole", () => {
  const request = parseRequest(made({ names: "DNS:n1,DNS:x.y,IP:10.64.3.1,IP:1.2.3.4", key: "rsa" }));
  assert.deepEqual(request, {
    commonNames: ["system:node:n1"],
    organizations: ["system:nodes"],
    dns: ["n1", "x.y"],
    ips: ["10.64.3.1", "1.2.3.4"],
    others: [],
  });
});

test("what is no request, or was changed after it was signed, is not read", () => {
  const pem = made({});
  const der = Buffer.from(
    pem
      .split("\n")
      .filter((line) => !line.startsWith("-"))
      .join(""),
    "base64",
  );
  const armoured = (bytes: Buffer): string =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.deepEqual(parseRequest(armoured(der)).dns, ["n1"]);
  const at = der.indexOf("system:node:n1") + "system:node:n".length;
  const changed = Buffer.from(der);
  changed.write("2", at);
  assert.throws(() => parseRequest(armoured(changed)), /not signed by the key/);
  assert.throws(() => parseRequest(armoured(Buffer.concat([der, der]))));
  assert.throws(() => parseRequest(armoured(der.subarray(0, -9))));
  assert.throws(() => parseRequest(pem + pem), /not one PEM block/);
  assert.throws(() => parseRequest(`${pem}text`), /not one PEM block/);
  assert.throws(() => parseRequest(readFileSync(join(folder, "key"), "utf8")), /not one PEM block/);
  assert.throws(() => parseRequest(""), /not one PEM block/);
});
