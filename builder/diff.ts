/** `kubeferry diff A B`: what an operator would notice between two bundles. */
import type { BundleIndex, FileEntry } from "#bundle";

export interface BundleDifference {
  readonly what: "release" | "runtime" | "component" | "node" | "file" | "unit" | "certificate" | "image" | "package";
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Differences in a stable order: by kind, then by name. */
export function diffBundles(from: BundleIndex, to: BundleIndex): BundleDifference[] {
  return [
    ...compare("release", { release: from.release.name }, { release: to.release.name }),
    ...compare("runtime", runtimes(from), runtimes(to)),
    ...compare("component", from.release.components, to.release.components),
    ...compare("node", nodes(from), nodes(to)),
    ...compare("file", files(from), files(to)),
    ...compare("unit", units(from), units(to)),
    ...compare("certificate", certificates(from), certificates(to)),
    ...compare("image", images(from), images(to)),
    ...compare("package", packages(from), packages(to)),
  ];
}

/** `+ file /usr/local/bin/etcd …` */
export function differenceLine(difference: BundleDifference): string {
  const sign = { added: "+", removed: "-", changed: "~" }[difference.change];
  const values =
    difference.change === "changed"
      ? `${difference.from} → ${difference.to}`
      : (difference.from ?? difference.to ?? "");
  return `${sign} ${difference.what} ${difference.name}  ${values}`;
}

type Named = Readonly<Record<string, string>>;

function compare(what: BundleDifference["what"], from: Named, to: Named): BundleDifference[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
  return names
    .filter((name) => from[name] !== to[name])
    .map((name) => ({
      what,
      name,
      change: from[name] === undefined ? "added" : to[name] === undefined ? "removed" : "changed",
      from: from[name],
      to: to[name],
    }));
}

/** Of installers whose Node the operator gave. */
const runtimes = ({ runtimes = {} }: BundleIndex): Named =>
  Object.fromEntries(
    Object.entries(runtimes).map(([name, { node, digest }]) => [name, `Node ${node} ${digest.slice(0, 12)}`]),
  );

const nodes = (index: BundleIndex): Named =>
  Object.fromEntries(
    index.nodes.map((node) => [
      node.name,
      `${[node.ip ?? node.subnet ?? "", ...(node.ip6 === undefined ? [] : [node.ip6])].join()} ${node.roles.join(",")}`,
    ]),
  );

/** One path may stand for several nodes and platforms. */
const files = (index: BundleIndex): Named =>
  Object.fromEntries(
    index.files.map((file) => [fileName(file), `${file.mode} ${file.owner} ${file.digest.slice(0, 12)}`]),
  );

const fileName = (file: FileEntry): string =>
  [file.path, `[${[...file.for.roles, ...(file.for.nodes ?? []), ...(file.for.platforms ?? [])].join(" ")}]`].join(" ");

const units = (index: BundleIndex): Named =>
  Object.fromEntries(
    index.units.map((unit) => [
      `${unit.name} [${(unit.for.nodes ?? unit.for.roles).join(" ")}]`,
      `start ${unit.start} ${unit.links.join(" ")}`,
    ]),
  );

const certificates = (index: BundleIndex): Named =>
  Object.fromEntries(
    index.certificates.map((item) => [`${item.node} ${item.path}`, `${item.subject} until ${item.notAfter}`]),
  );

const images = (index: BundleIndex): Named =>
  Object.fromEntries(
    index.images.map((image) => [`${image.name} ${(image.for.platforms ?? []).join(" ")}`, image.digest]),
  );

const packages = (index: BundleIndex): Named =>
  Object.fromEntries(
    index.packages.map((item) => [`${item.name} ${item.architecture} ${item.distribution}`, item.version]),
  );
