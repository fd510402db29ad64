/** What both programs print with `--json`: one record a line, of these types. `manifests/schema/output.schema.json` is made of it. */
import * as z from "zod";

const exitCode = z.int().min(0).max(255);

/** Every command may print these. */
const common = [
  z.strictObject({ type: z.literal("stage"), name: z.string(), what: z.string() }),
  z.strictObject({ type: z.literal("warning"), message: z.string() }),
  /** Of what takes more than ten seconds, every ten seconds. */
  z.strictObject({
    type: z.literal("progress"),
    task: z.string(),
    done: z.number(),
    total: z.number().nullable(),
    unit: z.enum(["bytes", "items"]),
  }),
  z.strictObject({
    type: z.literal("error"),
    code: z.string(),
    message: z.string(),
    /** Several things that are wrong at once, each with its own place. */
    problems: z.array(z.strictObject({ where: z.string().optional(), message: z.string() })).optional(),
    where: z.string().optional(),
    expected: z.string().optional(),
    found: z.string().optional(),
    hint: z.string().optional(),
    exitCode,
  }),
  /** Always the last one: a stream without it was cut. */
  z.strictObject({ type: z.literal("end"), exitCode }),
] as const;

const record = <Type extends string, Shape extends z.core.$ZodLooseShape>(type: Type, shape: Shape) =>
  z.looseObject({ type: z.literal(type), ...shape });

const builder = [
  record("release", { release: z.string(), components: z.array(z.looseObject({ name: z.string() })) }),
  record("pinned", { component: z.string(), version: z.string(), newest: z.string().nullable() }),
  record("step", { from: z.string(), to: z.string(), release: z.string(), needs: z.array(z.string()) }),
  record("lock", { path: z.string(), changes: z.array(z.string()) }),
  record("item", { kind: z.enum(["artifact", "checksums", "image", "package"]), from: z.string(), path: z.string() }),
  record("fetched", {}),
  record("rendered", { output: z.string(), files: z.int() }),
  record("built", { path: z.string(), payloadDigest: z.string(), size: z.int() }),
  record("bundle", { where: z.string(), payloadDigest: z.string(), index: z.looseObject({}) }),
  record("file", { path: z.string(), mode: z.string(), digest: z.string() }),
  record("split", { list: z.string(), parts: z.array(z.string()) }),
  record("joined", { output: z.string() }),
  record("signed", { bundle: z.string() }),
  record("key", {}),
  record("rekeyed", {}),
  record("carried", { host: z.string(), parts: z.int(), bytes: z.int(), dryRun: z.boolean() }),
  record("host-output", { host: z.string(), record: z.looseObject({ type: z.string() }) }),
  record("host", { host: z.string(), address: z.string(), state: z.enum(["done", "failed", "left-out"]) }),
  record("pushed", {
    done: z.array(z.string()),
    failed: z.array(z.string()),
    leftOut: z.array(z.string()),
    bytes: z.int(),
    dryRun: z.boolean(),
  }),
  record("image", {
    image: z.string(),
    to: z.string(),
    digest: z.string(),
    state: z.enum(["there", "lacking", "sent"]),
    bytes: z.int(),
    replaced: z.string().nullable(),
  }),
  record("images-pushed", { to: z.string(), images: z.int(), lacking: z.int(), bytes: z.int(), dryRun: z.boolean() }),
  record("serving", { url: z.string(), images: z.int() }),
  record("served", { client: z.string(), method: z.string(), url: z.string(), status: z.int(), bytes: z.int() }),
  record("artifact", { output: z.string(), payloadDigest: z.string(), digest: z.string(), members: z.int() }),
  record("page", { path: z.string(), payloadDigest: z.string() }),
  record("signing-request", { ca: z.string(), file: z.string() }),
  record("imported", { ca: z.string(), subject: z.string(), issuer: z.string(), notAfter: z.string() }),
  record("content", { digest: z.string(), size: z.int(), used: z.string() }),
  record("checked", { damaged: z.int() }),
  record("collected", { removed: z.int(), bytes: z.int(), kept: z.int() }),
] as const;

const either = [
  record("verified", { where: z.string() }),
  record("certificate", { path: z.string(), notAfter: z.string() }),
  record("difference", {}),
  record("finding", { check: z.string(), severity: z.enum(["error", "warning", "info", "ok"]), message: z.string() }),
] as const;

const installer = [
  record("effect", {}),
  record("unknown", { phase: z.string(), what: z.string(), unknown: z.string() }),
  record("deferred", { what: z.string(), why: z.string() }),
  record("result", { transaction: z.union([z.string(), z.number()]), changes: z.int() }),
  record("undone", {}),
  record("credential", {
    output: z.string(),
    user: z.string(),
    groups: z.array(z.string()),
    notAfter: z.string(),
    fingerprint: z.union([z.string(), z.null()]),
  }),
  record("awaited", {}),
  record("unit-failure", { unit: z.string() }),
  record("request", { name: z.string(), approved: z.boolean() }),
  record("transaction", {}),
  record("renewal", {}),
  record("audit", {}),
  record("removed", { node: z.string(), members: z.int(), objects: z.int() }),
  record("snapshot", {
    path: z.string(),
    revision: z.int(),
    keys: z.int(),
    size: z.int(),
    recipients: z.array(z.string()),
    removed: z.array(z.string()),
  }),
  record("support", { output: z.string(), members: z.array(z.string()) }),
] as const;

export const outputRecord = z.discriminatedUnion("type", [...common, ...builder, ...either, ...installer]);
export type OutputRecord = z.infer<typeof outputRecord>;

/** The types, as the sources may name them. */
export const recordTypes: readonly string[] = [...common, ...builder, ...either, ...installer].map(
  (one) => one.shape.type.value,
);
