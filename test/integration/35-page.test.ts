/** `inspect --html`, opened by a real Chromium: what a bundle calls itself stays text, and nothing is fetched or run. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type BundleIndex, digestOf } from "#bundle";
import { htmlPage } from "../../builder/page/page.ts";
import { sample } from "../builders/sample-bundle.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-page-"));
const now = new Date("2026-11-21T10:00:00Z");
const hostile = `</title></style></table><script>document.title="owned"</script><img src=x onerror="document.title='owned'">`;

before(() => requirePackages("chromium"));
after(() => rmSync(folder, { recursive: true, force: true }));

function chromium(...words: string[]): string {
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(folder, "profile")}`];
  return execFileSync("chromium", [...quiet, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

/** What the browser made of a page: its document, written out again. */
function opened(name: string, page: string): string {
  const path = join(folder, `${name}.html`);
  writeFileSync(path, page);
  return chromium("--dump-dom", `file://${path}`);
}

const certificate = {
  node: "n1",
  path: "/etc/etcd/pki/server.pem",
  subject: "CN=etcd",
  sans: ["n1"],
  notBefore: "2026-11-20T10:00:00.000Z",
  notAfter: "2026-12-20T10:00:00.000Z",
};

async function page(change: (index: BundleIndex) => BundleIndex, against?: BundleIndex): Promise<string> {
  const { index } = await sample();
  const payloadDigest = digestOf("now");
  const before = against === undefined ? null : { index: against, payloadDigest: digestOf("before") };
  return htmlPage({
    bundle: { index: change(index), payloadDigest },
    signed: false,
    signatures: [],
    against: before,
    now,
  });
}

test("what is unsigned, unpinned and in plain text comes first, and every file is there with its digest and origin", async () => {
  const { index } = await sample();
  const [file] = index.files;
  assert.ok(file !== undefined);
  const url = "https://example.org/etcd.tar.gz";
  const doubtful: BundleIndex = {
    ...index,
    secrets: index.secrets.map((secret) => ({ ...secret, sealed: false })),
    files: [
      ...index.files,
      {
        ...file,
        path: "/usr/bin/new",
        origin: { from: "artifact", url, digest: `sha256:${"c".repeat(64)}`, pinnedBy: "first-use" },
      },
    ],
    certificates: [certificate],
  };
  const dom = opened("doubts", await page(() => doubtful, { ...index, locked: "2027-01-01" }));
  const order = [
    "Nobody signed this bundle",
    "Secrets that are not encrypted",
    "Pinned by nobody but the first download",
    "Certificates that end within 90 days",
    "Locked before the one that is installed",
    `Changes against ${digestOf("before").slice(0, 12)}`,
    "<svg",
    `<h2 class="node">n1</h2>`,
  ].map((text) => dom.indexOf(text));
  assert.ok(!order.includes(-1), JSON.stringify(order));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  for (const one of doubtful.files) assert.ok(dom.includes(one.path) && dom.includes(one.digest), one.path);
  assert.ok(dom.includes(url));
  assert.doesNotMatch(dom, /<script|<link|<img|<iframe|src=|href=/);
});

test("names that would be markup, run scripts or turn the line around are shown as text", async () => {
  const named = (index: BundleIndex): BundleIndex => ({
    ...index,
    cluster: { ...index.cluster, name: hostile },
    release: { ...index.release, name: `"${hostile}'`, components: { [hostile]: hostile } },
    nodes: index.nodes.map((node) => ({ ...node, name: `${hostile}\u202e\x1b[2K` })),
    files: index.files.map((file) => ({ ...file, path: `/${hostile}` })),
    certificates: [{ ...certificate, subject: hostile, sans: [hostile] }],
  });
  const dom = opened("hostile", await page(named));
  assert.doesNotMatch(dom, /<script|<img|\u202e|\x1b/);
  assert.match(dom, /<title>&lt;\/title&gt;&lt;\/style&gt;.*&lt;script&gt;document\.title=/);
  assert.match(dom, /\\u202e\\x1b/);
  // The page as it is written has no script of its own, and its policy would let none run.
  assert.match(await page(named), /content="default-src 'none'; style-src 'unsafe-inline'"/);
});

test("it prints, and has a picture", async () => {
  const dom = opened("paper", await page((index) => ({ ...index, certificates: [certificate] })));
  assert.match(dom, /@media print/);
  const [pdf, picture] = [join(folder, "paper.pdf"), join(folder, "paper.png")];
  chromium("--no-pdf-header-footer", `--print-to-pdf=${pdf}`, `file://${join(folder, "paper.html")}`);
  chromium(`--screenshot=${picture}`, "--window-size=1200,1600", `file://${join(folder, "paper.html")}`);
  assert.match(readFileSync(pdf).subarray(0, 5).toString(), /%PDF-/);
  assert.ok(statSync(picture).size > 10_000);
});
