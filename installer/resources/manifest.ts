/** Which objects a manifest for kubectl is about. Reads only the lines that say so, in the form in which manifests are written. */

/** What tells an object from every other one in a cluster. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  /** Null: not said; the default namespace, or an object of the whole cluster. */
  readonly namespace: string | null;
  readonly name: string;
}

/** The objects of a manifest in its order; null where a document is not of the plain block form (flow style, lists). */
export function identitiesIn(text: string): Identity[] | null {
  const found: Identity[] = [];
  for (const document of text.split(/^---(?:[ \t].*)?$/m)) {
    if (!/^[^\s#]/m.test(document)) continue;
    const identity = identityOf(document);
    if (identity === null) return null;
    found.push(identity);
  }
  return found;
}

/** One text for each object, whatever version of its API it is asked by. */
export function keyOf({ apiVersion, kind, namespace, name }: Identity): string {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return `${kind}.${group} ${namespace ?? "default"}/${name}`;
}

/** What goes with one of these is not only ours: pods and volumes that others put there. So people delete them, and we never. */
export function holdsOthers({ kind }: Identity): boolean {
  return ["Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"].includes(kind);
}

/** As people name it: `ConfigMap kube-system/coredns`. */
export function nameOf({ kind, namespace, name }: Identity): string {
  return `${kind} ${namespace === null ? "" : `${namespace}/`}${name}`;
}

function identityOf(document: string): Identity | null {
  const apiVersion = field(document, "apiVersion", "");
  const kind = field(document, "kind", "");
  const metadata = /^metadata:[ \t]*(?:#.*)?\n((?:[ \t]+.*\n?|[ \t]*#.*\n?|\n)*)/m.exec(document)?.[1] ?? "";
  const indent = /^([ \t]+)[^\s#]/m.exec(metadata)?.[1];
  if (apiVersion === null || kind === null || indent === undefined) return null;
  const name = field(metadata, "name", indent);
  if (name === null || kind.endsWith("List")) return null;
  return { apiVersion, kind, namespace: field(metadata, "namespace", indent), name };
}

/** A plain or quoted value of one line; null where there is none, or a value of another form. */
function field(text: string, name: string, indent: string): string | null {
  const value = new RegExp(`^${indent}${name}:[ \\t]+(.+?)[ \\t]*$`, "m").exec(text)?.[1]?.replace(/[ \t]+#.*$/, "");
  const quoted = /^"([^"\\]*)"$|^'([^']*)'$/.exec(value ?? "");
  const plain = quoted?.[1] ?? quoted?.[2] ?? value ?? "";
  return /^[A-Za-z0-9][\w./:-]*$/.test(plain) ? plain : null;
}
