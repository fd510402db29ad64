/** What cluster.yaml says so that nodes ask a registry inside the gap for the bundle's images. */
import type { BundleIndex } from "#bundle";
import type { CarriedImage } from "./carried-images.ts";

export interface Mirror {
  /** `registry.plant.local:5000` */
  readonly host: string;
  /** `https://registry.plant.local:5000`, with a path from `/v2` on where it has one. */
  readonly url: string;
  /** File with the CA that its certificate is of. */
  readonly ca?: string | undefined;
  /** Whether it gives its images only to those it knows. */
  readonly wantsLogin?: boolean;
}

export type Registries = Readonly<Record<string, { mirrors?: string[]; ca?: string; credentials?: string }>>;

/** The value of `registries:`. docker asks a mirror for docker.io alone, and none with a path. */
export function registriesFor(images: readonly CarriedImage[], mirror: Mirror, { pods }: BundleIndex): Registries {
  const isDocker = (pods?.docker ?? null) !== null;
  const domains = [...new Set(images.map(({ reference }) => reference.domain))].toSorted();
  const asked = domains.filter(
    (domain) => !isDocker || (domain === "docker.io" && new URL(mirror.url).pathname === "/"),
  );
  const { host, ca, wantsLogin = false } = mirror;
  const own = { ...(ca !== undefined && { ca }), ...(wantsLogin && { credentials: "pull.login" }) };
  return {
    ...Object.fromEntries(asked.map((domain) => [domain, { mirrors: [mirror.url] }])),
    ...(Object.keys(own).length > 0 && { [host]: own }),
  };
}

/** As lines of cluster.yaml. */
export function snippetLines(registries: Registries): string[] {
  const lines = Object.entries(registries).map(([name, fields]) => {
    const note = fields.credentials === undefined ? "" : "   # one line user:password, of a user who may only pull";
    const values = Object.entries(fields).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    return `  ${JSON.stringify(name)}: { ${values.join(", ")} }${note}`;
  });
  return lines.length === 0 ? [] : ["registries:", ...lines];
}
