/** Names of container images: `nginx`, `registry.k8s.io/pause:3.10.2`, `host:5000/a/b:tag@sha256:…`. */
import { ExpectedError } from "#cli/errors";

export interface ImageReference {
  /** Host, with its port where it has one; `docker.io` where the name gives none. */
  readonly domain: string;
  /** `library/nginx`: `library/` is added for the one-part names of docker.io. */
  readonly repository: string;
  /** `latest` where neither tag nor digest is given; null where only a digest is. */
  readonly tag: string | null;
  /** `sha256:<64 hex>` or null. */
  readonly digest: string | null;
}

const domainPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const partPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const longest = 255;

/** The parts of an image's name, with docker's defaults filled in. CONFIG_INVALID says what is wrong with it. */
export function parseReference(name: string): ImageReference {
  const at = name.indexOf("@");
  const digest = at < 0 ? null : name.slice(at + 1);
  if (digest !== null && !digestPattern.test(digest)) {
    throw invalid(name, "its digest is not sha256: and 64 lower-case hex digits");
  }
  const rest = at < 0 ? name : name.slice(0, at);
  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  const tag = colon < 0 ? null : rest.slice(colon + 1);
  if (tag !== null && !tagPattern.test(tag)) throw invalid(name, `"${tag}" is not a tag`);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  const hasDomain = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  const domain = normalDomain(hasDomain ? first : "docker.io");
  if (!domainPattern.test(domain)) throw invalid(name, `"${domain}" is not the name of a registry`);
  const bare = hasDomain ? path.slice(slash + 1) : path;
  const repository = domain === "docker.io" && !bare.includes("/") ? `library/${bare}` : bare;
  const wrong = repository.split("/").find((part) => !partPattern.test(part));
  if (wrong !== undefined) throw invalid(name, `"${wrong}" is not a lower-case repository name`);
  if (domain.length + repository.length > longest) throw invalid(name, `it is longer than ${longest} characters`);
  return { domain, repository, tag: tag ?? (digest === null ? "latest" : null), digest };
}

/** The full name under which runtimes keep an image: `docker.io/library/nginx:latest`. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === null ? "" : `:${reference.tag}`;
  const digest = reference.digest === null ? "" : `@${reference.digest}`;
  return `${reference.domain}/${reference.repository}${tag}${digest}`;
}

/** As {@link formatReference}, without the digest where there is a tag: what a pod's `image:` resolves to in a runtime. */
export function nameInRuntime(name: string): string {
  const reference = parseReference(name);
  return formatReference(reference.tag === null ? reference : { ...reference, digest: null });
}

/** Below a folder for everything: `image+registry.k8s.io+pause+3.10.2`. skopeo makes no folder above it, so there is none. */
export function imageFolder(name: string): string {
  const { domain, repository, tag, digest } = parseReference(name);
  return ["image", domain, repository, tag ?? digest ?? ""].join("+").replaceAll(/[/:]/g, "+");
}

function normalDomain(domain: string): string {
  const lower = domain.toLowerCase();
  return lower === "index.docker.io" || lower === "registry-1.docker.io" ? "docker.io" : lower;
}

function invalid(name: string, why: string): ExpectedError {
  return new ExpectedError("CONFIG_INVALID", `"${name}" is not the name of a container image: ${why}`, {
    expected: "[registry[:port]/]repository[:tag][@sha256:…]",
    found: name,
  });
}
