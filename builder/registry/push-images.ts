/** `push-images`: a bundle's images into a registry inside the gap, and only what that lacks. */
import { ExpectedError } from "#cli/errors";
import { formatBytes, formatSeconds } from "#cli/quantities";
import type { Reporter } from "#cli/reporter";
import { HttpClient, type HttpSettings } from "../http/client.ts";
import { RegistryHttp } from "../sources/oci/registry-session.ts";
import { type CarriedBlob, type CarriedImage, type ImagesRequest, takeImages } from "./carried-images.ts";
import { type Destination, mirrorOf } from "./destination.ts";
import { type Mirror, registriesFor, snippetLines } from "./mirror-snippet.ts";
import { Repository } from "./repository.ts";

export interface PushImagesRequest extends ImagesRequest {
  readonly to: Destination;
  readonly http: HttpSettings;
  /** As the operator named it. */
  readonly ca: string | undefined;
  readonly dryRun: boolean;
}

interface Pushing {
  readonly to: Destination;
  readonly dryRun: boolean;
  readonly reporter: Reporter;
  readonly repositories: ReadonlyMap<string, Repository>;
  /** Which repository is known to have a blob, from this run. */
  readonly holders: Map<string, string>;
  readonly total: number;
  done: number;
}

/** Codes of takeImages; UNAUTHORIZED, UNREACHABLE, NO_SPACE and the like of the registry. */
export async function pushImages(request: PushImagesRequest, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const { to, dryRun } = request;
  const { index, images } = await takeImages(request, reporter, signal);
  refuseCollisions(images, to);
  await using http = new HttpClient(request.http, signal);
  const pushing: Pushing = {
    to,
    dryRun,
    reporter,
    repositories: repositoriesOf(images, to, http, reporter),
    holders: new Map(),
    total: blobsOf(images).reduce((sum, { size }) => sum + size, 0),
    done: 0,
  };
  reporter.stage("push", `to ${to.host}, what it lacks`);
  let [sent, lacking] = [0, 0];
  for (const image of images) {
    const bytes = await pushImage(image, pushing);
    sent += bytes ?? 0;
    lacking += bytes === null ? 0 : 1;
  }
  reporter.progress("push", pushing.total, pushing.total);
  const mirror: Mirror = {
    host: to.host,
    url: mirrorOf(to),
    ca: request.ca,
    wantsLogin: (request.http.netrc ?? []).some(({ machine }) => machine === new URL(to.base).hostname),
  };
  const registries = registriesFor(images, mirror, index);
  reporter.record("images-pushed", { to: to.host, images: images.length, lacking, bytes: sent, dryRun, registries });
  const verb = dryRun ? "would be sent" : "sent";
  reporter.info(`${lacking} of ${images.length} images ${verb}, ${formatBytes(sent)}; the others are there`);
  const snippet = snippetLines(registries);
  if (snippet.length > 0) reporter.info(`so that nodes pull from there, in cluster.yaml:\n${snippet.join("\n")}`);
}

function blobsOf(images: readonly CarriedImage[]): CarriedBlob[] {
  return images.flatMap(({ platforms }) => platforms.flatMap(({ blobs }) => blobs));
}

function repositoryName({ reference }: CarriedImage, { prefix }: Destination): string {
  return `${prefix}${reference.repository}`;
}

/** Where it goes: `registry.plant.local:5000/pause:3.10`, or by its digest where it has no tag. */
function placeOf(image: CarriedImage, to: Destination): string {
  const { tag } = image.reference;
  const name = `${to.host}/${repositoryName(image, to)}`;
  return tag === null ? `${name}@sha256:${image.top.digest}` : `${name}:${tag}`;
}

/** Registries of upstream are told apart by their names, which mirrors do not have. */
function refuseCollisions(images: readonly CarriedImage[], to: Destination): void {
  const taken = new Map<string, CarriedImage>();
  for (const image of images) {
    const place = placeOf(image, to);
    const other = taken.get(place);
    if (other !== undefined && other.top.digest !== image.top.digest) {
      throw new ExpectedError("CONFIG_INVALID", `${other.name} and ${image.name} differ, and would both be ${place}`, {
        where: to.host,
        hint: "give one of them another tag in cluster.yaml",
      });
    }
    taken.set(place, image);
  }
}

/** A session for each: tokens are for one repository. */
function repositoriesOf(
  images: readonly CarriedImage[],
  to: Destination,
  http: HttpClient,
  reporter: Reporter,
): Map<string, Repository> {
  const account = new URL(to.base);
  const hint = "--credentials FILE, of mode 0600, with one line user:password";
  const onRetry = (why: string, waitMs: number): void =>
    reporter.warn(`${why}; again in ${formatSeconds(waitMs / 1000)}`);
  const names = new Set(images.map((image) => repositoryName(image, to)));
  return new Map(
    [...names].map((name) => {
      const session = new RegistryHttp({ http, account, repository: name, hint });
      return [name, new Repository({ base: to.base, name, session, http, onRetry })];
    }),
  );
}

/** Blobs first, then the manifests that name them, and the tag last: what it leads to is whole. Bytes sent; null: all was there. */
async function pushImage(image: CarriedImage, pushing: Pushing): Promise<number | null> {
  const { to, dryRun, reporter, repositories } = pushing;
  const repository = repositories.get(repositoryName(image, to));
  if (repository === undefined) throw new Error(`no repository for ${image.name}`);
  let [bytes, lacks] = [0, false];
  for (const blob of image.platforms.flatMap(({ blobs }) => blobs)) {
    const given = await giveBlob(repository, blob, pushing);
    bytes += given ?? 0;
    lacks ||= given !== null;
  }
  const reference = image.reference.tag ?? `sha256:${image.top.digest}`;
  const manifests = image.platforms.map(({ manifest }) => manifest).filter(({ digest }) => digest !== image.top.digest);
  const wanted = [...manifests.map((one) => [one, `sha256:${one.digest}`] as const), [image.top, reference] as const];
  let replaced: string | null = null;
  for (const [manifest, place] of wanted) {
    const there = await repository.manifest(place, manifest.mediaType);
    if (there === `sha256:${manifest.digest}`) continue;
    if (place === reference) replaced = there;
    lacks = true;
    bytes += manifest.bytes.length;
    if (!dryRun) await repository.put(manifest, place);
  }
  const where = placeOf(image, to);
  const digest = `sha256:${image.top.digest}`;
  const state = !lacks ? "there" : dryRun ? "lacking" : "sent";
  reporter.record("image", { image: image.name, to: where, digest, state, bytes, replaced });
  const was = replaced === null ? "" : `, in place of ${replaced}`;
  const told = { there: "is there", lacking: `lacks ${formatBytes(bytes)}`, sent: `sent ${formatBytes(bytes)}` }[state];
  reporter.info(`${where}  ${digest}  ${told}${was}`);
  return lacks ? bytes : null;
}

/** Bytes sent; null where it was there. */
async function giveBlob(repository: Repository, blob: CarriedBlob, pushing: Pushing): Promise<number | null> {
  const { dryRun, reporter, holders, total } = pushing;
  const passed = (count: number): void => {
    pushing.done += count;
    reporter.progress("push", Math.min(pushing.done, total - 1), total);
  };
  const holder = holders.get(blob.digest) ?? null;
  if (await repository.has(blob)) {
    holders.set(blob.digest, repository.name);
    passed(blob.size);
    return null;
  }
  if (dryRun) {
    passed(blob.size);
    holders.set(blob.digest, repository.name);
    return holder === null ? blob.size : 0;
  }
  const sent = await repository.give(blob, holder, passed);
  if (sent === 0) passed(blob.size);
  holders.set(blob.digest, repository.name);
  return sent;
}
