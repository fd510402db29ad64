/** Registries inside the gap (`registries:` of cluster.yaml), as containerd and docker are told of them. */
import { stringify } from "smol-toml";
import { type NodeContext, runsDocker } from "./context.ts";
import type { Piece } from "./component.ts";

type Registry = NodeContext["topology"]["cluster"]["registries"][string];

/** Where containerd looks for `<registry>/hosts.toml`, at every pull. */
export const registryFolder = "/etc/containerd/certs.d";
const dockerFolder = "/etc/docker/certs.d";

/** The files of one node: each registry's CA and hosts.toml; with docker what its kubelet logs in with. */
export function registryPieces(context: NodeContext): Piece[] {
  const { cluster } = context.topology;
  const folder = runsDocker(context) ? dockerFolder : registryFolder;
  const all = Object.entries(cluster.registries);
  const authorities = all.flatMap(([name, { ca }]) =>
    ca === undefined ? [] : [piece(`${folder}/${name}/ca.crt`, textOf(context, ca))],
  );
  if (runsDocker(context)) return [...authorities, ...dockerLogins(context)];
  return [...authorities, ...all.map(([name, registry]) => hostsFile(context, name, registry))];
}

/** What daemon.json says of them; `{}` where there is nothing to say. */
export function dockerRegistries({ topology }: NodeContext): Record<string, readonly string[]> {
  const { registries } = topology.cluster;
  const mirrors = registries["docker.io"]?.mirrors ?? [];
  const plain = mirrors.filter((url) => url.startsWith("http:")).map((url) => new URL(url).host);
  const insecure = Object.keys(registries).filter((name) => registries[name]?.insecure === true);
  const open = [...new Set([...insecure, ...plain])];
  return {
    ...(mirrors.length === 0 ? {} : { "registry-mirrors": mirrors }),
    ...(open.length === 0 ? {} : { "insecure-registries": open }),
  };
}

/** Which hosts containerd asks for a registry's images: its mirrors in their order, then itself. */
function hostsFile(context: NodeContext, name: string, { mirrors, insecure }: Registry): Piece {
  const { registries } = context.topology.cluster;
  const isAny = name === "*";
  const upstream = name === "docker.io" ? "registry-1.docker.io" : name;
  // As docker does: with insecure any certificate is taken, and plain HTTP where there is none.
  const own = isAny ? [] : [`https://${upstream}`, ...(insecure ? [`http://${upstream}`] : [])];
  const asked = [
    ...mirrors.map((url) => ({ url, settings: registries[new URL(url).host] })),
    ...own.map((url) => ({ url, settings: registries[name] })),
  ];
  const host = Object.fromEntries(asked.map(({ url, settings }) => [trimmed(url), hostFields(context, url, settings)]));
  const text = stringify({ ...(isAny ? {} : { server: own.at(-1) }), host });
  const secret = asked.some(({ settings }) => settings?.credentials !== undefined);
  return piece(`${registryFolder}/${isAny ? "_default" : name}/hosts.toml`, text, secret);
}

function hostFields(context: NodeContext, url: string, settings: Registry | undefined): Record<string, unknown> {
  const { registries } = context.topology.cluster;
  const name = Object.keys(registries).find((one) => registries[one] === settings) ?? "";
  return {
    capabilities: ["pull", "resolve"],
    ...(new URL(url).pathname === "/" ? {} : { override_path: true }),
    ...(settings?.ca === undefined ? {} : { ca: `${registryFolder}/${name}/ca.crt` }),
    ...(settings?.insecure === true && url.startsWith("https:") ? { skip_verify: true } : {}),
    ...(settings?.credentials === undefined
      ? {}
      : { header: { authorization: `Basic ${login(context, settings.credentials)}` } }),
  };
}

/** docker's daemon keeps no credentials: the kubelet gives them with each pull. */
function dockerLogins(context: NodeContext): Piece[] {
  const { topology, paths } = context;
  const auths = Object.entries(topology.cluster.registries).flatMap(([name, { credentials }]) =>
    credentials === undefined
      ? []
      : [[name === "docker.io" ? "https://index.docker.io/v1/" : name, { auth: login(context, credentials) }] as const],
  );
  if (auths.length === 0) return [];
  const text = JSON.stringify({ auths: Object.fromEntries(auths) }, null, 2);
  return [piece(`${paths.kubelet}/config.json`, `${text}\n`, true)];
}

function login(context: NodeContext, source: string): string {
  return Buffer.from(textOf(context, source).trimEnd()).toString("base64");
}

function textOf({ own }: NodeContext, source: string): string {
  const bytes = own.get(source);
  if (bytes === undefined) throw new Error(`${source} was not read`);
  return bytes.toString("utf8");
}

function piece(path: string, content: string, sensitive = false): Piece {
  const origin = { from: "operator", name: "registries" } as const;
  return { path, mode: sensitive ? "0600" : "0644", content, sensitive, roles: ["worker"], origin };
}

/** containerd takes a host without the last slash. */
function trimmed(url: string): string {
  return url.replace(/\/$/, "");
}
