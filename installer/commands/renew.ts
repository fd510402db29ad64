/** `./install renew`: new certificates for what is installed, from a newer bundle or signed by the CA on this node. */
import type { Digest, FileEntry, Trust } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { reissueAll } from "../certificates/in-place.ts";
import { otherKeys } from "../checks/same-keys.ts";
import type { Context } from "../context.ts";
import { headerOver, type PendingHeader } from "../transaction/header.ts";
import { openInstallation } from "../transaction/installation.ts";
import { gatherFacts } from "../host/facts.ts";
import type { Host } from "../host/host.ts";
import { needsKey, notFit, verify } from "./install.ts";
import { onHost } from "../journal/installed.ts";
import type { Transaction } from "../journal/transaction.ts";
import type { FileId } from "../resources/file.ts";
import { openTrusted } from "../trust/open-trusted.ts";
import { nodeContents } from "../plan/contents.ts";
import { installedFiles, renewalPlan } from "../plan/renew.ts";
import { select } from "../plan/select.ts";
import { type ApplyOptions, lookAt, type Proposal, transact } from "../transaction/transact.ts";
import { asInstalled } from "./upgrade.ts";

export interface RenewRequest extends ApplyOptions {
  /** Null: signed by the CA on this node. */
  readonly bundle: string | null;
  readonly skipPreflight: readonly string[];
  readonly identity: (node: string) => Promise<string | null>;
  readonly trusts: () => Promise<readonly Trust[]>;
}

/** What differs from an ordinary plan: where the files come from. */
interface Renewal extends Pick<Proposal, "bundle" | "memory"> {
  readonly files: readonly FileId[];
  readonly from: string;
  readonly certificates: PendingHeader["certificates"];
}

/** One transaction, which `rollback` takes back. USAGE where nothing is installed. */
export async function renew(request: RenewRequest, context: Context): Promise<void> {
  const { root } = request;
  const { reporter } = context;
  const installation = openInstallation(root);
  const { host, past } = installation;
  const last = installation.current.at(-1)?.header;
  if (last === undefined) {
    throw new ExpectedError("USAGE", "nothing is installed here whose certificates could be renewed", {
      where: root,
      hint: "./install --role ROLES --ip ADDRESS   installs it",
    });
  }
  const here = request.bundle === null;
  // What a power cut left of a renewal on this node is signed already, and lies in the stage.
  const cutOff = here && past.some((one) => one.state === "open" && one.header.renewedFrom === "this node");
  const renewal = cutOff
    ? { ...nothing, from: "this node" }
    : here
      ? await fromHere(host, past, context)
      : await fromBundle(request.bundle, request, host, past, context);
  const header: PendingHeader = {
    ...headerOver(last, installation, {
      ...{ command: context.command, action: "renew", renewedFrom: renewal.from },
      notes: [`certificates renewed from ${renewal.from}`],
    }),
    ...(renewal.certificates === undefined ? {} : { certificates: renewal.certificates }),
  };
  const proposed = await lookAt(installation, header, renewalPlan(past, renewal.files));
  if (proposed.changes.length === 0 && proposed.open === null) {
    reporter.info("The installed certificates are these already; nothing to renew.");
    return;
  }
  const { bundle, memory } = renewal;
  await transact({ ...proposed, bundle, memory, origin: null }, request, context);
}

const nothing: Omit<Renewal, "from"> = {
  files: [],
  certificates: undefined,
  memory: new Map(),
  bundle: {
    async extract(requested: ReadonlySet<Digest>) {
      if (requested.size === 0) return;
      throw new ExpectedError("APPLY_FAILED", "the new keys of the interrupted renewal are gone", {
        hint: "./install rollback, then ./install renew again",
      });
    },
  },
};

async function fromHere(host: Host, past: readonly Transaction[], { reporter, now }: Context): Promise<Renewal> {
  const certificates = onHost(past).flatMap(({ header }) => header.certificates ?? []);
  const paths = certificates.map(({ path }) => path);
  const { files, memory, left } = await reissueAll(host, paths, installedFiles(past), now());
  reporter.stage("sign", `${files.length} files with the CA of this node`);
  if (left.length > 0) {
    reporter.warn(`not renewed, their CA's key is not on this node: ${left.join(", ")}; renew them from a bundle`);
  }
  return { ...nothing, files, memory, from: "this node" };
}

async function fromBundle(
  where: string | null,
  request: RenewRequest,
  host: Host,
  past: readonly Transaction[],
  context: Context,
): Promise<Renewal> {
  const bundle = await openTrusted(where ?? "", await request.trusts(), context.reporter);
  await verify(bundle, context);
  const facts = await gatherFacts(host);
  const nobody = { role: undefined, ip: undefined, name: undefined, iface: undefined };
  const selection = select(bundle.index, asInstalled(request.root, nobody), facts);
  const errors = otherKeys({ past, bundle, selection }).filter(({ check }) => !request.skipPreflight.includes(check));
  if (errors.length > 0) throw notFit(errors);
  const identity = needsKey(bundle.index, selection) ? await request.identity(selection.profile.name) : null;
  const contents = await nodeContents(bundle, selection, identity, (requested) => bundle.contents(requested));
  const installed = installedFiles(past);
  const files = contents.files.flatMap(({ entry, digest, size }): FileId[] => {
    const spec = installed.get(entry.path);
    return spec === undefined || !isCredential(entry) ? [] : [{ ...spec, digest, size }];
  });
  const { index } = bundle;
  const paths = new Set(files.map(({ path }) => path));
  const certificates = index.certificates.filter(
    ({ path, node }) => node === selection.profile.name && paths.has(path),
  );
  return {
    bundle,
    memory: contents.memory,
    files,
    from: bundle.payloadDigest,
    certificates: certificates.map(({ path, subject }) => ({ path, subject })),
  };
}

/** Certificates, keys and kubeconfigs; everything else of the newer bundle is software, and an upgrade's. */
function isCredential({ origin }: FileEntry): boolean {
  return origin.from === "pki" || (origin.from === "template" && origin.template.includes("/kubeconfigs/"));
}
