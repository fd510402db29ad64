/** `push-images`, `serve-images`: a bundle's images in a registry inside the gap. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { ExpectedError } from "#cli/errors";
import { example } from "#cli/help";
import { withJson, withPublicKeys } from "#cli/options";
import { reporterFor, type Surroundings } from "#cli/run";
import { type NetworkFlags, storeFolder } from "./network.ts";

interface Flags extends Pick<NetworkFlags, "cache" | "ca"> {
  readonly publicKey?: string[];
  readonly require?: number;
  readonly json?: boolean;
}

interface PushFlags extends Flags {
  readonly to: string;
  readonly credentials?: string;
  readonly dryRun?: boolean;
}

interface ServeFlags extends Flags {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plainHttp?: boolean;
}

const cacheText = "the store, which keeps the images that were taken out (default: ~/.cache/kubeferry)";

export function addRegistryCommands(program: Command, surroundings: Surroundings): void {
  const { environment, workingDirectory, signal } = surroundings;
  const path = (given: string): string => resolve(workingDirectory, given);
  const taking = async ({ publicKey = [], require, cache }: Flags, bundle: string) => {
    const { givenTrust } = await import("#bundle");
    return {
      bundle: path(bundle),
      trust: givenTrust(publicKey, require, workingDirectory),
      cache: cache === undefined ? storeFolder(environment) : path(cache),
    };
  };

  const push = withJson(program.command("push-images <bundle>"))
    .description("Inside the gap: push the bundle's images into a registry, only what it lacks")
    .requiredOption("--to <registry>", "[http://]HOST[:PORT][/PREFIX]; https where it does not say otherwise")
    .option("--credentials <file>", "who may push: one line user:password, mode 0600 (default: ~/.netrc)")
    .option("--ca <file>", "PEM certificates to trust besides the usual ones")
    .option("--cache <dir>", cacheText)
    .option("--dry-run", "ask what the registry lacks, and send nothing");
  withPublicKeys(push, "the bundle must be signed with it")
    .addHelpText(
      "after",
      example("kubeferry push-images plant-7.tar --to registry.plant.local:5000 --credentials push.login --ca ca.pem"),
    )
    .action(async (bundle: string, flags: PushFlags) => {
      const { httpSettingsFrom } = await import("../http/settings.ts");
      const { parseDestination } = await import("../registry/destination.ts");
      const { readLogin } = await import("../registry/login.ts");
      const { pushImages } = await import("../registry/push-images.ts");
      const to = parseDestination(flags.to);
      const settings = await httpSettingsFrom(environment, { ca: flags.ca === undefined ? undefined : path(flags.ca) });
      const login =
        flags.credentials === undefined ? [] : [readLogin(path(flags.credentials), new URL(to.base).hostname)];
      const http = { ...settings, netrc: [...login, ...(settings.netrc ?? [])] };
      const request = { ...(await taking(flags, bundle)), to, http, ca: flags.ca, dryRun: flags.dryRun ?? false };
      await pushImages(request, reporterFor(surroundings, flags), signal);
    });

  const serve = withJson(program.command("serve-images <bundle>"))
    .description("Inside the gap: serve the bundle's images as a read-only registry, until it is stopped")
    .requiredOption("--listen <address:port>", "where: 10.64.0.2:5000, 0.0.0.0:5000", readAddress)
    .option("--tls-cert <file>", "PEM, the server's certificate and what it was signed with")
    .option("--tls-key <file>", "PEM, its private key, mode 0600")
    .option("--plain-http", "without TLS, also on other addresses than loopback: anybody between may change images")
    .option("--cache <dir>", cacheText);
  withPublicKeys(serve, "the bundle must be signed with it")
    .addHelpText(
      "after",
      example("kubeferry serve-images plant-7.tar --listen 10.64.0.2:5000 --tls-cert tls.pem --tls-key tls.key"),
    )
    .action(async (bundle: string, flags: ServeFlags) => {
      const { serveImages } = await import("../registry/serve-images.ts");
      const request = { ...(await taking(flags, bundle)), ...flags.listen, tls: tlsOf(flags, path) };
      await serveImages(request, reporterFor(surroundings, flags), signal);
    });
}

function readAddress(given: string): ServeFlags["listen"] {
  const [, bracketed, plain, port = ""] = /^(?:\[([0-9a-f:]+)\]|([^:/]+)):(\d{1,5})$/i.exec(given) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new InvalidArgumentError("An address and a port: 10.64.0.2:5000.");
}

function tlsOf({ listen, tlsCert, tlsKey, plainHttp }: ServeFlags, path: (given: string) => string) {
  if (tlsCert !== undefined && tlsKey !== undefined) return { certificate: path(tlsCert), key: path(tlsKey) };
  if (tlsCert !== undefined || tlsKey !== undefined) {
    throw new ExpectedError("USAGE", "--tls-cert and --tls-key go together", {
      where: tlsCert === undefined ? `--tls-key ${tlsKey}` : `--tls-cert ${tlsCert}`,
      hint: "--tls-cert FILE --tls-key FILE",
    });
  }
  if (plainHttp === true || /^(127\.|::1$|localhost$)/.test(listen.host)) return null;
  throw new ExpectedError("USAGE", "other machines would be served without TLS", {
    where: `--listen ${listen.host}:${listen.port}`,
    hint: "--tls-cert FILE --tls-key FILE, or --plain-http where the network is trusted",
  });
}
