/**
 * Stands in for kube-apiserver behind a real kubectl: discovery, objects, patches, logs and approvals over TLS, for who
 * has a certificate of the cluster's CA that says system:masters, or a group that a ClusterRoleBinding binds. It judges no object and runs no controller: what it
 * accepts, a real API server may still refuse.
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { mergePatch, strategicPatch } from "./api-patch.ts";
import { type Resource, resources } from "./api-resources.ts";

export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

export interface ApiStandIn {
  readonly port: number;
  /** `plural.group namespace/name` → object. */
  readonly objects: Map<string, ApiObject>;
  /** `PATCH /api/v1/…`, every change that was asked for. */
  readonly changes: string[];
  /** How many watches are open. */
  readonly watching: number;
  /** What etcd says to the API server at its next questions; null: what was asked for. */
  readonly faults: (string | null)[];
  put(object: ApiObject): void;
  get(plural: string, name: string, namespace?: string): ApiObject | undefined;
  close(): Promise<void>;
}

export interface ApiStandInOptions {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
  /** As the cluster is before the first binding. Default: the administrators of a bundle are bound. */
  readonly unbound?: true;
  /** Plays a controller: called after each change. */
  readonly react?: (api: ApiStandIn) => void;
  /** Text of a pod's log; null: the kubelet is not reached. */
  readonly log?: (pod: string) => string | null;
}

interface Answer {
  readonly body: unknown;
  readonly type?: string;
  readonly code?: number;
  /** The kind of objects of which it goes on telling, and after which version. */
  readonly watched?: { readonly kind: string; readonly since: number };
}

class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

interface Target {
  readonly resource: Resource;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly sub: string | null;
}

/** Listens on loopback. */
export async function startApiStandIn(options: ApiStandInOptions): Promise<ApiStandIn> {
  const { certificate, key, authority } = options;
  const objects = new Map<string, ApiObject>();
  const changes: string[] = [];
  const faults: (string | null)[] = [];
  let version = 100;
  const watchers = new Set<{ kind: string; tell: (type: string, object: ApiObject) => unknown }>();
  const server: Server = createServer(
    { cert: certificate, key, ca: authority, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      void answer(request).then(
        ({ body, type = "application/json", code = 200, watched }) => {
          response.writeHead(code, { "content-type": type });
          if (watched === undefined) return response.end(typeof body === "string" ? body : JSON.stringify(body));
          const { kind, since } = watched;
          const watcher = {
            kind,
            tell: (type: string, object: ApiObject): unknown => response.write(`${JSON.stringify({ type, object })}\n`),
          };
          watchers.add(watcher);
          response.flushHeaders();
          for (const object of objects.values()) {
            if (object.kind === kind && Number(object.metadata.resourceVersion) > since)
              watcher.tell("MODIFIED", object);
          }
          return response.on("close", () => watchers.delete(watcher));
        },
        (error: unknown) => {
          const { code, reason } = error instanceof Refusal ? error : { code: 500, reason: "InternalError" };
          const message = error instanceof Error ? error.message : String(error);
          response.writeHead(code, { "content-type": "application/json" });
          response.end(
            JSON.stringify({
              kind: "Status",
              apiVersion: "v1",
              metadata: {},
              status: "Failure",
              message,
              reason,
              code,
            }),
          );
        },
      );
    },
  );

  const api: ApiStandIn = {
    get port() {
      return (server.address() as AddressInfo).port;
    },
    objects,
    changes,
    faults,
    get watching() {
      return watchers.size;
    },
    put(object) {
      const resource = resources.find(({ kind }) => kind === object.kind);
      if (resource === undefined) throw new Error(`no kind ${object.kind}`);
      store(resource, resource.namespaced ? (object.metadata.namespace ?? "default") : null, object);
    },
    get(plural, name, namespace = "") {
      return [...objects].find(([key]) => key.startsWith(`${plural}.`) && key.endsWith(` ${namespace}/${name}`))?.[1];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  for (const name of ["default", "kube-system"]) api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  if (options.unbound !== true) {
    const group = { kind: "Group", name: "kubeferry:administrators" };
    const binding = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", subjects: [group] };
    api.put({ ...binding, metadata: { name: group.name } });
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return api;

  function store(resource: Resource, namespace: string | null, object: ApiObject): ApiObject {
    const { name } = object.metadata;
    const key = keyOf(resource, namespace, name);
    const old = objects.get(key);
    version += 1;
    const secret = object as { stringData?: Record<string, string>; data?: Record<string, string> };
    for (const [field, text] of Object.entries(secret.stringData ?? {})) {
      secret.data = { ...secret.data, [field]: Buffer.from(text).toString("base64") };
    }
    delete secret.stringData;
    object.metadata = {
      ...object.metadata,
      ...(namespace === null ? {} : { namespace }),
      uid: old?.metadata.uid ?? `uid-${version}`,
      creationTimestamp: old?.metadata.creationTimestamp ?? "2026-11-21T00:00:00Z",
      resourceVersion: String(version),
    };
    objects.set(key, object);
    for (const { kind, tell } of watchers) {
      if (kind === resource.kind) tell(old === undefined ? "ADDED" : "MODIFIED", object);
    }
    return object;
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? "/", "https://stand-in");
    const method = request.method ?? "GET";
    const body = await textOf(request);
    const socket = request.socket as TLSSocket;
    const organization: unknown = socket.getPeerCertificate().subject?.O;
    if (!socket.authorized) throw new Refusal(401, "Unauthorized", "Unauthorized");
    if (["/readyz", "/livez", "/healthz"].includes(url.pathname)) return { body: "ok", type: "text/plain" };
    if (url.pathname === "/version") return { body: { major: "1", minor: "20", gitVersion: "v1.20.2" } };
    const discovered = discovery(url.pathname);
    if (discovered !== null) return { body: discovered };
    const pathname = decodeURIComponent(url.pathname);
    if (pathname === "/openapi/v2")
      return { body: "", type: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" };
    if (organization !== "system:masters" && !isBound(organization))
      throw new Refusal(403, "Forbidden", "forbidden: no binding");
    const target = targetOf(pathname);
    if (target === null) throw new Refusal(404, "NotFound", "the server could not find the requested resource");
    const fault = faults.shift();
    // As a real one tells it: without a reason.
    if (typeof fault === "string") throw new Refusal(500, "", fault);
    if (method === "GET") return get(target, url.searchParams);
    changes.push(`${method} ${pathname}`);
    const result = change(method, target, body, request.headers["content-type"] ?? "");
    options.react?.(api);
    return { body: result, code: method === "POST" ? 201 : 200 };
  }

  function isBound(group: unknown): boolean {
    return [...objects.values()].some(
      ({ kind, subjects }) =>
        kind === "ClusterRoleBinding" && (subjects as { name: string }[]).some(({ name }) => name === group),
    );
  }

  function get(target: Target, query: URLSearchParams): Answer {
    const { resource, namespace, name, sub } = target;
    if (query.has("watch"))
      return { body: "", watched: { kind: resource.kind, since: Number(query.get("resourceVersion")) } };
    if (name !== null && sub === "log") {
      const text = options.log?.(name) ?? null;
      if (text === null) throw new Refusal(500, "InternalError", `dial tcp: the kubelet of ${name} is not reached`);
      return { body: text, type: "text/plain" };
    }
    if (name !== null) return { body: existing(target) };
    const only = /^metadata\.name=(.+)$/.exec(query.get("fieldSelector") ?? "")?.[1];
    const wanted = (query.get("labelSelector") ?? "").split(",").filter((text) => text !== "");
    const items = [...objects.values()].filter(
      ({ kind, metadata }) =>
        kind === resource.kind &&
        (namespace === null || metadata.namespace === namespace) &&
        (only === undefined || metadata.name === only) &&
        wanted.every((pair) => metadata.labels?.[pair.split("=")[0] ?? ""] === pair.split("=").at(-1)),
    );
    return {
      body: {
        kind: `${resource.kind}List`,
        apiVersion: versionOf(resource),
        metadata: { resourceVersion: String(version) },
        items,
      },
    };
  }

  function change(method: string, target: Target, body: string, type: string): unknown {
    const { resource, namespace, name } = target;
    if (method === "POST") {
      const object = JSON.parse(body) as ApiObject;
      if (objects.has(keyOf(resource, namespace, object.metadata.name)))
        throw new Refusal(409, "AlreadyExists", `${resource.plural} "${object.metadata.name}" already exists`);
      if (namespace !== null && !objects.has(`namespaces. /${namespace}`))
        throw new Refusal(404, "NotFound", `namespaces "${namespace}" not found`);
      return store(resource, namespace, object);
    }
    const found = existing(target);
    if (method === "DELETE") {
      objects.delete(keyOf(resource, namespace, name ?? ""));
      const inside = [...objects].filter(([, { metadata }]) => metadata.namespace === name);
      if (resource.kind === "Namespace") for (const [key] of inside) objects.delete(key);
      return {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Success",
        details: { name, uid: found.metadata.uid },
      };
    }
    if (method === "PUT") {
      const object = JSON.parse(body) as ApiObject;
      const { resourceVersion } = object.metadata;
      if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion)
        throw new Refusal(
          409,
          "Conflict",
          "the object has been modified; please apply your changes to the latest version",
        );
      return store(resource, namespace, object);
    }
    const patch = JSON.parse(body) as Record<string, unknown>;
    const merge = type.includes("strategic") ? strategicPatch : mergePatch;
    return store(resource, namespace, merge(found, patch) as ApiObject);
  }

  function existing({ resource, namespace, name }: Target): ApiObject {
    const found = objects.get(keyOf(resource, namespace, name ?? ""));
    const group = resource.group === "" ? "" : `.${resource.group}`;
    if (found === undefined) throw new Refusal(404, "NotFound", `${resource.plural}${group} "${name}" not found`);
    return structuredClone(found);
  }
}

function keyOf({ plural, group }: Resource, namespace: string | null, name: string): string {
  return `${plural}.${group} ${namespace ?? ""}/${name}`;
}

function versionOf({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

/** `/api/v1/namespaces/a/pods/b/log`; a namespace itself is `/api/v1/namespaces/a`. */
function targetOf(path: string): Target | null {
  const [, prefix = "", rest = ""] = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
  const words = rest.split("/");
  const inNamespace = words[0] === "namespaces" && words.length > 2 && words[2] !== "finalize";
  const [plural = "", name = null, sub = null] = inNamespace ? words.slice(2) : words;
  const resource = resources.find((one) => one.plural === plural && prefixOf(one) === prefix);
  return resource === undefined ? null : { resource, namespace: inNamespace ? (words[1] ?? "") : null, name, sub };
}

function prefixOf(resource: Resource): string {
  return resource.group === "" ? `/api/${resource.version}` : `/apis/${versionOf(resource)}`;
}

function discovery(path: string): unknown {
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (path === "/apis") {
    const names = [...new Set(resources.map(({ group }) => group).filter((group) => group !== ""))];
    const groups = names.map((name) => {
      const own = new Set(resources.filter(({ group }) => group === name).map(({ version }) => version));
      const versions = [...own].map((version) => ({ groupVersion: `${name}/${version}`, version }));
      return { name, versions, preferredVersion: versions[0] };
    });
    return { kind: "APIGroupList", apiVersion: "v1", groups };
  }
  const own = resources.filter((resource) => prefixOf(resource) === path);
  const [first] = own;
  if (first === undefined) return null;
  const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
  const list = own.map(({ plural, kind, namespaced }) => ({ name: plural, singularName: "", namespaced, kind, verbs }));
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: versionOf(first), resources: list };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
