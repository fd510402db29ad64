/**
 * Registries that are hostile or broken, each with the code that a pull must end with; null: the pull must succeed.
 * In registries.json `{digest:NAME}` and `{size:NAME}` are those of another content; a content is text, JSON,
 * `{base64}` or `{fill: bytes}`. What a row has no route for is served as an honest registry would.
 */
import { Readable } from "node:stream";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "#bundle";
import { isExpected } from "#cli/errors";
import { HttpClient } from "../../../builder/http/client.ts";
import { pullImage, resolveImage } from "../../../builder/sources/oci/pull.ts";
import { listStore } from "../../../builder/store/upkeep.ts";
import { Store } from "../../../builder/store/store.ts";

interface Route {
  readonly content?: string;
  readonly type?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Row {
  readonly name: string;
  readonly expected: string | null;
  readonly contents: Readonly<Record<string, unknown>>;
  readonly tag: Route;
  /** Contents that are in the store before. */
  readonly preload?: readonly string[];
  readonly routes?: Readonly<Record<string, Route>>;
  readonly cut?: { readonly path: string; readonly after: number; readonly ranges: boolean; readonly shift?: number };
}

const rows = JSON.parse(readFileSync(join(import.meta.dirname, "registries.json"), "utf8")) as Row[];

test("the corpus has not lost rows", () => {
  assert.ok(rows.length >= 45);
  assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
});

for (const row of rows) {
  test(`${row.expected ?? "good"}: ${row.name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubeferry-registry-"));
    const contents = contentsOf(row);
    const server = createServer((incoming, outgoing) => answer(row, contents, incoming, outgoing)).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const store = await Store.open(folder);
    await using http = new HttpClient({ attempts: 3, backoffMs: 1, stallMs: 20_000 });
    const pull = async (): Promise<void> => {
      const locked = await resolveImage(`127.0.0.1:${port}/a/b:1.0`, "linux/amd64", { http, store });
      await pullImage(locked, { http, store });
    };
    for (const name of row.preload ?? []) await store.put(Readable.from([contents.get(name) ?? Buffer.alloc(0)]));
    try {
      if (row.expected === null) await pull();
      else {
        await assert.rejects(pull, (error) => {
          assert.ok(isExpected(error), String(error));
          assert.equal(error.code, row.expected, error.message);
          return true;
        });
      }
      // Whatever happened: nothing is in the store under a name that is not its own.
      for (const name of listStore(store).map(({ digest }) => digest))
        assert.equal(digestOf(readFileSync(store.path(name))), name);
    } finally {
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    }
  });
}

function answer(
  row: Row,
  contents: ReadonlyMap<string, Buffer>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const base = `http://${incoming.headers.host}`;
  const path = (incoming.url ?? "").replace(/\?.*/, "").replace("/v2/a/b/", "");
  const fill = (text: string): string =>
    placed(text, contents)
      .replaceAll("{base}", base)
      .replaceAll("{self}", incoming.url ?? "");
  const own = Object.entries(row.routes ?? {}).find(([name]) => fill(name) === path)?.[1];
  const route = own ?? (path === "manifests/1.0" ? row.tag : honest(path, contents));
  const headers = Object.entries(route.headers ?? {}).map(([name, value]) => [name, fill(value)]);
  const body = contents.get(route.content ?? "") ?? Buffer.alloc(0);
  if (route.type !== undefined) headers.push(["content-type", route.type]);
  const { cut } = row;
  if (cut !== undefined && path.startsWith(fill(cut.path))) {
    const from = Number(/^bytes=(\d+)-/.exec(incoming.headers.range ?? "")?.[1] ?? 0);
    const start = cut.ranges && from > 0 ? from + (cut.shift ?? 0) : 0;
    if (start > 0) headers.push(["content-range", `bytes ${start}-${body.length - 1}/${body.length}`]);
    const rest = body.subarray(start);
    headers.push(["content-length", String(rest.length)]);
    outgoing.writeHead(start > 0 ? 206 : 200, Object.fromEntries(headers));
    const part = start === 0 || !cut.ranges ? rest.subarray(0, cut.after) : rest;
    outgoing.write(part, () => (part.length < rest.length ? outgoing.destroy() : outgoing.end()));
    return;
  }
  outgoing.writeHead(route.status ?? 200, Object.fromEntries(headers)).end(body);
}

function honest(path: string, contents: ReadonlyMap<string, Buffer>): Route {
  const [kind, digest = ""] = path.split("/");
  const found = [...contents].find(([, bytes]) => `sha256:${digestOf(bytes)}` === digest)?.[0];
  if (found === undefined) return { status: 404 };
  return kind === "manifests" ? { content: found, type: "application/octet-stream" } : { content: found };
}

/** Contents in the order in which they name each other. */
function contentsOf(row: Row): Map<string, Buffer> {
  const done = new Map<string, Buffer>();
  const make = (name: string): void => {
    if (done.has(name)) return;
    const value = row.contents[name] as string | { base64?: string; fill?: number };
    const text = typeof value === "string" ? value : JSON.stringify(value);
    for (const match of text.matchAll(/\{(?:digest|size):(\w+)\}/g)) make(match[1] ?? "");
    if (typeof value === "object" && value.base64 !== undefined) done.set(name, Buffer.from(value.base64, "base64"));
    else if (typeof value === "object" && value.fill !== undefined) done.set(name, Buffer.alloc(value.fill, " "));
    else done.set(name, Buffer.from(placed(text, done)));
  };
  for (const name of Object.keys(row.contents)) make(name);
  return done;
}

function placed(text: string, contents: ReadonlyMap<string, Buffer>): string {
  const of = (name: string): Buffer => contents.get(name) ?? Buffer.alloc(0);
  return text
    .replaceAll(/"\{size:(\w+)\}"/g, (_, name: string) => String(of(name).length))
    .replaceAll(/\{digest:(\w+)\}/g, (_, name: string) => `sha256:${digestOf(of(name))}`);
}
