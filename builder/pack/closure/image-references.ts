/** The container images that files of a node name: pods in manifests, and the pause image in a runtime's configuration. */
import { parseAllDocuments } from "yaml";

/** Names as they are written, each once. A file that is not YAML or names none gives []. */
export function imagesNamedBy(path: string, text: string): string[] {
  const found = new Set<string>();
  if (/\.(ya?ml|json)$/.test(path) && /\bimage\b/.test(text)) {
    for (const document of parseAllDocuments(text, { logLevel: "silent" })) {
      if (!("errors" in document) || document.errors.length > 0) continue;
      collect(document.toJS({ maxAliasCount: 100 }), found);
    }
  }
  for (const [, name] of text.matchAll(settings)) if (name !== undefined) found.add(name);
  return [...found];
}

/** containerd's `sandbox_image` (1.x) and pinned `sandbox` image (2.x), the kubelet's flag. */
const settings =
  /(?:\bsandbox_image\s*=\s*|^\s*sandbox\s*=\s*|--pod-infra-container-image[= ])["']?([a-z0-9][^\s"'\\,]*)/gm;

/** Every string under a key `image` that sits beside a container's name; a CRD's schema has objects there instead. */
function collect(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) {
      if (key === "image" && typeof item === "string" && item !== "") found.add(item);
      else collect(item, found);
    }
  }
}
