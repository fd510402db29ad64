/** Kubernetes objects of the operator's own (`manifests:` of cluster.yaml): brought to one form, and their images found. */
import { basename } from "node:path";
import { isMap, parseAllDocuments, stringify, type Tags } from "yaml";

export interface OwnManifest {
  /** As cluster.yaml has it. */
  readonly source: string;
  /** Name of the object and of its file: `ingress` of `manifests/ingress.yaml`, `ingress-crds` of what it defines. */
  readonly name: string;
  /** One document for each object, in block form: what the installer's reader and kubectl take alike. */
  readonly text: string;
  /** It holds an object of kind Secret: sealed as keys are. */
  readonly sensitive: boolean;
}

export interface ReadManifest {
  readonly manifests: readonly OwnManifest[];
  /** Names of the images that its pods run, each once. */
  readonly images: readonly string[];
  /** What is wrong with it; nothing else is said then. */
  readonly problems: readonly string[];
}

export type Mapping = Readonly<Record<string, unknown>>;

/** A file of manifests, YAML or JSON, lists taken apart. Definitions of resources come first, as a manifest of their own. */
export function readOwnManifest(source: string, text: string): ReadManifest {
  const documents = parseAllDocuments(text, { version: "1.1", merge: true, intAsBigInt: true, customTags: asKubectl });
  const errors = documents.flatMap((document) => document.errors.map(({ message }) => message.split("\n")[0] ?? ""));
  if (errors.length > 0) return { manifests: [], images: [], problems: errors };
  const objects = documents
    .filter(({ contents }) => isMap(contents))
    .flatMap((document) => itemsOf(document.toJS({ maxAliasCount: 1000 }) as Mapping));
  const problems = objects.flatMap((object, index) => unnamed(object, index));
  if (objects.length === 0) problems.push("it holds no object");
  if (problems.length > 0) return { manifests: [], images: [], problems };
  const stem = basename(source).replace(/\.[^.]+$/, "");
  const defines = (object: Mapping): boolean => object["kind"] === "CustomResourceDefinition";
  const [definitions, others] = [objects.filter(defines), objects.filter((object) => !defines(object))];
  const manifest = (name: string, own: readonly Mapping[]): OwnManifest[] =>
    own.length === 0 ? [] : [{ source, name, text: textOf(own), sensitive: own.some(({ kind }) => kind === "Secret") }];
  return {
    manifests: [...manifest(others.length === 0 ? stem : `${stem}-crds`, definitions), ...manifest(stem, others)],
    images: [...new Set(objects.flatMap(imagesIn))],
    problems: [],
  };
}

function itemsOf(value: Mapping): Mapping[] {
  const { kind, items } = value;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [value];
  return items.flatMap((item) => (isMapping(item) ? itemsOf(item) : []));
}

/** What the installer must be able to ask for again. */
function unnamed(object: Mapping, index: number): string[] {
  const { apiVersion, kind, metadata } = object;
  const name = isMapping(metadata) ? metadata["name"] : undefined;
  const what = typeof kind === "string" ? `${kind} (object ${index + 1})` : `object ${index + 1}`;
  const missing = Object.entries({ apiVersion, kind, "metadata.name": name }).flatMap(([field, value]) =>
    typeof value === "string" && value !== "" ? [] : [field],
  );
  return missing.length === 0 ? [] : [`${what} has no ${missing.join(", ")}`];
}

/** apiVersion, kind and metadata lead, as in manifests that people write. */
function textOf(objects: readonly Mapping[]): string {
  const options = { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  return objects
    .map(
      ({ apiVersion, kind, metadata, ...rest }) =>
        `---\n${stringify({ apiVersion, kind, metadata, ...rest }, options)}`,
    )
    .join("");
}

/** Images of containers of any kind, and of volumes, wherever a pod's specification stands. */
function imagesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(imagesIn);
  if (!isMapping(value)) return [];
  const containers = ["containers", "initContainers", "ephemeralContainers"].flatMap((field) => listOf(value[field]));
  const volumes = listOf(value["volumes"]).flatMap(({ image }) => (isMapping(image) ? [image["reference"]] : []));
  const own = [...containers.map(({ image }) => image), ...volumes].filter((image) => typeof image === "string");
  return [...own, ...Object.values(value).flatMap(imagesIn)];
}

function listOf(value: unknown): Mapping[] {
  return Array.isArray(value) ? value.filter(isMapping) : [];
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** kubectl reads YAML 1.1 without its dates, times and one-letter truths: `0644` is octal, `yes` is true, `y` a text. */
function asKubectl(tags: Tags): Tags {
  return tags.flatMap((tag): Tags => {
    if (typeof tag === "string" || tag.collection !== undefined) return [tag];
    if (tag.tag.endsWith(":timestamp") || tag.format === "TIME") return [];
    if (!tag.tag.endsWith(":bool")) return [tag];
    const isTrue = tag.test?.test("yes") === true;
    return [
      { ...tag, test: isTrue ? /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/ : /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/ },
    ];
  });
}
