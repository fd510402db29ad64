/**
 * `inspect --html`: a bundle as one page for the people who sign it off. No script, nothing from elsewhere, good on paper;
 * the browser's own search finds every file, since nothing is folded away.
 */
import type { Bundle, BundleIndex, CertificateEntry } from "#bundle";
import { formatBytes } from "#cli/quantities";
import { diffBundles } from "../diff.ts";
import { address, forWhom, isFor, originText } from "../inspect.ts";
import { doubts } from "./doubts.ts";
import { type Html, markup, table } from "./html.ts";

export interface Page {
  readonly bundle: Pick<Bundle, "index" | "payloadDigest">;
  /** Whether it carries a signature, and which of the public keys that were given it holds for. */
  readonly signed: boolean;
  readonly signatures: Bundle["signatures"];
  /** The bundle that is installed today. */
  readonly against: Pick<Bundle, "index" | "payloadDigest"> | null;
  readonly now: Date;
}

/** The whole page. The same page, but for `now`, gives the same bytes. */
export function htmlPage(page: Page): string {
  const { index } = page.bundle;
  const title = `${index.cluster.name}: ${index.release.name}`;
  const body = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style></head><body>
<h1>${title}</h1>
${whatItIs(page)}
<h2 id="first">To look at first</h2>
${firstThings(page)}
${page.against === null ? markup`` : changes(page.against, page.bundle)}
<h2 id="certificates">Certificates</h2>
${timeLine(index.certificates, page.now)}
<h2 id="parts">Components, images, packages</h2>
${parts(index)}
${nodes(index)}
</body></html>
`;
  return body.text;
}

function whatItIs({ bundle, signed, signatures, now }: Page): Html {
  const { index, payloadDigest } = bundle;
  const { cluster, release } = index;
  const by = signatures.map(({ key, comment }) => `${key}, ${comment}`).join("; ");
  const signature = by !== "" ? `checked: ${by}` : signed ? "there is one; it was not checked (--public-key)" : "none";
  const rows: [string, string][] = [
    ["Payload", payloadDigest],
    ["Signature", signature],
    ["Kubernetes", release.kubernetes ?? "none"],
    ["Made by", `${index.producer}, locked ${index.locked}`],
    ["Platforms", index.platforms.join(", ")],
    ["API", cluster.endpoint ?? "none"],
    ["Networks", `services ${cluster.serviceCidr}, pods ${cluster.podCidr}, ${cluster.domain}`],
    ["Nodes", index.nodes.map(({ name }) => name).join(", ")],
    ["This page", `as of ${now.toISOString().slice(0, 10)}`],
  ];
  return table(["", ""], rows);
}

function firstThings({ bundle, signed, against, now }: Page): Html {
  const { index } = bundle;
  const found = [...doubts(index, signed, now), ...(against === null ? [] : older(index, against.index))];
  if (found.length === 0)
    return markup`<p class="good">Signed, every download pinned by its release or upstream, every secret encrypted.</p>`;
  return markup`<ul class="doubts">${found.map(
    ({ what, which }) => markup`<li><b>${what}</b> ${which.map((one) => markup`<code>${one}</code> `)}</li>\n`,
  )}</ul>`;
}

/** What a replay of an old bundle looks like. */
function older(index: BundleIndex, before: BundleIndex): { what: string; which: string[] }[] {
  const which = index.locked < before.locked ? [`${index.locked} after ${before.locked}`] : [];
  const foreign =
    index.cluster.name === before.cluster.name ? [] : [`${index.cluster.name}, not ${before.cluster.name}`];
  return [
    { what: "Locked before the one that is installed: an older bundle.", which },
    { what: "Of another cluster than the one that is installed.", which: foreign },
  ].filter((one) => one.which.length > 0);
}

function changes(from: Pick<Bundle, "index" | "payloadDigest">, to: Pick<Bundle, "index">): Html {
  const rows = diffBundles(from.index, to.index).map(({ what, name, change, from: before = "", to: after = "" }) => [
    change,
    what,
    name,
    before,
    after,
  ]);
  return markup`<h2 id="changes">Changes against ${from.payloadDigest.slice(0, 12)}</h2>
${rows.length === 0 ? markup`<p>No difference in what is installed.</p>` : table(["", "", "Name", "Installed", "This bundle"], rows)}`;
}

/** One bar a certificate, from its beginning to its end on one scale; the line is today. */
function timeLine(certificates: readonly CertificateEntry[], now: Date): Html {
  if (certificates.length === 0) return markup`<p>None.</p>`;
  const from = Math.min(now.getTime(), ...certificates.map(({ notBefore }) => Date.parse(notBefore)));
  const to = Math.max(now.getTime(), ...certificates.map(({ notAfter }) => Date.parse(notAfter)));
  const at = (time: number): string => (((time - from) / Math.max(1, to - from)) * 100).toFixed(2);
  const today = at(now.getTime());
  const soonest = certificates.toSorted((a, b) => (a.notAfter < b.notAfter ? -1 : a.notAfter > b.notAfter ? 1 : 0));
  const rows = soonest.map(({ node, path, subject, sans, notBefore, notAfter }) => {
    const [start, end] = [at(Date.parse(notBefore)), at(Date.parse(notAfter))];
    const bar = markup`<svg viewBox="0 0 100 6" preserveAspectRatio="none"><rect x="${start}" width="${(Number(end) - Number(start)).toFixed(2)}" y="1" height="4"/><line x1="${today}" x2="${today}" y1="0" y2="6"/></svg>`;
    return [bar, notAfter.slice(0, 10), node, path, subject, sans.join(", ")];
  });
  const scale = `${new Date(from).toISOString().slice(0, 10)} … ${new Date(to).toISOString().slice(0, 10)}`;
  return table([scale, "Ends", "Node", "File", "Subject", "Names"], rows);
}

function parts({ release, images, packages }: BundleIndex): Html {
  return markup`${table(["Component", "Version"], Object.entries(release.components))}
${table(
  ["Image", "Digest"],
  images.map(({ name, digest }) => [name, digest]),
)}
${table(
  ["Package", "Version", "For"],
  packages.map((one) => [one.name, one.version, `${one.distribution} ${one.architecture}`]),
)}`;
}

/** Node by node, every file that it gets. */
function nodes(index: BundleIndex): Html {
  const sections = index.nodes.map((node) => {
    const own = index.files.filter((file) => isFor(file, node));
    const rows = own.map((file) => [
      file.path,
      `${file.mode} ${file.owner}`,
      formatBytes(file.size),
      file.digest,
      `${file.sensitive ? "secret; " : ""}${originText(file.origin)}`,
      (file.for.platforms ?? []).join(" ") || forWhom(file),
    ]);
    const size = formatBytes(own.reduce((sum, { size }) => sum + size, 0));
    return markup`<h2 class="node">${node.name}</h2><p>${address(node)}: ${node.roles.join(", ")}; ${own.length} files, ${size}</p>
${table(["File", "Mode, owner", "Size", "SHA-256", "Origin", "For"], rows)}`;
  });
  return markup`${sections}`;
}

const style = markup`body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#111;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #999}
table{border-collapse:collapse;width:100%;margin:.8rem 0}
th{text-align:left;font-weight:600}
td,th{padding:.15rem .6rem .15rem 0;vertical-align:top;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
code{font-size:12px;overflow-wrap:anywhere}
.doubts li{margin:.5rem 0;padding-left:.6rem;border-left:4px solid #b00}
.doubts code{display:block}
.good{padding-left:.6rem;border-left:4px solid #080}
svg{width:14rem;height:1rem;display:block}
rect{fill:#69c}line{stroke:#b00;stroke-width:.6}
@media print{body{margin:0;font-size:9px}.node{break-before:page}tr{break-inside:avoid}thead{display:table-header-group}rect{print-color-adjust:exact}}`;
