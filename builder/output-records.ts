/** What both programs print with `--json`: one record a line, of these types. `manifests/schema/output.schema.json` is made of it. */
import * as z from "zod";
import { rotationSteps } from "#bundle";

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

/** What is named here is there for years; a newer version may add to it. */
const record = <Type extends string, Shape extends z.core.$ZodLooseShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), ...shape });

const strings = z.array(z.string());
const rotationStep = z.enum(rotationSteps);
const because = z.array(z.object({ what: z.string(), why: z.string() }));
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const registries = z.record(
  z.string(),
  z.object({ mirrors: strings.optional(), ca: z.string().optional(), credentials: z.string().optional() }),
);
const owner = z.object({ uid: z.int(), gid: z.int() });

const builder = [
  record("release", {
    release: z.string(),
    description: z.string(),
    kubernetes: z.string().nullable(),
    components: z.array(
      z.object({
        name: z.string(),
        /** Null where the distribution decides. */
        version: z.string().nullable(),
        roles: strings,
        when: z.string(),
        /** Platform → who published the digest. */
        pinned: z.record(z.string(), z.string()),
        alternatives: strings,
      }),
    ),
    images: z.array(z.object({ name: z.string(), for: z.string(), pinned: z.string() })),
    platforms: strings,
  }),
  record("pinned", {
    component: z.string(),
    version: z.string(),
    url: z.string().nullable(),
    releases: strings,
    newest: z.string().nullable(),
  }),
  record("step", {
    from: z.string(),
    to: z.string(),
    release: z.string(),
    changes: strings,
    needs: strings,
    removed: z.array(z.object({ api: z.string(), kinds: strings, now: z.string() })),
    oldestKubelet: z.string(),
  }),
  /** What a road is going to download: at most so many files, images and packages, `unknown` of them without a size. */
  record("to-fetch", { items: z.int(), bytes: z.int(), unknown: z.int() }),
  /** A step's bundle; with `--dry-run` `to-make`, and with `--update` besides `to-resolve`: made if anything changes. */
  record("road-bundle", {
    from: z.string(),
    to: z.string(),
    release: z.string(),
    config: z.string(),
    bundle: z.string(),
    lock: z.string(),
    state: z.enum(["kept", "made", "to-make", "to-resolve"]),
    why: z.string().nullable(),
    digest: digest.nullable(),
    payloadDigest: digest.nullable(),
    size: z.int().nullable(),
    delta: z.object({ path: z.string(), digest, size: z.int(), base: digest }).nullable(),
  }),
  /** All of it is there; `list` and `text` are road.json and road.txt. */
  record("road", { cluster: z.string(), from: z.string(), to: z.string(), list: z.string(), text: z.string() }),
  /** `lock` as lock.schema.json has it. */
  record("lock", { path: z.string(), lock: z.looseObject({}), changes: strings }),
  record("item", {
    kind: z.enum(["artifact", "checksums", "signature", "keys", "image", "package"]),
    what: z.string(),
    from: z.string(),
    mirrors: strings,
    digest: z.string().nullable(),
    size: z.int().nullable(),
    path: z.string(),
  }),
  /** One artifact each; of `kubeferry fetch` the last has the files instead. */
  record("fetched", {
    artifact: z.string().optional(),
    platform: z.string().optional(),
    from: z.string().optional(),
    bytes: z.int().optional(),
    files: z
      .array(z.object({ name: z.string(), component: z.string(), platform: z.string(), digest, size: z.int() }).loose())
      .optional(),
  }),
  record("rendered", { output: z.string(), files: z.int() }),
  record("built", {
    path: z.string(),
    payloadDigest: digest,
    size: z.int(),
    frames: z.object({ made: z.int(), cached: z.int() }),
    keys: z.string().nullable(),
  }),
  /** `index` as bundle.schema.json has it. */
  record("bundle", { where: z.string(), payloadDigest: digest, index: z.looseObject({}) }),
  /** As an entry of `files` in bundle.schema.json. */
  record("file", { path: z.string(), mode: z.string(), digest }).loose(),
  record("split", { list: z.string(), parts: strings }),
  record("joined", { output: z.string() }),
  record("signed", { bundle: z.string(), key: z.string() }),
  record("key", { secret: z.string(), open: z.string(), name: z.string(), publicKey: z.string() }),
  record("rekeyed", { aside: strings }),
  record("carried", { host: z.string(), parts: z.int(), bytes: z.int(), dryRun: z.boolean() }),
  /** A record of the installer on that host. */
  record("host-output", { host: z.string(), record: z.looseObject({ type: z.string() }) }),
  record("host", { host: z.string(), address: z.string(), state: z.enum(["done", "failed", "left-out"]) }).loose(),
  record("pushed", { done: strings, failed: strings, leftOut: strings, bytes: z.int(), dryRun: z.boolean() }),
  record("image", {
    image: z.string(),
    to: z.string(),
    digest: z.string(),
    state: z.enum(["there", "lacking", "sent"]),
    bytes: z.int(),
    replaced: z.string().nullable(),
  }),
  /** `registries`: for cluster.yaml, so that nodes pull from there. */
  record("images-pushed", {
    to: z.string(),
    images: z.int(),
    lacking: z.int(),
    bytes: z.int(),
    dryRun: z.boolean(),
    registries,
  }),
  record("serving", { url: z.string(), images: z.int(), registries }),
  record("served", { client: z.string(), method: z.string(), url: z.string(), status: z.int(), bytes: z.int() }),
  record("artifact", { output: z.string(), payloadDigest: digest, digest: z.string(), members: z.int() }),
  record("exported", { output: z.string(), payloadDigest: digest, hosts: strings }),
  record("page", { path: z.string(), payloadDigest: digest }),
  record("signing-request", { ca: z.string(), file: z.string() }),
  record("imported", { ca: z.string(), subject: z.string(), issuer: z.string(), notAfter: z.string() }),
  record("rotation", { key: z.string(), step: rotationStep.nullable(), next: rotationStep.optional() }),
  record("difference", {
    what: z.string(),
    name: z.string(),
    change: z.enum(["added", "removed", "changed"]),
    from: z.string().optional(),
    to: z.string().optional(),
  }),
  record("content", { digest, size: z.int(), used: z.string() }),
  record("checked", { damaged: z.int() }),
  record("collected", { removed: z.int(), bytes: z.int(), kept: z.int() }),
] as const;

const either = [
  /** Of a split bundle `parts`, otherwise all else. */
  record("verified", {
    where: z.string(),
    parts: z.int().optional(),
    payloadDigest: digest.optional(),
    members: z.int().optional(),
    signatures: z.array(z.object({ key: z.string(), comment: z.string() })).optional(),
  }),
  /** Of a bundle with its node, names and beginning; on a host with the days that are left. */
  record("certificate", {
    path: z.string(),
    subject: z.string(),
    notAfter: z.string(),
    node: z.string().optional(),
    sans: strings.optional(),
    notBefore: z.string().optional(),
    daysLeft: z.int().optional(),
  }),
  record("finding", {
    /** Of a gate: after which phase. */
    phase: z.string().optional(),
    check: z.string(),
    severity: z.enum(["error", "warning", "ok"]),
    message: z.string(),
    /** The file, unit or object that it speaks of, where that is not the host itself. */
    where: z.string().optional(),
    expected: z.string().optional(),
    found: z.string().optional(),
    hint: z.string().optional(),
  }),
] as const;

const installer = [
  /** `do` names it, and says what else there is: as `installer/host/effect.ts` has it. */
  record("effect", {
    phase: z.string().optional(),
    do: z.string(),
    path: z.string().optional(),
    mode: z.int().optional(),
    owner: owner.optional(),
  }).loose(),
  record("unknown", { phase: z.string(), what: z.string(), unknown: z.string() }),
  record("deferred", { what: z.string(), why: z.string() }),
  record("upgrade", {
    files: z.object({ added: strings, changed: strings, removed: strings }),
    units: z.object({ started: strings, restarted: strings, reloaded: strings, stopped: strings }),
    givenBack: strings,
    versions: z.array(z.object({ name: z.string(), from: z.string().nullable(), to: z.string().nullable() })),
  }),
  record("result", { transaction: z.int(), changes: z.int() }),
  /** What was edited and is kept beside its place, what stays, what could not be looked at, what failed. */
  record("undone", { transaction: z.int(), kept: strings, left: strings, unseen: because, problems: because }),
  record("credential", {
    output: z.string(),
    user: z.string(),
    groups: strings,
    notAfter: z.string(),
    fingerprint: z.string().nullable(),
  }),
  record("awaited", { what: z.string(), at: strings, enough: z.int() }),
  record("unit-failure", {
    unit: z.string(),
    lines: z.string(),
    likely: z.object({ cause: z.string(), next: z.string() }).nullable(),
  }),
  record("request", {
    name: z.string(),
    approved: z.boolean(),
    /** Whether it is one to approve; then `node` and `use`, otherwise `why` not. */
    approve: z.boolean(),
    node: z.string().optional(),
    use: z.enum(["serving", "client"]).optional(),
    why: z.string().optional(),
  }),
  record("transaction", {
    id: z.int(),
    at: z.string(),
    state: z.string(),
    bundle: z.looseObject({ payload: digest, cluster: z.string(), release: z.string(), locked: z.string() }),
    node: z.object({ profile: z.string(), name: z.string(), ip: z.string(), iface: z.string().nullable() }),
    roles: strings,
    installer: z.string().nullable().optional(),
  }),
  record("renewal", { id: z.int(), at: z.string(), notes: strings.optional() }),
  record("audit", {
    signature: z.enum(["not asked for", "good", "bad"]),
    at: z.string(),
    payloads: z.array(digest),
    files: z.int(),
    directories: z.int(),
    units: z.int(),
    settings: z.int(),
    differences: z.int(),
    remarks: z.int(),
  }),
  record("removed", { node: z.string(), members: z.int(), objects: z.int() }),
  record("snapshot", {
    path: z.string(),
    revision: z.int(),
    keys: z.int(),
    size: z.int(),
    recipients: strings,
    removed: strings,
  }),
  record("support", { output: z.string(), members: strings }),
] as const;

export const outputRecord = z.discriminatedUnion("type", [...common, ...builder, ...either, ...installer]);
export type OutputRecord = z.infer<typeof outputRecord>;

/** The types, as the sources may name them. */
export const recordTypes: readonly string[] = [...common, ...builder, ...either, ...installer].map(
  (one) => one.shape.type.value,
);
